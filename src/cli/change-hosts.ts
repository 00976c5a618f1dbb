/** What the commands that change hosts have in common: a journal that is listened to, one stage on the screen, results, an exit code. */
import { cleanText } from '../core/clean-text.js';
import type { Holder } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { describeFailure, failureOf } from '../core/failure.js';
import type { JournalEntry, Stage } from '../core/journal.js';
import type { Journal } from '../core/ports.js';
import type { HostResult } from '../core/report.js';
import { EXIT, rolloutExitCode } from '../core/report.js';
import type { FleetEnd, FleetPorts } from '../engine/host-end.js';
import { jsonDocument } from './json-document.js';
import type { Paint } from './paint.js';
import { createPaint } from './paint.js';
import type { Session } from './run-stage.js';
import { print, say } from './outlet.js';
import { detailLines, showResults } from './show-results.js';
import { newHolder } from './who.js';

export interface HostWork {
  readonly stage: Stage;
  readonly session: Session;
  readonly journal: Journal;
  /** Where the run's folder is. */
  readonly directory: string;
  readonly names: readonly string[];
  work(ports: FleetPorts): Promise<FleetEnd>;
  exitCode(results: readonly HostResult[], interrupted: boolean): number;
  /** Closing lines for people: what to do next. */
  next(end: FleetEnd): readonly string[];
}

export async function changeHosts(job: HostWork): Promise<number> {
  const { session, directory } = job;
  const { journal, complaint } = listenForLoss(job.journal, session.say);
  const holder: Holder = newHolder(session.run);
  try {
    const end = await session.stage(job.stage, job.names, (emit) => job.work({ ...session.ports(emit), journal, holder }));
    const said = rolloutExitCode(job.exitCode(end.results, session.interrupts.drain.aborted), end.stop, end.complaints.length);
    const exitCode = complaint() === undefined ? said : Math.max(said, EXIT.failed);
    await show(job, end, exitCode, complaint());
    return exitCode;
  } catch (thrown) {
    // Hosts may have been changed: this is no matter of usage any more.
    say(`fleetmend: ${cleanText(describeFailure(failureOf(thrown)))}; look at the hosts of ${directory}`);
    return EXIT.stuck;
  } finally {
    await journal.close().catch(() => undefined);
  }
}

/** A run whose journal is not whole says so, at once and by its exit code. */
function listenForLoss(journal: Journal, tell: (text: string) => void): { journal: Journal; complaint: () => Failure | undefined } {
  let failure: Failure | undefined;
  const append = async (entry: JournalEntry): Promise<void> => {
    try {
      await journal.append(entry);
    } catch (thrown) {
      if (failure === undefined) tell(`fleetmend: ${cleanText(describeFailure(failureOf(thrown)))}; no further change is begun`);
      failure ??= failureOf(thrown);
      throw thrown;
    }
  };
  return { journal: { ...journal, append }, complaint: () => failure };
}

async function show(job: HostWork, end: FleetEnd, exitCode: number, lost: Failure | undefined): Promise<void> {
  const { session, stage, directory } = job;
  const { results, stop, complaints } = end;
  if (session.output === 'text') {
    const paint = createPaint(process.stdout, process.env);
    const lines = [...endLines(end, paint), `journal: ${directory}`, ...(lost === undefined ? job.next(end) : [NOT_WHOLE])];
    await print(`${showResults(results, paint)}\n${lines.join('\n')}\n`);
  }
  if (session.output === 'json') {
    const { playbook } = session.fleet;
    await print(jsonDocument({ run: session.run, stage, playbook: playbook.name, exitCode, journal: directory, stopped: stop, complaints, hosts: results }, { withBytes: false }));
  }
}

/** Why the rollout did not go to its end, and what its commands complained of. */
function endLines({ stop, complaints }: FleetEnd, paint: Paint): string[] {
  return [
    ...(stop === undefined ? [] : [paint('red', `stopped: ${cleanText(stop.summary)}`)]),
    ...complaints.flatMap((failure) => [...(stop?.summary.includes(failure.summary) === true ? [] : [paint('red', cleanText(describeFailure(failure)))]), ...(failure.detail === undefined ? [] : detailLines(failure, paint))]),
  ];
}

/** What it does not know, no command may go by. */
const NOT_WHOLE = 'the journal of this run is not whole: no command that goes on with it, or takes it back, is named here; look at the hosts yourself';
