/**
 * What comes next in a rollout: the whole of its rules, as one pure function of plan, policy, state and time. Never begins a
 * host after a stop, in a pause, outside the window, beyond `within`, or once the budget is reached.
 */
import type { Rollout, RolloutPlan } from '../core/rollout.js';
import { windowAt } from './maintenance-window.js';
import { pausesOf } from './plan-rollout.js';
import type { RolloutState, Stop } from './rollout-state.js';

export type RolloutMove =
  | { readonly do: 'open' | 'check' | 'ask' | 'pass' }
  | { readonly do: 'soak'; readonly ms: number }
  | { readonly do: 'begin' | 'leaveOut'; readonly host: string }
  /** Until something happens, or until then: milliseconds since the epoch. `for` says what for when that is news. */
  | { readonly do: 'wait'; readonly untilMs?: number; readonly for?: 'window' }
  | { readonly do: 'stop'; readonly stop: Stop }
  /** Nothing is under way and nothing more is begun. */
  | { readonly do: 'end' };

export function decideRollout(plan: RolloutPlan, policy: Rollout, state: RolloutState, now: Date): RolloutMove {
  if (state.stop !== undefined) return isIdle(state) ? { do: 'end' } : { do: 'wait' };
  const stop = reasonToStop(plan, policy, state, now);
  if (stop !== undefined) return { do: 'stop', stop };
  if (state.wave >= plan.waves.length) return { do: 'end' };
  switch (state.stage) {
    case 'closed':
      return whenAllowed(policy, state, now, { do: 'open' });
    case 'opening':
    case 'soaking':
    case 'checking':
    case 'person':
    case 'passing':
      return waitFor(state);
    case 'open':
      return takeNext(plan, policy, state, now);
    case 'soaked':
      return { do: 'check' };
    case 'checked':
      return pausesOf(policy, plan).includes(state.wave + 1) ? { do: 'ask' } : { do: 'pass' };
    case 'approved':
      return { do: 'pass' };
  }
}

/** No host and no hook is under way. */
function isIdle(state: RolloutState): boolean {
  return state.working.size === 0 && state.stage !== 'opening' && state.stage !== 'checking' && state.stage !== 'passing';
}

function reasonToStop(plan: RolloutPlan, policy: Rollout, state: RolloutState, now: Date): Stop | undefined {
  const { spent } = state.tally;
  if (spent !== undefined) return { reason: 'budget', summary: spent, then: policy.onStop };
  if (plan.waves[state.wave]?.kind === 'canary' && state.unproved !== undefined) {
    return { reason: 'canary', summary: `the canary ${state.unproved} did not prove its change`, then: policy.onStop };
  }
  if (state.patienceEndsMs !== undefined && now.getTime() >= state.patienceEndsMs) {
    return { reason: 'patience', summary: 'nobody said continue in time', then: 'halt' };
  }
  return undefined;
}

function takeNext(plan: RolloutPlan, policy: Rollout, state: RolloutState, now: Date): RolloutMove {
  const host = state.queue[state.next];
  if (host === undefined) return state.working.size > 0 ? waitFor(state) : afterHosts(plan, policy, state);
  if (state.leftOut.has(host)) return { do: 'leaveOut', host };
  if (state.working.size >= withinNow(plan, state)) return waitFor(state);
  return whenAllowed(policy, state, now, { do: 'begin', host });
}

/** Canaries go one after the other whatever a person says of the rest. */
export function withinNow(plan: RolloutPlan, state: RolloutState): number {
  const wave = plan.waves[state.wave];
  if (wave === undefined) return 0;
  return wave.kind === 'canary' ? wave.within : (state.within ?? wave.within);
}

/** Behind the last wave no other one waits for a gate. */
function afterHosts(plan: RolloutPlan, policy: Rollout, state: RolloutState): RolloutMove {
  if (state.wave === plan.waves.length - 1) return { do: 'pass' };
  return policy.soakMs > 0 ? { do: 'soak', ms: policy.soakMs } : { do: 'check' };
}

function whenAllowed(policy: Rollout, state: RolloutState, now: Date, move: RolloutMove): RolloutMove {
  if (state.paused) return waitFor(state);
  if (policy.window === undefined) return move;
  const window = windowAt(policy.window, now);
  return window.open ? move : { do: 'wait', untilMs: window.opensAt.getTime(), for: 'window' };
}

function waitFor({ patienceEndsMs }: RolloutState): RolloutMove {
  return { do: 'wait', ...(patienceEndsMs === undefined ? {} : { untilMs: patienceEndsMs }) };
}
