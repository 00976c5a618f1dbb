/** How a host of a fleet ends, in the words of a report, and the ports that all work on fleets shares. Reaches for no host. */
import { wasTouched } from '../core/decide.js';
import type { Failure } from '../core/failure.js';
import { failureOf } from '../core/failure.js';
import type { HostState } from '../core/fold.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import type { Stop } from '../rollout/rollout-state.js';
import { createRecorder } from './recorder.js';
import type { HostRunPorts } from './run-host.js';
import { unfinishedFailure } from './run-host.js';

export interface FleetPorts extends HostRunPorts {
  /** For all that no rollout limits: looking, undoing, finishing what was begun. */
  readonly concurrency: number;
  /** Aborted: no new host is begun. */
  readonly drain: AbortSignal;
}

/** How the work on a whole fleet ended. */
export interface FleetEnd {
  readonly results: readonly HostResult[];
  /** Why no further host was begun. */
  readonly stop?: Stop;
  /** Of hooks and gates: the run is not fine whatever its hosts say. */
  readonly complaints: readonly Failure[];
}

export const BEFORE_ITS_TURN: Failure = { kind: 'interrupted', summary: 'the run was stopped before its turn' };
export const STILL_THERE = 'this node was left in the middle, and is where it was left unless its guard has put it back';

/** Only a fault of fleetmend itself or a fenced journal is caught here: nobody knows how far this host got. */
export async function orStuck(host: string, work: () => Promise<HostResult>): Promise<HostResult> {
  try {
    return await work();
  } catch (thrown) {
    return { host, outcome: 'stuck', failure: failureOf(thrown) };
  }
}

/** Gives an outcome to a host that nothing is done on. `before`: where the journal left it. */
export async function finishUntouched(host: string, end: Pick<HostResult, 'outcome'> & { failure: Failure }, ports: FleetPorts, before?: HostState): Promise<HostResult> {
  await createRecorder(host, ports, before).record({ type: 'finished', ...end });
  return { host, ...end };
}

/** What a report says of a host in this state. `shown`: for a host that was not planned again. */
export function resultOf(host: string, shown: HostPlan | undefined, state: HostState): HostResult {
  const plan = state.plan ?? shown;
  const about = { host, ...(plan ? { finding: plan.finding } : {}), ...(state.asked ? { undone: true as const } : {}) };
  if (state.finished !== undefined) return { ...about, ...state.finished };
  const touched = plan !== undefined && wasTouched(plan, state);
  return { ...about, outcome: touched ? 'stuck' : 'skipped', failure: unfinishedFailure(plan, state) };
}
