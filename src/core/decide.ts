/**
 * The rule of a host: what comes next, from the plan and the state alone.
 *
 *              arm the guard, then step by step       all done: disarm over a new connection
 *   forward ---------------------------------> forward -------------------------------------> changed
 *      | failed, asked for, or the guard fired
 *      v
 *   undo touched changes, in reverse -> reactivate, forwards -> prove --ok--> disarm -> restored
 *      |                                                            \--not--> stuck (the guard stays armed)
 *      \-- nothing was touched -----------------------------------> disarm -> refused
 *
 * Never acts, never waits, never looks at anything but its two arguments.
 */
import { forPeople } from './duration-text.js';
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
  /** Nothing goes forwards without a guard that ends it if we cannot; a way back is given one where that can be. */
  | { readonly do: 'arm'; readonly deadlineMs: number }
  | { readonly do: 'disarm' }
  | { readonly do: 'finish'; readonly outcome: Outcome; readonly failure?: Failure }
  | { readonly do: 'nothing' };

export function decide(plan: HostPlan, state: HostState): Next {
  if (state.finished !== undefined) return { do: 'nothing' };
  if (state.direction === 'back') return decideBack(plan, state);
  if (plan.refusal !== undefined) return leaveUntouched(state, { do: 'finish', outcome: 'refused', failure: plan.refusal });
  if (plan.steps.length === 0) return leaveUntouched(state, { do: 'finish', outcome: 'compliant' });
  const step = plan.steps.find((candidate) => stateOf(state, candidate) !== 'done');
  if (step !== undefined) return arming(plan, state) ?? { do: 'step', step };
  if (mayBeArmed(state)) return { do: 'disarm' };
  return state.guard === 'left' ? { do: 'finish', outcome: 'stuck', failure: notConfirmed(plan) } : { do: 'finish', outcome: 'changed' };
}

function decideBack(plan: HostPlan, state: HostState): Next {
  const failure = state.cause?.failure;
  // A guard that fired has acted on the node, whatever it found to do.
  if (!wasTouched(plan, state) && state.guard !== 'fired') {
    return leaveUntouched(state, { do: 'finish', outcome: 'refused', ...(failure ? { failure: { ...failure, done: 'nothing was touched' } } : {}) });
  }
  return wayBack(plan, state) ?? endOfWayBack(plan, state);
}

/** A host that we did not touch is not left with a guard that may restart its service, whoever changed what by then. */
function leaveUntouched(state: HostState, finish: Next): Next {
  if (mayBeArmed(state)) return { do: 'disarm' };
  return state.guard === 'left' ? { do: 'finish', outcome: 'stuck', failure: GUARD_LEFT } : finish;
}

const GUARD_LEFT: Failure = {
  kind: 'guardFired',
  summary: 'nothing was changed here, but the guard of this run is armed and could not be told to stand down',
  done: 'it restarts the service if somebody else has restarted it by then',
  next: 'resume the run',
};

function wayBack(plan: HostPlan, state: HostState): Next | undefined {
  const toUndo = plan.steps.findLast((step) => step.phase === 'change' && needsUndo(stateOf(state, step)));
  if (toUndo?.phase === 'change') return arming(plan, state) ?? { do: 'undo', step: toUndo };
  const toRepeat = dueActivations(plan, state).find((step) => state.reactivated[step.id] === undefined);
  if (toRepeat !== undefined) return arming(plan, state) ?? { do: 'reactivate', step: toRepeat };
  return state.proved === undefined ? { do: 'prove' } : undefined;
}

function endOfWayBack(plan: HostPlan, state: HostState): Next {
  // A guard that is still armed may bring about what we could not: it is left to.
  if (state.backFailures.length > 0) return { do: 'finish', outcome: 'stuck', failure: stuckFailure(plan, state) };
  if (mayBeArmed(state)) return { do: 'disarm' };
  const failure = state.cause?.failure;
  const done = [state.guard === 'fired' ? 'the guard had put the old state back by itself' : '', state.proved?.detail ?? ''].filter((part) => part !== '').join('; ');
  return { do: 'finish', outcome: 'restored', ...(failure ? { failure: { ...failure, done } } : {}) };
}

function arming(plan: HostPlan, state: HostState): Next | undefined {
  const isNeeded = state.guard === undefined || state.guard === 'unsure' || state.guard === 'disarmed';
  if (plan.guard === undefined || !isNeeded) return undefined;
  return { do: 'arm', deadlineMs: plan.guard.deadlineMs };
}

/** As far as we know, the guard on the node may still fire. */
export function mayBeArmed(state: HostState): boolean {
  return state.guard === 'armed' || state.guard === 'unsure' || state.guard === 'doubtful';
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

function stuckFailure(plan: HostPlan, state: HostState): Failure {
  const cause = state.cause?.failure;
  const wrong = wrongOnTheWayBack(state.backFailures, cause).join('; ');
  const target = [cause, ...state.backFailures].find((failure) => failure?.target !== undefined)?.target;
  return {
    kind: cause?.kind ?? 'notProved',
    summary: cause ? `${cause.summary}; then the way back failed: ${wrong}` : wrong,
    done: `neither the new nor the old state is proved${mayBeArmed(state) || state.guard === 'left' ? guardAtWork(plan) : ''}`,
    next: 'look at this node; then resume the run, which tries the way back again',
    ...(target === undefined ? {} : { target }),
  };
}

/** Each reason once: what keeps all steps of the way back from the node is one reason. */
function wrongOnTheWayBack(failures: readonly Failure[], cause: Failure | undefined): string[] {
  const said = [...new Set(failures.map(({ summary }) => summary))];
  return said.map((summary) => (summary === cause?.summary ? 'the same again' : summary));
}

function notConfirmed(plan: HostPlan): Failure {
  return {
    kind: 'guardFired',
    summary: 'the new state was proved, but the guard could not be told so over a new connection',
    done: `nobody knows how this node ends${guardAtWork(plan)}`,
    next: 'resume the run: it finds out and proves it',
  };
}

function guardAtWork(plan: HostPlan): string {
  const deadline = plan.guard === undefined ? '' : ` within ${forPeople(plan.guard.deadlineMs)} of the last sign of life`;
  return `; the guard on the node puts the old state back${deadline}`;
}
