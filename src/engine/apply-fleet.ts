/** Brings every host of a planned fleet to its outcome, in the waves of its rollout. Never begins a host that the rollout does not. */
import type { HostState } from '../core/fold.js';
import { changeKey, changeKind } from '../core/group-plans.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import { outcomeUntouched } from '../core/report.js';
import type { Rollout, RolloutPlan } from '../core/rollout.js';
import { countsAsFailed } from '../rollout/budget.js';
import { planRollout } from '../rollout/plan-rollout.js';
import { NO_PAST } from '../rollout/rollout-state.js';
import type { ApplyPorts, FleetHost } from './fleet-work.js';
import { createFleetWork } from './fleet-work.js';
import type { FleetEnd } from './host-end.js';
import { finishUntouched, orStuck, resultOf } from './host-end.js';
import { mapLimited } from './limit.js';
import { rollOut } from './roll-out.js';
import { runHost } from './run-host.js';
import { createRunRecorder } from './run-recorder.js';
import type { Surveyed } from './survey-fleet.js';

/** How the changes of these hosts would spread. Hosts whose change is the same to the letter count as one kind of change. */
export function rolloutOf(planned: readonly Pick<Surveyed<HostPlan>, 'host' | 'value'>[], policy: Rollout, concurrency: number): RolloutPlan {
  const hosts = planned.map(({ host, value }) => ({
    name: host.name, labels: host.labels, ...(value !== undefined && value.steps.length > 0 ? { change: changeKey(value), kind: changeKind(value) } : {}),
  }));
  return planRollout(policy, hosts, concurrency);
}

export async function applyFleet(planned: readonly Surveyed<HostPlan>[], ports: ApplyPorts): Promise<FleetEnd> {
  const plan = rolloutOf(planned, ports.policy, ports.concurrency);
  const inWaves = new Set(plan.waves.flatMap(({ hosts }) => hosts));
  const outside = planned.filter(({ host }) => !inWaves.has(host.name));
  const settled = await mapLimited(outside, ports.concurrency, (surveyed) => orStuck(surveyed.host.name, () => settleHost(surveyed, ports)));
  const hosts = new Map(planned.flatMap(({ host, value }): [string, FleetHost][] => (value && inWaves.has(host.name) ? [[host.name, { host, shown: value }]] : [])));
  const recorder = createRunRecorder([], ports);
  const work = createFleetWork(hosts, (one) => perform(one, ports), new Set(), recorder, ports);
  const start = { plan, failedBefore: settled.filter(countsAsFailed).map(({ host }) => host), past: NO_PAST, changedBefore: new Set<string>() };
  const end = await rollOut(start, work, { ...ports, by: ports.holder.who, record: recorder.record });
  const results = new Map([...settled.map((result): [string, HostResult] => [result.host, result]), ...end.results]);
  return {
    results: planned.flatMap(({ host }) => results.get(host.name) ?? []),
    complaints: [...end.complaints, ...work.complaints()], ...(end.stop ? { stop: end.stop } : {}),
  };
}

async function perform({ host, shown }: FleetHost, ports: ApplyPorts): Promise<{ state: HostState; result: HostResult }> {
  const state = await runHost(host, shown, ports);
  return { state, result: resultOf(host.name, shown, state) };
}

/** A host for which the plan alone says the outcome: it is not connected to. */
async function settleHost({ host, value, failure }: Surveyed<HostPlan>, ports: ApplyPorts): Promise<HostResult> {
  if (failure !== undefined) return await finishUntouched(host.name, { outcome: outcomeUntouched(failure), failure }, ports);
  return resultOf(host.name, value, await runHost(host, value, ports));
}
