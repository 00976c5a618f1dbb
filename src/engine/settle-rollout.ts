/** What is left to do when no further host is begun: the rest gets its outcome, and a stop that wants so has changed hosts brought back. */
import type { Failure } from '../core/failure.js';
import type { HostResult } from '../core/report.js';
import { STOP_REASONS } from '../core/run-text.js';
import type { RolloutState } from '../rollout/rollout-state.js';
import { isProof } from '../rollout/rollout-state.js';
import type { RolloutStart, RolloutWork } from './rollout-ports.js';

export const LEFT_OUT: Failure = { kind: 'interrupted', summary: 'a person left this host out' };

/** Gives an outcome to every host of the waves that has none. */
export async function skipTheRest(start: RolloutStart, { stop, leftOut }: RolloutState, results: Map<string, HostResult>, work: RolloutWork): Promise<void> {
  const left = start.plan.waves.flatMap(({ hosts }) => hosts).filter((host) => !results.has(host) && !start.past.ended.has(host));
  const why: Failure = { kind: 'interrupted', summary: `not begun: the rollout was stopped first${stop === undefined ? '' : ` (${STOP_REASONS[stop.reason]})`}` };
  const skip = async (hosts: readonly string[], reason: Failure): Promise<void> => {
    for (const result of hosts.length === 0 ? [] : await work.leaveOut(hosts, reason)) results.set(result.host, result);
  };
  await skip(left.filter((host) => leftOut.has(host)), LEFT_OUT);
  await skip(left.filter((host) => !leftOut.has(host)), why);
}

/** True when nothing of it is left for whoever takes the run up: an undo that was interrupted is due still. */
export async function takeBack(start: RolloutStart, { stop, lastOpened }: RolloutState, results: Map<string, HostResult>, work: RolloutWork, atOnce: number): Promise<boolean> {
  if (stop === undefined || stop.then === 'halt') return true;
  const { waves } = start.plan;
  const scope = stop.then === 'undoRun' ? waves : waves.filter((_, index) => index === lastOpened);
  const changed = scope.flatMap(({ hosts }) => hosts).filter((host) => isChanged(host, start, results));
  const after = await work.undo(changed, atOnce);
  for (const result of after) results.set(result.host, result);
  return after.every(({ outcome }) => outcome !== 'changed');
}

export function isChanged(host: string, start: RolloutStart, results: ReadonlyMap<string, HostResult>): boolean {
  const result = results.get(host);
  return result === undefined ? start.changedBefore.has(host) : result.outcome === 'changed';
}

/** Of these hosts: those whose change is proved, or that needed none, now or to an earlier process. */
export function countThrough(hosts: readonly string[], { past }: RolloutStart, results: ReadonlyMap<string, HostResult>): number {
  return hosts.filter((host) => {
    const result = results.get(host);
    return result === undefined ? past.proved.has(host) : isProof(result);
  }).length;
}
