/** What a person can do about a run that came to its end: the commands, word for word. Pure. */
import type { HostResult } from '../core/report.js';
import type { FleetEnd } from '../engine/host-end.js';
import type { Stop } from '../rollout/rollout-state.js';

/** What the reader can do about hosts that have no good end, and about those that were changed. */
export function nextCommands(run: string, { results, stop }: FleetEnd): string[] {
  // A host without a finding was never planned: a resume has nothing to go on with there.
  const waits = results.some(({ outcome, finding }) => (outcome === 'skipped' || outcome === 'unreachable') && finding !== undefined);
  const open = results.some((result) => isInTheMiddle(result, stop)) || (waits && !isForGood(stop));
  const changed = results.some(({ outcome }) => outcome === 'changed');
  const anew = [
    ...(results.some(hasFailed) ? ['failed'] : []),
    ...(results.some(({ outcome }) => outcome === 'skipped') ? ['skipped'] : []),
    ...(isForGood(stop) && results.some(({ undone }) => undone === true) ? ['undone'] : []),
  ];
  return [
    ...(open ? [`to go on: fleetmend resume ${run}${stop?.reason === 'budget' && !isForGood(stop) ? ' (with a larger --budget: what failed counts on)' : ''}`] : []),
    ...(anew.length > 0 && (isForGood(stop) || anew[0] === 'failed') ? [`to try ${anew.join(' and ')} hosts anew, with a fresh plan: fleetmend apply --rerun ${anew.join(',')} ${run}`] : []),
    ...(changed ? [`to take it back: fleetmend undo ${run} (the saved copies stay on the nodes until: fleetmend clean ${run})`] : []),
    `the story of a host: fleetmend show ${run} HOST`,
  ];
}

/** After it a resume begins no host: what the canary did not prove is not spread, and what was taken back is not brought forward. */
export function isForGood(stop: Pick<Stop, 'reason' | 'then'> | undefined): boolean {
  return stop !== undefined && (stop.reason === 'canary' || stop.then !== 'halt');
}

/** Stuck, or to be brought back and not brought back yet. */
function isInTheMiddle({ outcome, failure }: HostResult, stop: FleetEnd['stop']): boolean {
  return outcome === 'stuck' || (outcome === 'changed' && failure !== undefined && stop !== undefined && stop.then !== 'halt');
}

/** What `--rerun failed` takes, but for those that are stuck: they must be brought to an end first. */
function hasFailed({ outcome, undone, failure }: HostResult): boolean {
  return (outcome === 'restored' && undone !== true) || outcome === 'unreachable' || outcome === 'refused' || (outcome === 'changed' && failure !== undefined);
}
