/**
 * What a host's journal means. The position of a host is nothing but this fold, so a fresh run, a
 * resumed run, an undo and a report all see the same state. Never looks at a node or a clock.
 */
import type { Failure } from './failure.js';
import type { HostFact, Outcome } from './journal.js';
import type { HostPlan } from './plan.js';

/** `began` and `failed` both mean: the effect may have happened. */
export type StepState = 'untouched' | 'began' | 'done' | 'failed' | 'undone' | 'undoFailed';

export interface HostState {
  readonly plan?: HostPlan;
  readonly direction: 'forward' | 'back';
  readonly steps: Readonly<Record<string, StepState>>;
  /** How often each step began; more than once after a lost connection or a resume. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly reactivated: Readonly<Record<string, 'done' | 'failed'>>;
  /** What turned the direction, and the step at which it happened. */
  readonly cause?: { readonly step?: string; readonly failure: Failure };
  /** Everything that went wrong on the way back. */
  readonly backFailures: readonly Failure[];
  readonly proved?: { readonly ok: boolean; readonly detail: string };
  readonly finished?: { readonly outcome: Outcome; readonly failure?: Failure };
  /** Number of entries seen; the next entry takes this plus one. */
  readonly entries: number;
}

export const NEW_HOST: HostState = {
  direction: 'forward', steps: {}, attempts: {}, reactivated: {}, backFailures: [], entries: 0,
};

export function fold(facts: readonly HostFact[]): HostState {
  return facts.reduce(advance, NEW_HOST);
}

/** One entry further. */
export function advance(before: HostState, fact: HostFact): HostState {
  const state = { ...before, entries: before.entries + 1 };
  switch (fact.type) {
    case 'planned':
      return { ...state, plan: fact.plan };
    case 'began':
      return {
        ...withStep(state, fact.step, 'began'),
        attempts: { ...state.attempts, [fact.step]: (state.attempts[fact.step] ?? 0) + 1 },
      };
    case 'done':
      return withStep(state, fact.step, 'done');
    case 'failed':
      return turnBack(withStep(state, fact.step, stateAfterFailure(state, fact)), fact.failure, fact.step);
    case 'recalled':
      return turnBack(state, { kind: 'interrupted', summary: fact.why });
    case 'undone':
      return withStep(state, fact.step, 'undone');
    case 'undoFailed':
      return withBackFailure(withStep(state, fact.step, 'undoFailed'), fact.failure);
    case 'reactivated':
      return { ...state, reactivated: { ...state.reactivated, [fact.step]: 'done' } };
    case 'reactivateFailed':
      return withBackFailure({ ...state, reactivated: { ...state.reactivated, [fact.step]: 'failed' } }, fact.failure);
    case 'proved':
      return fact.ok
        ? { ...state, proved: { ok: true, detail: fact.detail } }
        : withBackFailure({ ...state, proved: { ok: false, detail: fact.failure.summary } }, fact.failure);
    case 'finished':
      return { ...state, finished: { outcome: fact.outcome, ...(fact.failure ? { failure: fact.failure } : {}) } };
  }
}

/** A failure that is proved to have changed nothing leaves the step untouched, unless an earlier attempt may have acted. */
function stateAfterFailure(state: HostState, fact: Extract<HostFact, { type: 'failed' }>): StepState {
  const onlyAttempt = (state.attempts[fact.step] ?? 0) <= 1;
  return fact.effect === 'none' && onlyAttempt ? 'untouched' : 'failed';
}

function withStep(state: HostState, step: string, to: StepState): HostState {
  return { ...state, steps: { ...state.steps, [step]: to } };
}

function withBackFailure(state: HostState, failure: Failure): HostState {
  return { ...state, backFailures: [...state.backFailures, failure] };
}

/** The first cause stays: later ones are consequences. */
function turnBack(state: HostState, failure: Failure, step?: string): HostState {
  return { ...state, direction: 'back', cause: state.cause ?? { failure, ...(step !== undefined ? { step } : {}) } };
}
