/**
 * The life of one host within a run: a fresh one, one that is taken up again, and one that a person wants undone. Each
 * ends in the same loop of fold, decide, act, record. Never performs an effect whose `began` is not durable.
 */
import { decide, wasTouched } from '../core/decide.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { HostState } from '../core/fold.js';
import type { Host } from '../core/host.js';
import { movedFailure, movedKey } from '../core/moved.js';
import { withHostKey } from '../core/observed.js';
import { planHost } from '../core/plan-host.js';
import { outcomeUntouched } from '../core/report.js';
import { isInTheMiddle } from '../core/run-state.js';
import type { HostPlan } from '../core/plan.js';
import type { WriteSession } from '../core/ports.js';
import type { ActPorts } from './act.js';
import { followPlan, finishedFact, isFenced, standDown } from './act.js';
import { answerQuestions } from './answer-questions.js';
import { Line } from './line.js';
import { foreignFiles, hasOtherCommandLine } from './prove.js';
import { onceMore } from './once-more.js';
import type { Patience } from './reach.js';
import { COME_BACK, FIRST_CONTACT, TAKE_UP } from './reach.js';
import type { Recorder } from './recorder.js';
import { createRecorder } from './recorder.js';

export type HostRunPorts = ActPorts;

/** Brings one host to its outcome by the plan that was shown. Returns without `finished` only when it was stopped. */
export async function runHost(host: Host, shown: HostPlan, ports: HostRunPorts): Promise<HostState> {
  const recorder = createRecorder(host.name, ports);
  if (shown.steps.length === 0) return await settle(shown, recorder);
  return await onLine(host, recorder, ports, async (line) => {
    const plan = await planAgain(host, shown, line, recorder, ports);
    if (plan !== undefined) await followPlan(plan, line, recorder, ports);
  });
}

/**
 * Goes on with a host from where its journal left it: forwards, or back. One that was not touched is planned anew. One in the
 * middle that cannot be reached or is held by others now stays where it is: `unreached` says why.
 */
export async function resumeHost(host: Host, shown: HostPlan, before: HostState, ports: HostRunPorts): Promise<{ state: HostState; unreached?: Failure }> {
  const recorder = createRecorder(host.name, ports, before);
  if (shown.steps.length === 0) return { state: await settle(shown, recorder) };
  let unreached: Failure | undefined;
  const after = await onLine(host, recorder, ports, async (line) => {
    await recorder.record({ type: 'resumed', by: ports.holder.who });
    const { plan } = recorder.state();
    if (plan === undefined || !wasTouched(plan, recorder.state())) {
      await resumeUntouched(host, shown, line, recorder, ports);
      return;
    }
    unreached = await failureToOpen(line, COME_BACK, ports);
    if (unreached === undefined) await followPlan(plan, line, recorder, ports);
  });
  return { state: after, ...(unreached ? { unreached } : {}) };
}

/** A guard that the process before may have armed has nothing to guard: it is told so before anything else. */
async function resumeUntouched(host: Host, shown: HostPlan, line: Line, recorder: Recorder, ports: HostRunPorts): Promise<void> {
  const { plan } = recorder.state();
  if (plan?.guard !== undefined && (await failureToOpen(line, TAKE_UP, ports)) === undefined) await standDown(plan, line, recorder, ports);
  if (plan !== undefined && recorder.state().direction === 'back') {
    await followPlan(plan, line, recorder, ports);
    return;
  }
  const fresh = await planAgain(host, shown, line, recorder, ports);
  if (fresh !== undefined) await followPlan(fresh, line, recorder, ports);
}

async function failureToOpen(line: Line, patience: Patience, ports: HostRunPorts): Promise<Failure | undefined> {
  try {
    await line.open(patience);
    return undefined;
  } catch (thrown) {
    if (ports.signal.aborted || isFenced(thrown)) throw thrown;
    return failureOf(thrown);
  }
}

/** What came of an undo that was not begun: nothing was written down, and the host is what it was. */
export interface UndoRefusal {
  readonly refused: Failure;
}

/**
 * Brings a host back that was changed and proved and is no longer well. Where somebody else changed its files since, they are
 * left to people: the host is stuck.
 */
export async function turnBackHost(host: Host, before: HostState, why: Failure, ports: HostRunPorts): Promise<HostState> {
  const { plan } = before;
  const recorder = createRecorder(host.name, ports, before);
  return await onLine(host, recorder, ports, async (line) => {
    if (plan === undefined) return;
    recorder.say('connecting', `connecting to ${host.address}`);
    const refused = await refuseUndo(plan, before, 'refuse', line, ports);
    await recorder.record({ type: 'notWell', failure: why });
    if (refused === undefined) await followPlan(plan, line, recorder, ports);
    else await recorder.record({ type: 'finished', outcome: 'stuck', failure: { ...why, done: `not brought back: ${refused.summary}`, ...(refused.next ? { next: refused.next } : {}), ...(refused.target ? { target: refused.target } : {}) } });
  });
}

/** Brings a host back to its old state because a person wants it. A file that others changed since is refused, or kept aside. */
export async function undoHost(host: Host, before: HostState, foreign: 'refuse' | 'save', ports: HostRunPorts): Promise<HostState | UndoRefusal> {
  const { plan } = before;
  const recorder = createRecorder(host.name, ports, before);
  let refused: Failure | undefined;
  const after = await onLine(host, recorder, ports, async (line) => {
    if (plan === undefined) return;
    recorder.say('connecting', `connecting to ${host.address}`);
    refused = await refuseUndo(plan, before, foreign, line, ports);
    if (refused !== undefined) return;
    const undurable = await recorder.record({ type: 'undoAsked', by: ports.holder.who, foreign });
    // Nothing is begun that is not on disk; a node in the middle is brought back all the same.
    if (undurable !== undefined && !isInTheMiddle(before)) {
      refused = { ...undurable, done: 'nothing was touched' };
      return;
    }
    await followPlan(plan, line, recorder, ports);
  });
  return refused === undefined ? after : { refused };
}

async function refuseUndo(plan: HostPlan, before: HostState, foreign: 'refuse' | 'save', line: Line, ports: HostRunPorts): Promise<Failure | undefined> {
  try {
    return await readFirst(line, ports, async (session) => {
      if (foreign === 'save') return undefined;
      const changed = await foreignFiles(plan, before, session, ports.clock);
      if (changed.length > 0) {
        return refusedUndo(`changed by someone else since this run: ${changed.join(', ')}`, 'look at it; `--force` puts the old file back all the same and keeps the present one beside the saved copies on the node');
      }
      if (before.finished?.outcome !== 'changed' || !(await hasOtherCommandLine(plan, session, ports.clock))) return undefined;
      return refusedUndo('the service runs with another command line than this run left it with', 'look at what changed since; `--force` puts the files of this run back all the same');
    });
  } catch (thrown) {
    if (ports.signal.aborted || isFenced(thrown)) throw thrown;
    return failureOf(thrown);
  }
}

/** What is read over the writing line before anything is touched. The line stays open. */
async function readFirst<T>(line: Line, ports: HostRunPorts, work: (session: WriteSession) => Promise<T>): Promise<T> {
  return await onceMore({ open: () => line.open(FIRST_CONTACT), work, close: () => line.drop() }, ports);
}

function refusedUndo(summary: string, next: string): Failure {
  return { kind: 'drift', summary, done: 'nothing was touched', next };
}

/** Runs `work` with the host's line; gives the node free unless it is stuck or in the middle. */
async function onLine(host: Host, recorder: Recorder, ports: HostRunPorts, work: (line: Line) => Promise<void>): Promise<HostState> {
  const line = new Line(host, ports);
  try {
    await work(line);
    if (mayRelease(recorder.state())) await line.release();
  } catch (thrown) {
    if (!ports.signal.aborted) throw thrown;
  } finally {
    await line.drop();
  }
  return recorder.state();
}

/** The lock of a host that nobody could bring to an end tells the next operator so. */
function mayRelease({ finished }: HostState): boolean {
  return finished !== undefined && finished.outcome !== 'stuck';
}

/** Finishes a host for which the plan alone says the outcome: it is not connected to. */
async function settle(plan: HostPlan, recorder: Recorder): Promise<HostState> {
  await recorder.record({ type: 'planned', plan });
  const next = decide(plan, recorder.state());
  if (next.do === 'finish') await recorder.record(finishedFact(next));
  return recorder.state();
}

/** Looks again over the connection that may write: what was shown must still be true. */
async function planAgain(host: Host, shown: HostPlan, line: Line, recorder: Recorder, ports: HostRunPorts): Promise<HostPlan | undefined> {
  recorder.say('connecting', `connecting to ${host.address}`);
  try {
    const plan = await readFirst(line, ports, (session) => freshPlan(host, shown, session, recorder, ports));
    const undurable = await recorder.record({ type: 'planned', plan });
    if (undurable !== undefined) throw new FleetmendError(undurable);
    return plan;
  } catch (thrown) {
    if (ports.signal.aborted || isFenced(thrown)) throw thrown;
    const failure = failureOf(thrown);
    await recorder.record({ type: 'finished', outcome: outcomeUntouched(failure), failure });
    return undefined;
  }
}

/** Without steps unless all that the shown plan rests on is still so. */
async function freshPlan(host: Host, shown: HostPlan, session: WriteSession, recorder: Recorder, ports: HostRunPorts): Promise<HostPlan> {
  const otherKey = movedKey(shown.observed?.hostKey, session.hostKey);
  if (otherKey !== undefined) return { ...shown, steps: [], refusal: otherKey };
  recorder.say('planning', 'looking again before the first write');
  const seen = await answerQuestions(planHost(host.name, ports.playbook, ports.catalogue, ports.run), session, ports.clock);
  const fresh = withHostKey(seen, session.hostKey);
  const refusal = movedFailure(shown, fresh);
  return refusal === undefined ? fresh : { ...fresh, steps: [], refusal };
}

/** A host that nobody finished: what a report can say of it. */
export function unfinishedFailure(plan: HostPlan | undefined, state: HostState): Failure {
  const touched = plan !== undefined && wasTouched(plan, state);
  if (!touched) return { kind: 'interrupted', summary: 'stopped before anything was touched' };
  return {
    kind: 'interrupted',
    summary: 'stopped in the middle: this node is between its old and its new state',
    ...(state.guard === 'armed' ? { done: 'the guard on the node puts the old state back by itself' } : {}),
    next: 'resume the run',
  };
}
