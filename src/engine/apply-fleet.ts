/** Brings every host of a planned fleet to its outcome, at most `concurrency` at once. Never begins a host after a drain. */
import type { Failure } from '../core/failure.js';
import { failureOf } from '../core/failure.js';
import { wasTouched } from '../core/decide.js';
import type { HostState } from '../core/fold.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import { outcomeUntouched } from '../core/report.js';
import { mapLimited } from './limit.js';
import { createRecorder } from './recorder.js';
import type { HostRunPorts } from './run-host.js';
import { runHost, unfinishedFailure } from './run-host.js';
import type { Surveyed } from './survey-fleet.js';

export interface ApplyPorts extends HostRunPorts {
  readonly concurrency: number;
  readonly drain: AbortSignal;
}

export async function applyFleet(planned: readonly Surveyed<HostPlan>[], ports: ApplyPorts): Promise<HostResult[]> {
  return await mapLimited(planned, ports.concurrency, (surveyed) => orStuck(surveyed.host.name, () => applyHost(surveyed, ports)));
}

/** Only a fault of fleetmend itself or a fenced journal is caught here: nobody knows how far this host got. */
export async function orStuck(host: string, work: () => Promise<HostResult>): Promise<HostResult> {
  try {
    return await work();
  } catch (thrown) {
    return { host, outcome: 'stuck', failure: failureOf(thrown) };
  }
}

export const BEFORE_ITS_TURN: Failure = { kind: 'interrupted', summary: 'the run was stopped before its turn' };

async function applyHost(surveyed: Surveyed<HostPlan>, ports: ApplyPorts): Promise<HostResult> {
  const { host } = surveyed;
  if (surveyed.failure !== undefined) {
    const outcome = outcomeUntouched(surveyed.failure);
    return await finishUntouched(host.name, { outcome, failure: surveyed.failure }, ports);
  }
  if (ports.drain.aborted && surveyed.value.steps.length > 0) {
    return { ...(await finishUntouched(host.name, { outcome: 'skipped', failure: BEFORE_ITS_TURN }, ports)), finding: surveyed.value.finding };
  }
  const state = await runHost(host, surveyed.value, ports);
  return resultOf(host.name, surveyed.value, state);
}

async function finishUntouched(host: string, end: Pick<HostResult, 'outcome'> & { failure: Failure }, ports: ApplyPorts): Promise<HostResult> {
  await createRecorder(host, ports).record({ type: 'finished', ...end });
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
