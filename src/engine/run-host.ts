/**
 * The loop of one host: fold, decide, act, record. It holds the connection and nothing else; what
 * comes next is decided in core/decide.ts. Never performs an effect whose `began` is not durable.
 */
import type { Catalogue } from '../core/catalogue.js';
import type { Next } from '../core/decide.js';
import { decide, wasTouched } from '../core/decide.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { HostState } from '../core/fold.js';
import { samePlan } from '../core/group-plans.js';
import type { Host } from '../core/host.js';
import type { HostFact, HostPhase } from '../core/journal.js';
import { planHost } from '../core/plan-host.js';
import { outcomeUntouched } from '../core/report.js';
import type { HostPlan } from '../core/plan.js';
import type { Playbook } from '../core/playbook.js';
import type { Connector, WriteSession } from '../core/ports.js';
import { answerQuestions } from './answer-questions.js';
import { Line } from './line.js';
import type { PerformContext } from './perform.js';
import { performStep, reactivateStep, undoStep } from './perform.js';
import { proveOldState } from './prove.js';
import { COME_BACK, FIRST_CONTACT } from './reach.js';
import type { Recorder, RecorderPorts } from './recorder.js';
import { createRecorder } from './recorder.js';

export interface HostRunPorts extends RecorderPorts {
  readonly connector: Connector;
  readonly playbook: Playbook;
  readonly catalogue: Catalogue;
  /** Stop now: the host stays where it is, without an outcome. */
  readonly signal: AbortSignal;
}

/** How often one act is tried over a fresh connection after the connection was lost under it. */
const MAX_ATTEMPTS = 3;

/** Brings one host to its outcome by the plan that was shown. Returns without `finished` only when it was stopped. */
export async function runHost(host: Host, shown: HostPlan, ports: HostRunPorts): Promise<HostState> {
  const recorder = createRecorder(host.name, ports);
  if (shown.steps.length === 0) {
    await recorder.record({ type: 'planned', plan: shown });
    await settle(shown, recorder);
    return recorder.state();
  }
  const line = new Line(host, ports);
  try {
    const plan = await planAgain(host, shown, line, recorder, ports);
    if (plan !== undefined) await followPlan(plan, line, recorder, ports);
  } catch (thrown) {
    if (!ports.signal.aborted) throw thrown;
  } finally {
    await line.drop();
  }
  return recorder.state();
}

/** Finishes a host for which the plan alone says the outcome. */
async function settle(plan: HostPlan, recorder: Recorder): Promise<void> {
  const next = decide(plan, recorder.state());
  if (next.do === 'finish') await recorder.record(finished(next));
}

/** Looks again over the connection that may write: what was shown must still be true. */
async function planAgain(host: Host, shown: HostPlan, line: Line, recorder: Recorder, ports: HostRunPorts): Promise<HostPlan | undefined> {
  recorder.say('connecting', `connecting to ${host.address}`);
  try {
    const session = await line.open(FIRST_CONTACT);
    recorder.say('planning', 'looking again before the first write');
    const fresh = await answerQuestions(planHost(host.name, ports.playbook, ports.catalogue), session, ports.clock);
    const plan = samePlan(shown, fresh) || isFine(fresh) ? fresh : { ...fresh, steps: [], refusal: fresh.refusal ?? MOVED };
    await recorder.record({ type: 'planned', plan });
    return plan;
  } catch (thrown) {
    if (ports.signal.aborted || isFenced(thrown)) throw thrown;
    const failure = failureOf(thrown);
    await recorder.record({ type: 'finished', outcome: outcomeUntouched(failure), failure });
    return undefined;
  }
}

/** Somebody else mended it meanwhile. */
function isFine(plan: HostPlan): boolean {
  return plan.refusal === undefined && plan.steps.length === 0;
}

const MOVED: Failure = { kind: 'drift', summary: 'this host changed since the plan was shown', done: 'nothing was touched', next: 'plan again' };

async function followPlan(plan: HostPlan, line: Line, recorder: Recorder, ports: HostRunPorts): Promise<void> {
  for (;;) {
    ports.signal.throwIfAborted();
    const next = decide(plan, recorder.state());
    switch (next.do) {
      case 'nothing':
        return;
      case 'finish':
        await recorder.record(finished(next));
        break;
      case 'step':
        await forward(next, plan, line, recorder, ports);
        break;
      case 'undo':
      case 'reactivate':
      case 'prove':
        await back(next, plan, line, recorder, ports);
        break;
    }
  }
}

type Forward = Extract<Next, { do: 'step' }>;
type Back = Extract<Next, { do: 'undo' | 'reactivate' | 'prove' }>;

async function forward({ step }: Forward, plan: HostPlan, line: Line, recorder: Recorder, ports: HostRunPorts): Promise<void> {
  const undurable = await recorder.record({ type: 'began', step: step.id });
  if (undurable !== undefined) {
    await recorder.record({ type: 'failed', step: step.id, effect: 'none', failure: undurable });
    return;
  }
  const phase = ({ change: 'changing', activate: 'activating', verify: 'verifying' } as const)[step.phase];
  recorder.say(phase, step.title);
  const context = contextOf(phase, plan, recorder, ports, recorder.state().attempts[step.id] ?? 1);
  try {
    await recorder.record(await performStep(step, await line.open(COME_BACK), context));
  } catch (thrown) {
    if (ports.signal.aborted || isFenced(thrown)) throw thrown;
    await line.drop();
    // The step began and may have happened: it is performed again, as after a crash of the controller.
    if (isLoss(thrown) && context.attempt < MAX_ATTEMPTS && line.canComeBack()) return;
    await recorder.record({ type: 'failed', step: step.id, effect: 'unknown', failure: failureOf(thrown) });
  }
}

async function back(next: Back, plan: HostPlan, line: Line, recorder: Recorder, ports: HostRunPorts): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await recorder.record(await actBack(next, plan, await line.open(COME_BACK), recorder, ports));
      return;
    } catch (thrown) {
      if (ports.signal.aborted || isFenced(thrown)) throw thrown;
      await line.drop();
      if (isLoss(thrown) && attempt < MAX_ATTEMPTS && line.canComeBack()) continue;
      await recorder.record(failedBack(next, failureOf(thrown)));
      return;
    }
  }
}

async function actBack(next: Back, plan: HostPlan, session: WriteSession, recorder: Recorder, ports: HostRunPorts): Promise<HostFact> {
  switch (next.do) {
    case 'undo':
      recorder.say('undoing', `putting ${next.step.edit.path} back`);
      return await undoStep(next.step, session, ports.run);
    case 'reactivate':
      recorder.say('undoing', `again: ${next.step.title}`);
      return await reactivateStep(next.step, session);
    case 'prove':
      recorder.say('proving', 'proving the old state');
      return await proveOldState(plan, recorder.state(), session, contextOf('proving', plan, recorder, ports, 1));
  }
}

function failedBack(next: Back, failure: Failure): HostFact {
  switch (next.do) {
    case 'undo':
      return { type: 'undoFailed', step: next.step.id, failure };
    case 'reactivate':
      return { type: 'reactivateFailed', step: next.step.id, failure };
    case 'prove':
      return { type: 'proved', ok: false, failure };
  }
}

function contextOf(phase: HostPhase, plan: HostPlan, recorder: Recorder, ports: HostRunPorts, attempt: number): PerformContext {
  return {
    run: ports.run, attempt, baseline: plan.baseline, playbook: ports.playbook, catalogue: ports.catalogue,
    clock: ports.clock, signal: ports.signal, say: (text) => { recorder.say(phase, text); },
  };
}

function finished(next: Extract<Next, { do: 'finish' }>): HostFact {
  return { type: 'finished', outcome: next.outcome, ...(next.failure ? { failure: next.failure } : {}) };
}

/** Lost under our hands: nothing is known of what was asked last. */
function isLoss(thrown: unknown): boolean {
  return thrown instanceof FleetmendError && ['connectionLost', 'timeout', 'protocol'].includes(thrown.failure.kind);
}

function isFenced(thrown: unknown): boolean {
  return thrown instanceof FleetmendError && thrown.failure.kind === 'fenced';
}

/** A host that nobody finished: what a report can say of it. */
export function unfinishedFailure(plan: HostPlan | undefined, state: HostState): Failure {
  const touched = plan !== undefined && wasTouched(plan, state);
  return {
    kind: 'interrupted',
    summary: touched ? 'stopped in the middle: this node is between its old and its new state' : 'stopped before anything was touched',
    ...(touched ? { next: 'the saved files are in the state directory on the node: look at it by hand' } : {}),
  };
}
