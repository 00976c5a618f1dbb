/**
 * The folder of a run, `ROOT/RUN`: run.json (what was asked), plans.ndjson (what was shown), journal.ndjson (what happened),
 * holder-N (who works on it). With it a run can be continued on any machine. Paths come from the folder's own name only,
 * never from what is written inside, and a folder that others can write is refused.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { Journal } from '../core/ports.js';
import { isRunName } from '../core/run-name.js';
import type { RunRecord } from '../core/run-record.js';
import { codeOf, createDurably, exposureOf, readRegular, syncDirectory } from './disk.js';
import { openFileJournal, readFileJournal } from './file.js';
import type { Hold } from './hold.js';
import { holdRun, livingHolder } from './hold.js';
import type { RunHolder } from './holder.js';
import { makeDirectory } from './make-directory.js';
import { readPlans, writePlans } from './plans-file.js';
import type { PlansMark } from './run-record-text.js';
import { parseRunRecord, runRecordText } from './run-record-text.js';

/** Every method throws FleetmendError: `journal` for the disk and for damage, `locked` for another holder. */
export interface RunFolder {
  readonly directory: string;
  readonly record: RunRecord;
  /** By host: the plan that was shown before anything was touched. */
  readShown(): Promise<ReadonlyMap<string, HostPlan>>;
  /** Reads only; a journal that was never opened is empty. */
  readEntries(): Promise<JournalEntry[]>;
  openJournal(): Promise<Journal>;
  /** `by`: `alice@laptop`. Refused while a process of this machine holds the run. */
  hold(by: string, now: Date): Promise<Hold>;
  /** Who works on it now, on this machine. */
  holder(): Promise<RunHolder | undefined>;
}

/** One folder below the root. */
export type RunItem =
  | { readonly run: string; readonly folder: RunFolder; readonly failure?: undefined }
  | { readonly run: string; readonly folder?: undefined; readonly failure: Failure };

/** All of it is on the disk when this resolves. A folder of that name that exists is refused; on any failure nothing is left. */
export async function createRunFolder(root: string, record: RunRecord, shown: readonly HostPlan[]): Promise<RunFolder> {
  if (!isRunName(record.run)) throw new FleetmendError({ kind: 'badInput', summary: `a run cannot be named ${JSON.stringify(record.run)}` });
  const directory = join(root, record.run);
  await makeDirectory(root, 0o700);
  await refuseExposed(root);
  await wrapped(directory, () => mkdir(directory, { mode: 0o700 }));
  try {
    const plans = await writePlans(join(directory, 'plans.ndjson'), shown);
    // The last file: a folder without it was never finished, and no host was touched.
    const file = join(directory, 'run.json');
    const text = runRecordText(record, plans);
    // What could not be read again must be refused now, while nothing is touched, and not by a resume.
    parseRunRecord(file, text);
    await createDurably(file, [text]);
    await syncDirectory(root);
    return folderOf(directory, record, plans);
  } catch (cause) {
    await rm(directory, { recursive: true, force: true }).catch(() => undefined);
    throw folderError(directory, cause);
  }
}

/** `run` is a whole name (see findRun). Throws FleetmendError: badInput with file and key, or journal. */
export async function openRunFolder(root: string, run: string): Promise<RunFolder> {
  const directory = join(root, run);
  if (!isRunName(run)) throw new FleetmendError({ kind: 'badInput', summary: `a run cannot be named ${JSON.stringify(run)}` });
  return await wrapped(directory, async () => {
    await refuseExposed(root);
    await refuseExposed(directory);
    const file = join(directory, 'run.json');
    const { record, plans } = parseRunRecord(file, (await readRecord(file)).toString('utf8'));
    if (record.run !== run) {
      throw new FleetmendError({ kind: 'badInput', summary: `${directory} holds the run ${record.run}`, next: `rename the folder to ${record.run}` });
    }
    return folderOf(directory, record, plans);
  });
}

/** In no special order; a root that is not there has none. Never throws for a single folder: that becomes its `failure`. */
export async function listRuns(root: string): Promise<RunItem[]> {
  const items: RunItem[] = [];
  for (const run of await runNames(root)) {
    try {
      items.push({ run, folder: await openRunFolder(root, run) });
    } catch (thrown) {
      items.push({ run, failure: failureOf(thrown) });
    }
  }
  return items;
}

/** The names of all folders that could be runs, oldest first. */
export async function runNames(root: string): Promise<string[]> {
  try {
    const found = await readdir(root, { withFileTypes: true });
    return found.filter((one) => !one.isFile() && isRunName(one.name)).map((one) => one.name).sort();
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw folderError(root, cause);
  }
}

function folderOf(directory: string, record: RunRecord, plans: PlansMark): RunFolder {
  return {
    directory, record,
    readShown: () => wrapped(directory, () => readPlans(join(directory, 'plans.ndjson'), plans)),
    readEntries: () => readOwnEntries(directory, record.run),
    openJournal: async () => {
      await readOwnEntries(directory, record.run);
      return await openFileJournal(directory);
    },
    hold: (by, now) => wrapped(directory, () => holdRun(directory, record.run, by, now)),
    holder: () => wrapped(directory, () => livingHolder(directory)),
  };
}

/** A journal of another run says nothing about the hosts of this one. */
async function readOwnEntries(directory: string, run: string): Promise<JournalEntry[]> {
  const entries = await readFileJournal(directory);
  const foreign = entries.find((entry) => entry.run !== run);
  if (foreign === undefined) return entries;
  const summary = `${join(directory, 'journal.ndjson')} has an entry of another run (${foreign.run}, host ${foreign.host}, entry ${foreign.seq})`;
  throw new FleetmendError({ kind: 'journal', summary, next: 'copy the whole folder of the run again' });
}

async function readRecord(file: string): Promise<Buffer> {
  try {
    return await readRegular(file);
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw cause;
    throw new FleetmendError({ kind: 'journal', summary: `${file} is missing: the run was never begun, or is of an older fleetmend` }, { cause });
  }
}

async function refuseExposed(directory: string): Promise<void> {
  const why = await exposureOf(directory);
  if (why === undefined) return;
  throw new FleetmendError({ kind: 'journal', summary: `${directory} is not used: ${why}`, next: `make it yours alone: chown and chmod 0700 ${directory}, once you know that what lies in it is right` });
}

async function wrapped<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw folderError(directory, cause);
  }
}

function folderError(directory: string, cause: unknown): FleetmendError {
  if (cause instanceof FleetmendError) return cause;
  switch (codeOf(cause)) {
    case 'EEXIST':
      return new FleetmendError({ kind: 'journal', summary: `the run ${basename(directory)} exists already in ${directory}` }, { cause });
    case 'ENOENT':
      return new FleetmendError({ kind: 'badInput', summary: `there is no run folder ${directory}` }, { cause });
    default:
      return new FleetmendError({ kind: 'journal', summary: `${directory} cannot be read or written: ${cause instanceof Error ? cause.message : String(cause)}` }, { cause });
  }
}
