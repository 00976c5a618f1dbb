/** What a rollout does to the hosts of one run: begins them with their hooks, looks at them again, leaves them out, brings them back. */
import type { Failure } from '../core/failure.js';
import type { HostState } from '../core/fold.js';
import { NEW_HOST } from '../core/fold.js';
import type { Host } from '../core/host.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import { outcomeUntouched } from '../core/report.js';
import { isInTheMiddle } from '../core/run-state.js';
import type { CommandRunner, Controls } from '../core/ports.js';
import type { Rollout } from '../core/rollout.js';
import type { FleetPorts } from './host-end.js';
import { BEFORE_ITS_TURN, STILL_THERE, finishUntouched, orStuck, resultOf } from './host-end.js';
import type { Relapse } from './check-again.js';
import { checkAgain } from './check-again.js';
import { HostHooks } from './host-hooks.js';
import { mapLimited } from './limit.js';
import { createRecorder } from './recorder.js';
import type { RolloutWork } from './rollout-ports.js';
import { turnBackHost, undoHost } from './run-host.js';
import type { RunRecorder } from './run-recorder.js';

export interface ApplyPorts extends FleetPorts {
  readonly policy: Rollout;
  readonly controls: Controls;
  readonly commands: CommandRunner;
}

export interface FleetHost {
  readonly host: Host;
  readonly shown: HostPlan;
  /** Where an earlier process left it. */
  readonly before?: HostState;
}

export interface FleetWork extends RolloutWork {
  /** Goes on with a host that an earlier process had begun. */
  finish(host: string): Promise<HostResult>;
  /** Runs the hook that is owed to a host which has its end already. */
  pay(result: HostResult): Promise<void>;
  /** Of hooks that failed after their host was through. */
  complaints(): readonly Failure[];
}

/** `perform` brings one host to its outcome, and says what it is. */
export type Perform = (host: FleetHost) => Promise<{ readonly state: HostState; readonly result: HostResult }>;

/** `owed`: hosts whose afterHost an earlier process did not come to. */
export function createFleetWork(hosts: ReadonlyMap<string, FleetHost>, perform: Perform, owed: ReadonlySet<string>, recorder: RunRecorder, ports: ApplyPorts): FleetWork {
  const states = new Map<string, HostState>();
  const hooks = new HostHooks(ports, recorder, owed);
  const of = (name: string): FleetHost => {
    const found = hosts.get(name);
    if (found === undefined) throw new Error(`a rollout names ${name}, which is not in the run`);
    return found;
  };
  const stateOf = (name: string): HostState | undefined => states.get(name) ?? hosts.get(name)?.before;
  const untouched = async (name: string, failure: Failure, outcome = outcomeUntouched(failure)): Promise<HostResult> => {
    const { shown, before } = of(name);
    return { ...(await finishUntouched(name, { outcome, failure }, ports, before)), finding: shown.finding };
  };
  const carryOut = (name: string): Promise<HostResult> => orStuck(name, async () => {
    const { state, result } = await perform(of(name));
    states.set(name, state);
    return result;
  });
  const begin = async (name: string, mayBegin: () => boolean): Promise<HostResult> => {
    const { host, shown } = of(name);
    const refusal = await hooks.before(host, shown);
    // A drain may take long: what was asked meanwhile counts.
    const late = mayBegin() ? undefined : BEFORE_ITS_TURN;
    const why = refusal ?? late;
    const result = why === undefined ? await carryOut(name) : await untouched(name, why);
    await hooks.after(host, shown, result);
    return result;
  };
  /** What is known of a changed host changes: nobody can say any more that it is well. */
  const doubt = async (name: string, failure: Failure): Promise<HostResult> => {
    const host = createRecorder(name, ports, stateOf(name));
    await host.record({ type: 'doubted', failure });
    states.set(name, host.state());
    return resultOf(name, of(name).shown, host.state());
  };
  const undo = async (name: string): Promise<HostResult> => {
    const { host, shown } = of(name);
    const state = stateOf(name);
    if (state === undefined) return { host: name, outcome: 'skipped' };
    if (ports.drain.aborted) return { ...resultOf(name, shown, state), failure: { ...BEFORE_ITS_TURN, next: 'it is changed still: resume the run, or undo it' } };
    const after = await undoHost(host, state, 'refuse', ports);
    if ('refused' in after && isInTheMiddle(state)) return { host: name, outcome: 'stuck', failure: { ...after.refused, done: STILL_THERE } };
    // It is what it was: changed. That it should be old again and is not must be seen.
    if ('refused' in after) return await doubt(name, { ...after.refused, summary: `not brought back: ${after.refused.summary}` });
    states.set(name, after);
    return resultOf(name, shown, after);
  };
  const look = async (name: string): Promise<{ name: string; relapse: Relapse | undefined }> => {
    const { host, shown } = of(name);
    return { name, relapse: await checkAgain(host, stateOf(name)?.plan ?? shown, ports) };
  };
  /** An earlier process doubted it. */
  const trust = async (name: string): Promise<HostResult> => {
    const host = createRecorder(name, ports, stateOf(name));
    await host.record({ type: 'finished', outcome: 'changed' });
    states.set(name, host.state());
    return resultOf(name, of(name).shown, host.state());
  };
  const turnBack = (name: string, { is, failure }: Relapse): Promise<HostResult> => orStuck(name, async () => {
    if (is === 'unseen') return await doubt(name, failure);
    const after = await turnBackHost(of(name).host, stateOf(name) ?? NEW_HOST, failure, ports);
    states.set(name, after);
    return resultOf(name, of(name).shown, after);
  });
  return {
    complaints: () => hooks.complaints,
    begin: (name, mayBegin) => orStuck(name, () => begin(name, mayBegin)),
    finish: async (name) => {
      const result = await carryOut(name);
      await hooks.after(of(name).host, of(name).shown, result);
      return result;
    },
    pay: async (result) => {
      const found = hosts.get(result.host);
      if (found !== undefined) await hooks.after(found.host, found.shown, result);
    },
    leaveOut: (names, why) => mapLimited(names, ports.concurrency, (name) => orStuck(name, async () => {
      const { host, shown, before } = of(name);
      // What an earlier process found of it says more than that its turn did not come.
      const result = before?.finished === undefined ? await untouched(name, why, 'skipped') : resultOf(name, shown, before);
      await hooks.after(host, shown, result);
      return result;
    })),
    check: async (names, atOnce) => {
      const looks = await mapLimited(names, ports.concurrency, look);
      const relapsed = looks.flatMap(({ name, relapse }) => (relapse ? [{ name, relapse }] : []));
      // Whoever was stopped while looking has seen nothing.
      const trusted = ports.signal.aborted ? [] : looks.filter(({ name, relapse }) => relapse === undefined && stateOf(name)?.finished?.failure !== undefined);
      return [
        ...(await mapLimited(relapsed, atOnce, ({ name, relapse }) => turnBack(name, relapse))),
        ...(await mapLimited(trusted, atOnce, ({ name }) => orStuck(name, () => trust(name)))),
      ];
    },
    undo: (names, atOnce) => mapLimited(names, atOnce, (name) => orStuck(name, () => undo(name))),
  };
}
