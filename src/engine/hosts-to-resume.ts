/** Which hosts a resume may have to reach: so that only their ways and passwords are asked for before it begins. Pure. */
import { isRunEntry } from '../core/journal.js';
import { judgeUndo } from '../core/run-state.js';
import { pastOf } from '../rollout/rollout-past.js';
import type { PastRun } from './resume-fleet.js';
import { openHosts, statesOf } from './resume-fleet.js';

export interface HostsToResume {
  /** Something is left to do on them. */
  readonly due: readonly string[];
  /** They have their end; a gate that was not passed looks at them again, and a stop may bring them back. None once all gates are passed. */
  readonly perhaps: readonly string[];
}

export function hostsToResume(past: PastRun): HostsToResume {
  const due = openHosts(past);
  const { stop, lastOpened, passed } = pastOf(past.entries.filter(isRunEntry), new Set());
  const isOver = due.length === 0 && stop === undefined && (lastOpened === undefined || passed.has(lastOpened));
  const changed = isOver ? [] : [...statesOf(past)].flatMap(([host, state]) => (judgeUndo(state).can ? [host] : []));
  return { due, perhaps: changed.filter((host) => !due.includes(host)) };
}
