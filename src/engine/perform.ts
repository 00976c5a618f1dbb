/** Carries out one planned step, forwards or back, and says as a fact what came of it. The only caller of `WriteSession.perform`. */
import type { ActivateStep, ChangeStep } from '../core/decide.js';
import type { EffectResult, Holder, Way } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { restoreOf } from '../core/guard.js';
import type { HostFact } from '../core/journal.js';
import type { Baseline, HostPlan, PlannedStep } from '../core/plan.js';
import type { WriteSession } from '../core/ports.js';
import { ask } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import { failureFrom } from './effect-failure.js';
import type { VerifyPorts } from './verify.js';
import { verify } from './verify.js';

export interface PerformContext extends VerifyPorts {
  readonly run: string;
  readonly holder: Holder;
  /** Forwards: whether the plan asks for a guard. */
  readonly way: Exclude<Way, 'back'>;
  /** Of this step, this one included. */
  readonly attempt: number;
  readonly baseline: Baseline | undefined;
}

/** `resetFailed` clears the start limit; it is quick. */
const RESET_TIMEOUT_MS = 30_000;

export async function performStep(step: PlannedStep, session: WriteSession, context: PerformContext): Promise<HostFact> {
  switch (step.phase) {
    case 'change':
      return factOf(step, await session.perform({ do: 'edit', run: context.run, way: context.way, edit: step.edit }));
    case 'activate':
      return await activate(step, session, context);
    case 'verify': {
      const result = await verify(step.check, session, context);
      return result.ok
        ? { type: 'done', step: step.id, detail: result.detail }
        : { type: 'failed', step: step.id, effect: 'none', failure: at(step, result.failure) };
    }
  }
}

/** Says which step it was. */
function at(step: PlannedStep, failure: Failure): Failure {
  return { ...failure, summary: `${step.title}: ${failure.summary}` };
}

async function activate(step: ActivateStep, session: WriteSession, context: PerformContext): Promise<HostFact> {
  if (step.activation.do === 'restart' && context.attempt > 1 && (await wasRestarted(step.activation.unit, session, context))) {
    return { type: 'done', step: step.id, detail: 'the restart had happened before the connection was lost' };
  }
  const moved = step.activation.do === 'restart' ? await otherLife(step.activation.unit, session, context) : undefined;
  if (moved !== undefined) return { type: 'failed', step: step.id, effect: 'none', failure: at(step, moved) };
  if (step.before !== undefined) {
    const before = await verify(step.before, session, context);
    if (!before.ok) return { type: 'failed', step: step.id, effect: 'none', failure: at(step, before.failure) };
  }
  return factOf(step, await session.perform({ ...step.activation, run: context.run, way: context.way }));
}

/** Is the service in another life than before this run? Then the one restart is behind us. */
async function wasRestarted(unit: string, session: WriteSession, context: PerformContext): Promise<boolean> {
  const [answer] = await answerQuestions(ask({ ask: 'unit', unit } as const), session, context.clock);
  if (!answer.ok || context.baseline === undefined) return false;
  const now = answer.value.properties['InvocationID'] ?? '';
  return now !== '' && now !== context.baseline.invocationId;
}

/** A service that was stopped, or restarted by others, since it was looked at is not the one whose restart was planned. */
async function otherLife(unit: string, session: WriteSession, context: PerformContext): Promise<Failure | undefined> {
  if (context.attempt > 1 || context.baseline === undefined) return undefined;
  const [answer] = await answerQuestions(ask({ ask: 'unit', unit } as const), session, context.clock);
  if (!answer.ok) return { kind: 'unhealthy', summary: `${unit} could not be looked at: ${answer.detail}` };
  const { ActiveState = '', InvocationID = '' } = answer.value.properties;
  if (ActiveState === 'active' && InvocationID === context.baseline.invocationId) return undefined;
  return { kind: 'drift', summary: `${unit} was ${ActiveState === 'active' ? 'restarted' : 'stopped'} by someone else meanwhile` };
}

/** `foreign`: what to do with a content that is neither old nor ours. */
export async function undoStep(plan: HostPlan, step: ChangeStep, session: WriteSession, run: string, foreign: 'refuse' | 'save'): Promise<HostFact> {
  const result = await session.perform({ do: 'restore', run, foreign, ...restoreOf(plan, step) });
  if (result.ok) return { type: 'undone', step: step.id, happened: result.happened };
  return { type: 'undoFailed', step: step.id, failure: failureFrom(`undo: ${step.title}`, result) };
}

/** The same activation again, forwards. A restart first forgets the start limit that a dying service has used up. */
export async function reactivateStep(step: ActivateStep, session: WriteSession, run: string): Promise<HostFact> {
  const { activation } = step;
  if (activation.do === 'restart') {
    // When it fails, the restart says whether that matters.
    await session.perform({ do: 'resetFailed', run, way: 'back', unit: activation.unit, timeoutMs: RESET_TIMEOUT_MS });
  }
  const result = await session.perform({ ...activation, run, way: 'back' });
  if (!result.ok) return { type: 'reactivateFailed', step: step.id, failure: failureFrom(`again: ${step.title}`, result) };
  return { type: 'reactivated', step: step.id };
}

function factOf(step: PlannedStep, result: EffectResult): HostFact {
  if (result.ok) return { type: 'done', step: step.id, detail: result.happened === 'already' ? 'was done already' : (result.detail ?? '') };
  return { type: 'failed', step: step.id, effect: result.effect, failure: failureFrom(step.title, result) };
}
