/** Which hosts of a past run are to be run again: by how they ended there. Reads the run's folder; reaches for no host. */
import { NEW_HOST } from '../core/fold.js';
import type { Host } from '../core/host.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import type { Outcome } from '../core/journal.js';
import { OUTCOMES } from '../core/journal.js';
import type { HostResult } from '../core/report.js';
import type { RunRecord } from '../core/run-record.js';
import { resultOf } from '../engine/host-end.js';
import type { PastRun } from '../engine/resume-fleet.js';
import { statesOf } from '../engine/resume-fleet.js';
import { findRun, openRunFolder } from '../journals/index.js';
import { badInput } from './bad-input.js';
import { runsRoot } from './state-directory.js';

export interface EndedRun {
  readonly record: RunRecord;
  readonly results: readonly HostResult[];
}

/** Throws FleetmendError: badInput for no such run, locked while a process works on it. */
export async function readPastRun(name: string): Promise<EndedRun> {
  const root = runsRoot();
  const folder = await openRunFolder(root, await findRun(root, name));
  const holder = await folder.holder();
  if (holder !== undefined) throw badInput(`process ${holder.pid} works on run ${folder.record.run}: wait for its end, or stop it with \`fleetmend ctl ${folder.record.run} stop\``);
  const past: PastRun = { hosts: folder.record.hosts, shown: await folder.readShown(), entries: await folder.readEntries() };
  const states = statesOf(past);
  const results = past.hosts.map((host) => resultOf(host.name, past.shown.get(host.name), states.get(host.name) ?? NEW_HOST));
  return { record: folder.record, results };
}

const FAILED: readonly Outcome[] = ['restored', 'stuck', 'unreachable', 'refused'];

/** What `--rerun` knows. A host that a person had brought back did not fail. */
const CLASSES: Readonly<Record<string, (result: HostResult) => boolean>> = {
  failed: ({ outcome, undone, failure }) => (FAILED.includes(outcome) && undone !== true) || (outcome === 'changed' && failure !== undefined),
  undone: ({ outcome, undone }) => outcome === 'restored' && undone === true,
  ...Object.fromEntries(OUTCOMES.map((outcome) => [outcome, (result: HostResult) => result.outcome === outcome])),
};

/** `spec`: `failed,skipped`. In the order of the run. */
export function hostsToRerun({ record, results }: EndedRun, spec: string): Host[] {
  const known = Object.keys(CLASSES);
  const wanted = spec.split(',').map((word) => word.trim()).map((word) => {
    const matches = Object.hasOwn(CLASSES, word) ? CLASSES[word] : undefined;
    if (matches === undefined) throw badInput(`--rerun: expected words of ${known.join(', ')}, got ${quoteText(word)}${suggestWord(word, known)}`);
    return matches;
  });
  const names = new Set(results.filter((result) => wanted.some((matches) => matches(result))).map(({ host }) => host));
  return record.hosts.filter(({ name }) => names.has(name));
}
