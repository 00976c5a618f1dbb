/** Brings the changed hosts of a past run back to their old state. Never touches a host that the run did not. */
import type { Outcome } from '../core/journal.js';
import type { HostResult } from '../core/report.js';
import { outcomeUntouched } from '../core/report.js';
import { isInTheMiddle, judgeUndo } from '../core/run-state.js';
import type { FleetPorts } from './host-end.js';
import { BEFORE_ITS_TURN, STILL_THERE, orStuck, resultOf } from './host-end.js';
import { mapLimited } from './limit.js';
import type { PastRun } from './resume-fleet.js';
import { statesOf } from './resume-fleet.js';
import { undoHost } from './run-host.js';

/** Results of the named hosts. A host with nothing to bring back is reported with the outcome that it has. */
export async function undoFleet(past: PastRun, names: ReadonlySet<string>, foreign: 'refuse' | 'save', ports: FleetPorts): Promise<HostResult[]> {
  const states = statesOf(past);
  const hosts = past.hosts.filter((host) => names.has(host.name));
  return await mapLimited(hosts, ports.concurrency, async (host) => {
    const state = states.get(host.name);
    const verdict = state === undefined ? undefined : judgeUndo(state);
    if (state === undefined || verdict === undefined) return { host: host.name, outcome: 'skipped' };
    if (!verdict.can) {
      if (verdict.failure !== undefined) return { host: host.name, outcome: 'refused', failure: verdict.failure };
      return { host: host.name, outcome: state.finished?.outcome ?? 'skipped' };
    }
    if (ports.drain.aborted) return { host: host.name, outcome: 'skipped' satisfies Outcome, failure: BEFORE_ITS_TURN };
    return await orStuck(host.name, async () => {
      const after = await undoHost(host, state, foreign, ports);
      if ('refused' in after && isInTheMiddle(state)) return { host: host.name, outcome: 'stuck', failure: { ...after.refused, done: STILL_THERE } };
      if ('refused' in after) return { host: host.name, outcome: outcomeUntouched(after.refused), failure: after.refused };
      return resultOf(host.name, undefined, after);
    });
  });
}
