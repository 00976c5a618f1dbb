/**
 * What a host's journal means. The position of a host is nothing but this fold, so a fresh run, a
 * resumed run, an undo and a report all see the same state. Never looks at a node or a clock.
 */
import type { Failure } from './failure.js';
import type { HostFact, Outcome } from './journal.js';
import { OPEN_OUTCOMES } from './journal.js';
import type { HostPlan } from './plan.js';

/** `began` and `failed` both mean: the effect may have happened. */
export type StepState = 'untouched' | 'began' | 'done' | 'failed' | 'undone' | 'undoFailed';

/**
 * Of the guard on the node. `unsure`: a process that is gone armed it; it may have fired since. `failed`: it could not be
 * armed. `doubtful`: the same, but it may be armed. `left`: it could not be told that all is well, and will fire.
 */
export type GuardStanding = 'armed' | 'unsure' | 'failed' | 'doubtful' | 'fired' | 'disarmed' | 'left';

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
  /** Absent: never armed. */
  readonly guard?: GuardStanding;
  /** A person wants the old state. */
  readonly asked?: { readonly foreign: 'refuse' | 'save' };
  /** The saved copies on the node are gone, or about to go. */
  readonly cleaned?: 'asked' | 'done';
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
    case 'undone':
      return afterUndone(withStep(state, fact.step, 'undone'), fact.happened);
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
    case 'otherLife':
      return restartDue(state, fact.unit);
    case 'armed':
      return { ...state, guard: 'armed' };
    case 'armFailed':
      return turnBack({ ...state, guard: fact.effect === 'none' ? 'failed' : 'doubtful' }, fact.failure);
    case 'guardFired':
      return afterFiring(state, fact);
    case 'disarmed':
      return { ...state, guard: 'disarmed' };
    case 'disarmFailed':
      return { ...withBackFailure(state, fact.failure), guard: 'left' };
    case 'resumed':
      return takenUpAgain(state);
    case 'undoAsked':
      return { ...fromTheStart(state), direction: 'back', asked: { foreign: fact.foreign } };
    case 'doubted':
      return { ...state, finished: { outcome: state.finished?.outcome ?? 'stuck', failure: fact.failure } };
    case 'notWell':
      return turnBack(fromTheStart(state), fact.failure);
    case 'cleanAsked':
      return { ...state, cleaned: 'asked' };
    case 'cleaned':
      return { ...state, cleaned: 'done' };
    case 'finished':
      return { ...state, finished: { outcome: fact.outcome, ...(fact.failure ? { failure: fact.failure } : {}) } };
  }
}

/** A failure that is proved to have changed nothing leaves the step untouched, unless an earlier attempt may have acted. */
function stateAfterFailure(state: HostState, fact: Extract<HostFact, { type: 'failed' }>): StepState {
  const onlyAttempt = (state.attempts[fact.step] ?? 0) <= 1;
  return fact.effect === 'none' && onlyAttempt ? 'untouched' : 'failed';
}

/** What the guard activated is void once a file had to be put back after it. */
function afterUndone(state: HostState, happened: 'now' | 'already'): HostState {
  return happened === 'now' && state.guard === 'fired' ? { ...state, reactivated: {} } : state;
}

function restartDue(state: HostState, unit: string): HostState {
  const due = (state.plan?.steps ?? []).filter((step) => step.phase === 'activate' && step.activation.do === 'restart' && step.activation.unit === unit);
  return due.reduce((before, step) => withStep(before, step.id, 'failed'), state);
}

/** The guard has done the way back, or has tried. What it has not done is done again, and all of it is proved. */
function afterFiring(state: HostState, fact: Extract<HostFact, { type: 'guardFired' }>): HostState {
  const { proved: _, ...rest } = tryAgain(state);
  const activations = (state.plan?.steps ?? []).filter((step) => step.phase === 'activate');
  const reactivated = fact.ok ? Object.fromEntries(activations.map((step) => [step.id, 'done' as const])) : {};
  return turnBack({ ...rest, guard: 'fired', reactivated }, { kind: 'guardFired', summary: 'the guard on the node fired: no confirmation had come in time' });
}

/** A later process goes on. What was proved before is proved again; what failed on the way back is tried again. */
function takenUpAgain(state: HostState): HostState {
  const checks = new Set((state.plan?.steps ?? []).filter((step) => step.phase === 'verify').map((step) => step.id));
  const steps = Object.fromEntries(Object.entries(state.steps).filter(([id]) => !checks.has(id)));
  const { proved: _proved, guard: _guard, ...rest } = state;
  const again: HostState = { ...rest, ...unsure(state), steps };
  if (state.finished !== undefined) return OPEN_OUTCOMES.includes(state.finished.outcome) ? fromTheStart(again) : again;
  return state.backFailures.length > 0 ? tryAgain(again) : again;
}

/** Without an outcome, and with the way back (if any) to be gone anew. */
function fromTheStart(state: HostState): HostState {
  const { finished: _finished, proved: _proved, guard: _guard, ...rest } = tryAgain(state);
  return { ...rest, ...unsure(state) };
}

function tryAgain(state: HostState): HostState {
  const steps = Object.fromEntries(Object.entries(state.steps).map(([id, step]) => [id, step === 'undoFailed' ? 'failed' : step]));
  return { ...state, steps, reactivated: {}, backFailures: [] };
}

/** What a guard that somebody else armed may be by now. One that was disarmed is armed anew when it is needed. */
function unsure({ guard }: HostState): { guard?: GuardStanding } {
  if (guard === 'fired') return { guard };
  return guard === undefined || guard === 'disarmed' || guard === 'failed' ? {} : { guard: 'unsure' };
}

function withStep(state: HostState, step: string, to: StepState): HostState {
  return { ...state, steps: { ...state.steps, [step]: to } };
}

function withBackFailure(state: HostState, failure: Failure): HostState {
  return { ...state, backFailures: [...state.backFailures, failure] };
}

/** The first cause stays: later ones are consequences. An undo that a person asked for needs none. */
function turnBack(state: HostState, failure: Failure, step?: string): HostState {
  if (state.asked !== undefined) return { ...state, direction: 'back' };
  return { ...state, direction: 'back', cause: state.cause ?? { failure, ...(step !== undefined ? { step } : {}) } };
}
