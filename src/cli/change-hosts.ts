/** What the commands that change hosts have in common: a journal that is listened to, one stage on the screen, results, an exit code. */
import { cleanText } from '../core/clean-text.js';
import type { Holder } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { describeFailure, failureOf } from '../core/failure.js';
import type { JournalEntry, Stage } from '../core/journal.js';
import type { Journal } from '../core/ports.js';
import type { HostResult } from '../core/report.js';
import { EXIT } from '../core/report.js';
import type { ApplyPorts } from '../engine/apply-fleet.js';
import { jsonDocument } from './json-document.js';
import { createPaint } from './paint.js';
import type { Session } from './run-stage.js';
import { print } from './run-stage.js';
import { showResults } from './show-results.js';
import { newHolder } from './who.js';

export interface HostWork {
  readonly stage: Stage;
  readonly session: Session;
  readonly journal: Journal;
  /** Where the run's folder is. */
  readonly directory: string;
  readonly names: readonly string[];
  work(ports: ApplyPorts): Promise<HostResult[]>;
  exitCode(results: readonly HostResult[], interrupted: boolean): number;
  /** Closing lines for people: what to do next. */
  next(results: readonly HostResult[]): readonly string[];
}

export async function changeHosts(job: HostWork): Promise<number> {
  const { session, directory } = job;
  const { journal, complaint } = listenForLoss(job.journal);
  const holder: Holder = newHolder(session.run);
  try {
    const results = await session.stage(job.stage, job.names, (emit) => job.work({ ...session.ports(emit), journal, holder }));
    const said = job.exitCode(results, session.interrupts.drain.aborted);
    const exitCode = complaint() === undefined ? said : Math.max(said, EXIT.failed);
    await show(job, results, exitCode);
    return exitCode;
  } catch (thrown) {
    // Hosts may have been changed: this is no matter of usage any more.
    process.stderr.write(`fleetmend: ${cleanText(describeFailure(failureOf(thrown)))}; look at the hosts of ${directory}\n`);
    return EXIT.stuck;
  } finally {
    await journal.close().catch(() => undefined);
  }
}

/** A run whose journal is not whole says so, at once and by its exit code. */
function listenForLoss(journal: Journal): { journal: Journal; complaint: () => Failure | undefined } {
  let failure: Failure | undefined;
  const append = async (entry: JournalEntry): Promise<void> => {
    try {
      await journal.append(entry);
    } catch (thrown) {
      if (failure === undefined) process.stderr.write(`fleetmend: ${cleanText(describeFailure(failureOf(thrown)))}; no further change is begun\n`);
      failure ??= failureOf(thrown);
      throw thrown;
    }
  };
  return { journal: { ...journal, append }, complaint: () => failure };
}

async function show(job: HostWork, results: readonly HostResult[], exitCode: number): Promise<void> {
  const { session, stage, directory } = job;
  if (session.output === 'text') {
    const lines = [`journal: ${directory}`, ...job.next(results)];
    await print(`${showResults(results, createPaint(process.stdout, process.env))}\n${lines.join('\n')}\n`);
  }
  if (session.output === 'json') {
    const { playbook } = session.fleet;
    await print(jsonDocument({ run: session.run, stage, playbook: playbook.name, exitCode, journal: directory, hosts: results }, { withBytes: false }));
  }
}

/** What the reader can do about hosts that have no good end, and about those that were changed. */
export function nextCommands(run: string, results: readonly HostResult[]): string[] {
  // A host without a finding was never planned: a resume has nothing to go on with there.
  const open = results.some(({ outcome, finding }) => outcome === 'stuck' || ((outcome === 'skipped' || outcome === 'unreachable') && finding !== undefined));
  const changed = results.some(({ outcome }) => outcome === 'changed');
  return [
    ...(open ? [`to go on: fleetmend resume ${run}`] : []),
    ...(changed ? [`to take it back: fleetmend undo ${run} (the saved copies stay on the nodes until: fleetmend clean ${run})`] : []),
    `the story of a host: fleetmend show ${run} HOST`,
  ];
}
