/** Removes a past run's saved copies from its nodes. Never from a node that is in the middle: they are its way back. */
import { FleetmendError, failureOf } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { HostState } from '../core/fold.js';
import type { Host } from '../core/host.js';
import { isInTheMiddle, isOpen } from '../core/run-state.js';
import type { ActPorts } from './act.js';
import { failureFrom } from './effect-failure.js';
import type { FleetPorts } from './host-end.js';
import { BEFORE_ITS_TURN } from './host-end.js';
import { mapLimited } from './limit.js';
import { Line } from './line.js';
import { FIRST_CONTACT } from './reach.js';
import { createRecorder } from './recorder.js';
import type { PastRun } from './resume-fleet.js';
import { statesOf } from './resume-fleet.js';

export interface Cleaned {
  readonly host: string;
  readonly failure?: Failure;
}

/**
 * Hosts on which the run may have left something: those whose change was shown, and that were not cleaned before. Not those
 * whose turn has not come: a resume still takes them up.
 */
export function hostsToClean(past: PastRun): Host[] {
  const states = statesOf(past);
  return past.hosts.filter((host) => {
    const [shown, state] = [past.shown.get(host.name), states.get(host.name)];
    if (shown === undefined || shown.steps.length === 0 || state === undefined || state.cleaned === 'done') return false;
    return isInTheMiddle(state) || !isOpen(state, shown);
  });
}

export async function cleanFleet(past: PastRun, hosts: readonly Host[], ports: FleetPorts): Promise<Cleaned[]> {
  const states = statesOf(past);
  return await mapLimited(hosts, ports.concurrency, async (host) => {
    const state = states.get(host.name);
    if (ports.drain.aborted) return { host: host.name, failure: BEFORE_ITS_TURN };
    if (state !== undefined && isInTheMiddle(state)) return { host: host.name, failure: IN_THE_MIDDLE };
    try {
      await cleanHost(host, state, ports);
      return { host: host.name };
    } catch (thrown) {
      return { host: host.name, failure: failureOf(thrown) };
    }
  });
}

const IN_THE_MIDDLE: Failure = {
  kind: 'unsupported', summary: 'this node is in the middle: the saved copies are its way back', next: 'resume the run or undo it first',
};

async function cleanHost(host: Host, state: HostState | undefined, ports: ActPorts): Promise<void> {
  const recorder = createRecorder(host.name, ports, state);
  const line = new Line(host, ports);
  recorder.say('cleaning', 'removing the saved copies');
  try {
    const session = await line.open(FIRST_CONTACT);
    const undurable = await recorder.record({ type: 'cleanAsked', by: ports.holder.who });
    if (undurable !== undefined) throw new FleetmendError(undurable);
    const result = await session.perform({ do: 'clean', run: ports.run });
    if (!result.ok) throw new FleetmendError(failureFrom('clean', result));
    await recorder.record({ type: 'cleaned' });
  } finally {
    await line.release();
  }
}
