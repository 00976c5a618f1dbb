/** Brings every host of a planned fleet to its outcome, at most `concurrency` at once. Never begins a host after a drain. */
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
  return await mapLimited(planned, ports.concurrency, async (surveyed) => {
    try {
      return await applyHost(surveyed, ports);
    } catch (thrown) {
      // Only a fault of fleetmend itself or a fenced journal comes here: nobody knows how far this host got.
      return { host: surveyed.host.name, outcome: 'stuck', failure: failureOf(thrown) };
    }
  });
}

async function applyHost(surveyed: Surveyed<HostPlan>, ports: ApplyPorts): Promise<HostResult> {
  const { host } = surveyed;
  if (surveyed.failure !== undefined) {
    const outcome = outcomeUntouched(surveyed.failure);
    return await finishUntouched(host.name, { outcome, failure: surveyed.failure }, ports);
  }
  if (ports.drain.aborted && surveyed.value.steps.length > 0) {
    const failure = { kind: 'interrupted', summary: 'the run was stopped before its turn' } as const;
    return { ...(await finishUntouched(host.name, { outcome: 'skipped', failure }, ports)), finding: surveyed.value.finding };
  }
  const state = await runHost(host, surveyed.value, ports);
  return resultOf(host.name, surveyed.value, state);
}

async function finishUntouched(host: string, end: Pick<HostResult, 'outcome'> & { failure: NonNullable<HostResult['failure']> }, ports: ApplyPorts): Promise<HostResult> {
  await createRecorder(host, ports).record({ type: 'finished', ...end });
  return { host, ...end };
}

function resultOf(host: string, shown: HostPlan, state: HostState): HostResult {
  const plan = state.plan ?? shown;
  const { finding } = plan;
  if (state.finished !== undefined) return { host, finding, ...state.finished };
  return { host, finding, outcome: wasTouched(plan, state) ? 'stuck' : 'skipped', failure: unfinishedFailure(plan, state) };
}
