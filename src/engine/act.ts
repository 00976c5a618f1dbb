/**
 * The loop of one host: fold, decide, act, record. It holds the connection and nothing else; what comes next is decided
 * in core/decide.ts. Never performs an effect whose `began` is not durable.
 */
import type { Catalogue } from '../core/catalogue.js';
import type { Next } from '../core/decide.js';
import { decide, mayBeArmed } from '../core/decide.js';
import type { Holder } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { HostFact, HostPhase } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { Playbook } from '../core/playbook.js';
import type { Connector, WriteSession } from '../core/ports.js';
import { ask } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import { armGuard, disarmGuard, firedFact } from './guard.js';
import type { Line } from './line.js';
import type { PerformContext } from './perform.js';
import { performStep, reactivateStep, undoStep } from './perform.js';
import { proveOldState } from './prove.js';
import { COME_BACK } from './reach.js';
import type { Recorder, RecorderPorts } from './recorder.js';

export interface ActPorts extends RecorderPorts {
  readonly connector: Connector;
  readonly playbook: Playbook;
  readonly catalogue: Catalogue;
  /** In whose name the nodes are locked. */
  readonly holder: Holder;
  /** Stop now: the host stays where it is, without an outcome. */
  readonly signal: AbortSignal;
  /** No new host is begun once this is aborted. */
  readonly drain?: AbortSignal;
}

/** How often one act is tried over a fresh connection after the connection was lost under it. */
const MAX_ATTEMPTS = 3;
const AGAIN_AFTER_MS = 1_000;

export async function followPlan(plan: HostPlan, line: Line, recorder: Recorder, ports: ActPorts): Promise<void> {
  for (;;) {
    ports.signal.throwIfAborted();
    const next = decide(plan, recorder.state());
    switch (next.do) {
      case 'nothing':
        return;
      case 'finish':
        // First given free, then said to be done: a death between the two is taken up again and leaves no lock behind.
        if (next.outcome !== 'stuck') await line.release();
        await recorder.record(finishedFact(next));
        break;
      case 'step':
        await forward(next, plan, line, recorder, ports);
        break;
      case 'arm':
      case 'disarm':
      case 'undo':
      case 'reactivate':
      case 'prove':
        await repeatable(next, plan, line, recorder, ports);
        break;
    }
  }
}

/** Ends a guard before it is known whether there is one. */
export async function standDown(plan: HostPlan, line: Line, recorder: Recorder, ports: ActPorts): Promise<void> {
  await repeatable({ do: 'disarm' }, plan, line, recorder, ports);
}

export function finishedFact(next: Extract<Next, { do: 'finish' }>): HostFact {
  return { type: 'finished', outcome: next.outcome, ...(next.failure ? { failure: next.failure } : {}) };
}

type Forward = Extract<Next, { do: 'step' }>;
/** Acts that may simply be done once more over a fresh connection. */
type Repeatable = Extract<Next, { do: 'arm' | 'disarm' | 'undo' | 'reactivate' | 'prove' }>;

async function forward({ step }: Forward, plan: HostPlan, line: Line, recorder: Recorder, ports: ActPorts): Promise<void> {
  const undurable = await recorder.record({ type: 'began', step: step.id });
  if (undurable !== undefined) {
    await recorder.record({ type: 'failed', step: step.id, effect: 'none', failure: undurable });
    return;
  }
  const phase = ({ change: 'changing', activate: 'activating', verify: 'verifying' } as const)[step.phase];
  recorder.say(phase, step.title);
  const context = contextOf(phase, plan, recorder, ports, recorder.state().attempts[step.id] ?? 1);
  try {
    const session = await line.open(COME_BACK);
    await write(await explained(await performStep(step, session, context), plan, session, recorder, context), line, recorder);
  } catch (thrown) {
    if (ports.signal.aborted || isFenced(thrown)) throw thrown;
    await line.drop();
    // The step began and may have happened: it is performed again, as after a crash of the controller.
    if (isLoss(thrown) && context.attempt < MAX_ATTEMPTS && line.canComeBack()) return;
    await recorder.record({ type: 'failed', step: step.id, effect: 'unknown', failure: failureOf(thrown) });
  }
}

/**
 * What is written down of an act. A failure on a node whose guard has fired meanwhile is a consequence of that; one
 * that another process of this run brought about is not ours to write down.
 */
async function explained(fact: HostFact, plan: HostPlan, session: WriteSession, recorder: Recorder, context: PerformContext): Promise<HostFact> {
  const failure = 'failure' in fact ? fact.failure : undefined;
  if (failure === undefined && fact.type !== 'otherLife') return fact;
  const fired = mayBeArmed(recorder.state()) ? await firedFact(plan, session, context) : undefined;
  if (fired !== undefined || failure === undefined) return fired ?? fact;
  if (failure.kind === 'fenced' || (failure.kind === 'locked' && (await isTakenOver(session, context)))) throw new FleetmendError({ ...failure, kind: 'fenced' });
  return fact;
}

/** The lock is our run's, but another process holds it now. */
async function isTakenOver(session: WriteSession, { holder, clock }: PerformContext): Promise<boolean> {
  const [lock] = await answerQuestions(ask({ ask: 'lock' } as const), session, clock);
  return lock.ok && lock.value.held && lock.value.run === holder.run && lock.value.session !== holder.session;
}

async function write(fact: HostFact, line: Line, recorder: Recorder): Promise<void> {
  await recorder.record(fact);
  // A guard that fired has taken the place of the visits before it.
  if (fact.type === 'guardFired') await line.drop();
}

async function repeatable(next: Repeatable, plan: HostPlan, line: Line, recorder: Recorder, ports: ActPorts): Promise<void> {
  // The proof counts only if the node can still be reached anew: sshd and the network are part of it.
  if (next.do === 'disarm' && recorder.state().direction === 'forward') await line.drop();
  for (let attempt = 1; ; attempt++) {
    try {
      const session = await line.open(COME_BACK);
      const fact = await actOnce(next, plan, session, recorder, ports);
      await write(await explained(fact, plan, session, recorder, contextOf('undoing', plan, recorder, ports, 1)), line, recorder);
      return;
    } catch (thrown) {
      if (ports.signal.aborted || isFenced(thrown)) throw thrown;
      await line.drop();
      if (!(next.do === 'disarm' || isLoss(thrown)) || attempt >= MAX_ATTEMPTS || !line.canComeBack()) {
        await recorder.record(failedFact(next, failureOf(thrown)));
        return;
      }
      await ports.clock.sleep(AGAIN_AFTER_MS, ports.signal);
    }
  }
}

async function actOnce(next: Repeatable, plan: HostPlan, session: WriteSession, recorder: Recorder, ports: ActPorts): Promise<HostFact> {
  switch (next.do) {
    case 'arm':
      recorder.say('guarding', 'arming the guard');
      return await armGuard(plan, next.deadlineMs, session, contextOf('guarding', plan, recorder, ports, 1));
    case 'disarm':
      recorder.say('confirming', 'telling the guard that all is well');
      return await disarmGuard(plan, session, contextOf('confirming', plan, recorder, ports, 1));
    case 'undo':
      recorder.say('undoing', `putting ${next.step.edit.path} back`);
      return await undoStep(plan, next.step, session, ports.run, recorder.state().asked?.foreign ?? 'refuse');
    case 'reactivate':
      recorder.say('undoing', `again: ${next.step.title}`);
      return await reactivateStep(next.step, session, ports.run);
    case 'prove':
      recorder.say('proving', 'proving the old state');
      return await proveOldState(plan, recorder.state(), session, contextOf('proving', plan, recorder, ports, 1));
  }
}

function failedFact(next: Repeatable, failure: Failure): HostFact {
  switch (next.do) {
    case 'arm':
      return { type: 'armFailed', effect: 'unknown', failure };
    case 'disarm':
      return { type: 'disarmFailed', failure };
    case 'undo':
      return { type: 'undoFailed', step: next.step.id, failure };
    case 'reactivate':
      return { type: 'reactivateFailed', step: next.step.id, failure };
    case 'prove':
      return { type: 'proved', ok: false, failure };
  }
}

function contextOf(phase: HostPhase, plan: HostPlan, recorder: Recorder, ports: ActPorts, attempt: number): PerformContext {
  return {
    run: ports.run, holder: ports.holder, way: plan.guard === undefined ? 'unguarded' : 'guarded', attempt, baseline: plan.baseline,
    playbook: ports.playbook, catalogue: ports.catalogue, clock: ports.clock, signal: ports.signal,
    say: (text) => { recorder.say(phase, text); },
  };
}

/** Lost under our hands: nothing is known of what was asked last. */
function isLoss(thrown: unknown): boolean {
  return thrown instanceof FleetmendError && ['connectionLost', 'jumpHost', 'timeout', 'protocol'].includes(thrown.failure.kind);
}

export function isFenced(thrown: unknown): boolean {
  return thrown instanceof FleetmendError && thrown.failure.kind === 'fenced';
}
