/** Where the hosts of a run stand, as far as its journal tells: what a list of runs, a resume and an undo have in common. Pure. */
import { wasTouched } from './decide.js';
import type { Failure } from './failure.js';
import type { HostState } from './fold.js';
import { OPEN_OUTCOMES } from './journal.js';
import type { HostPlan } from './plan.js';

/** Would a resume do something here? Only on hosts whose plan was shown. */
export function isOpen(state: HostState, shown: HostPlan | undefined): boolean {
  const plan = state.plan ?? shown;
  if (plan === undefined || (state.cleaned !== undefined && wasTouched(plan, state))) return false;
  if (state.finished !== undefined) return OPEN_OUTCOMES.includes(state.finished.outcome) && (shown?.steps.length ?? 0) > 0;
  return true;
}

/** Is this host between its old and its new state, as far as we know? */
export function isInTheMiddle(state: HostState): boolean {
  if (state.plan === undefined || !wasTouched(state.plan, state)) return false;
  return state.finished === undefined || state.finished.outcome === 'stuck';
}

/** What an undo of this host would mean: something to bring back, or the reason why not. */
export function judgeUndo(state: HostState): { readonly can: true } | { readonly can: false; readonly why: string; readonly failure?: Failure } {
  if (state.plan === undefined || !wasTouched(state.plan, state)) return { can: false, why: 'this run did not touch it' };
  if (state.finished?.outcome === 'restored') return { can: false, why: 'it is in its old state already' };
  if (state.cleaned === undefined) return { can: true };
  const why = 'the saved copies were removed from this node';
  return { can: false, why, failure: { kind: 'unsupported', summary: why, next: 'bring the files back by hand: `fleetmend show` has the diffs' } };
}
