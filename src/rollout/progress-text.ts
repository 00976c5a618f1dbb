/** Where a rollout stands, in one line for the screen. Pure. */
import type { RolloutPlan } from '../core/rollout.js';
import { withinNow } from './decide-rollout.js';
import type { RolloutState } from './rollout-state.js';

export interface Progress {
  /** Hosts of the waves with an end, whatever it is. */
  readonly ended: number;
  /** While the window is closed: milliseconds since the epoch. */
  readonly opensAtMs?: number;
}

export function progressText(plan: RolloutPlan, state: RolloutState, { ended, opensAtMs }: Progress): string {
  const all = plan.waves.reduce((sum, { hosts }) => sum + hosts.length, 0);
  const limit = plan.budget.run === undefined ? '' : ` (stops at ${plan.budget.run.stopsAt})`;
  return [doing(state, opensAtMs), `${ended} of ${all} hosts through`, `${state.tally.failed.length} failed${limit}`].filter((part) => part !== '').join(', ');
}

function doing(state: RolloutState, opensAtMs: number | undefined): string {
  if (state.stop !== undefined) return state.working.size > 0 ? `stopping: ${state.stop.summary}` : `stopped: ${state.stop.summary}`;
  if (state.stage === 'person') return 'waits for a person to say continue';
  if (state.paused) return 'paused';
  if (opensAtMs !== undefined && (state.stage === 'closed' || state.stage === 'open')) return `waits for the window until ${new Date(opensAtMs).toISOString()}`;
  switch (state.stage) {
    case 'opening':
      return 'opening';
    case 'soaking':
      return 'soaking';
    case 'checking':
      return 'looking at the hosts of the wave again';
    default:
      return state.working.size > 0 ? `${state.working.size} under way` : '';
  }
}

/** What a screen needs to know: where it stands, in numbers and in words. `withinLater`: what a person's number is about, when it is not the present one. */
export function progressOf(plan: RolloutPlan, state: RolloutState, progress: Progress): {
  wave: number; of: number; within: number; withinLater?: number; paused: boolean; text: string;
} {
  const of = plan.waves.length;
  const within = withinNow(plan, state);
  const later = state.within ?? plan.waves.find(({ kind }) => kind === 'wave')?.within ?? within;
  return {
    wave: Math.min(state.wave + 1, of), of, within, ...(later === within ? {} : { withinLater: later }), paused: state.paused,
    text: progressText(plan, state, progress),
  };
}
