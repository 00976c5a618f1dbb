/**
 * The rule of a host: what comes next, from the plan and the state alone.
 *
 *              step ok                      all steps done, the audit among them
 *   forward ------------> forward ------------------------------------------------> changed
 *      | failed (or recalled)
 *      v
 *   undo touched changes, in reverse -> reactivate, forwards -> prove --ok--> restored
 *      |                                                            \--not--> stuck
 *      \-- nothing was touched ------------------------------------------------> refused
 *
 * Never acts, never waits, never looks at anything but its two arguments.
 */
import type { Failure } from './failure.js';
import type { HostState, StepState } from './fold.js';
import type { Outcome } from './journal.js';
import type { HostPlan, PlannedStep } from './plan.js';

export type ChangeStep = Extract<PlannedStep, { phase: 'change' }>;
export type ActivateStep = Extract<PlannedStep, { phase: 'activate' }>;

export type Next =
  | { readonly do: 'step'; readonly step: PlannedStep }
  | { readonly do: 'undo'; readonly step: ChangeStep }
  | { readonly do: 'reactivate'; readonly step: ActivateStep }
  | { readonly do: 'prove' }
  | { readonly do: 'finish'; readonly outcome: Outcome; readonly failure?: Failure }
  | { readonly do: 'nothing' };

export function decide(plan: HostPlan, state: HostState): Next {
  if (state.finished !== undefined) return { do: 'nothing' };
  if (plan.refusal !== undefined) return { do: 'finish', outcome: 'refused', failure: plan.refusal };
  if (state.direction === 'back') return decideBack(plan, state);
  if (plan.steps.length === 0) return { do: 'finish', outcome: 'compliant' };
  const step = plan.steps.find((candidate) => stateOf(state, candidate) !== 'done');
  return step !== undefined ? { do: 'step', step } : { do: 'finish', outcome: 'changed' };
}

function decideBack(plan: HostPlan, state: HostState): Next {
  const failure = state.cause?.failure;
  if (!wasTouched(plan, state)) {
    return { do: 'finish', outcome: 'refused', ...(failure ? { failure: { ...failure, done: 'nothing was touched' } } : {}) };
  }
  const toUndo = plan.steps.findLast((step) => step.phase === 'change' && needsUndo(stateOf(state, step)));
  if (toUndo?.phase === 'change') return { do: 'undo', step: toUndo };
  const toRepeat = dueActivations(plan, state).find((step) => state.reactivated[step.id] === undefined);
  if (toRepeat !== undefined) return { do: 'reactivate', step: toRepeat };
  if (state.proved === undefined) return { do: 'prove' };
  if (state.backFailures.length === 0) {
    return { do: 'finish', outcome: 'restored', ...(failure ? { failure: { ...failure, done: state.proved.detail } } : {}) };
  }
  return { do: 'finish', outcome: 'stuck', failure: stuckFailure(state) };
}

/** Activations to repeat after an undo: those that may have run, and those that a restored file asks for. */
export function dueActivations(plan: HostPlan, state: HostState): ActivateStep[] {
  const touched = new Set(plan.steps.filter((step) => isTouched(stateOf(state, step))).map((step) => step.id));
  return plan.steps
    .filter((step): step is ActivateStep => step.phase === 'activate')
    .filter((step) => touched.has(step.id) || step.afterUndoOf.some((id) => touched.has(id)));
}

/** May anything on the node differ because of us? Checks never touch. */
export function wasTouched(plan: HostPlan, state: HostState): boolean {
  return plan.steps.some((step) => step.phase !== 'verify' && isTouched(stateOf(state, step)));
}

function stateOf(state: HostState, step: PlannedStep): StepState {
  return state.steps[step.id] ?? 'untouched';
}

function isTouched(step: StepState): boolean {
  return step !== 'untouched';
}

function needsUndo(step: StepState): boolean {
  return step === 'began' || step === 'done' || step === 'failed';
}

function stuckFailure(state: HostState): Failure {
  const cause = state.cause?.failure;
  const wrong = state.backFailures.map((failure) => failure.summary).join('; ');
  return {
    kind: cause?.kind ?? 'notProved',
    summary: cause ? `${cause.summary}; then the way back failed: ${wrong}` : wrong,
    done: 'neither the new nor the old state is proved',
    next: 'look at this node by hand',
  };
}
