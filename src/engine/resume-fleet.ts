/** Takes a run up again: every host that has no good end goes on from its own position. Never touches a host that has one. */
import { fold, type HostState } from '../core/fold.js';
import type { Host } from '../core/host.js';
import type { JournalEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import { isOpen } from '../core/run-state.js';
import type { ApplyPorts } from './apply-fleet.js';
import { BEFORE_ITS_TURN, orStuck, resultOf } from './apply-fleet.js';
import { mapLimited } from './limit.js';
import { resumeHost } from './run-host.js';

/** A run as its folder holds it. */
export interface PastRun {
  readonly hosts: readonly Host[];
  /** By host: the plan that was shown. Hosts without one were never to be changed. */
  readonly shown: ReadonlyMap<string, HostPlan>;
  readonly entries: readonly JournalEntry[];
}

/** The state of every host of a past run, in the order of its hosts. */
export function statesOf(past: PastRun): Map<string, HostState> {
  const byHost = new Map<string, JournalEntry[]>(past.hosts.map((host) => [host.name, []]));
  for (const entry of past.entries) byHost.get(entry.host)?.push(entry);
  return new Map([...byHost].map(([host, entries]) => [host, fold(entries)]));
}

/** The hosts that a resume would take up, by name. */
export function openHosts(past: PastRun): string[] {
  return [...statesOf(past)].flatMap(([host, state]) => (isOpen(state, past.shown.get(host)) ? [host] : []));
}

export const STILL_THERE = 'this node was left in the middle, and is where it was left unless its guard has put it back';

/** Results of all hosts of the run, those included that had their end before. */
export async function resumeFleet(past: PastRun, ports: ApplyPorts): Promise<HostResult[]> {
  const states = statesOf(past);
  return await mapLimited(past.hosts, ports.concurrency, async (host) => {
    const state = states.get(host.name) ?? fold([]);
    const shown = past.shown.get(host.name);
    if (shown === undefined || !isOpen(state, shown)) return resultOf(host.name, shown, state);
    if (ports.drain.aborted) return { ...resultOf(host.name, shown, state), failure: state.finished?.failure ?? BEFORE_ITS_TURN };
    return await orStuck(host.name, async () => {
      const { state: after, unreached } = await resumeHost(host, shown, state, ports);
      const result = resultOf(host.name, shown, after);
      return unreached === undefined ? result : { ...result, failure: { ...unreached, done: STILL_THERE, next: 'resume the run' } };
    });
  });
}
