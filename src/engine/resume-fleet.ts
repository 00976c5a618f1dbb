/**
 * Takes a run up again: hosts that were under way are brought to their end first, then its rollout goes on where it was.
 * Never touches a host that has a good end.
 */
import type { Failure } from '../core/failure.js';
import { NEW_HOST, fold, type HostState } from '../core/fold.js';
import type { Host } from '../core/host.js';
import type { HostEntry, JournalEntry } from '../core/journal.js';
import { isHostEntry, isRunEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import { isOpen } from '../core/run-state.js';
import { countsAsFailed } from '../rollout/budget.js';
import { owedHooks, pastOf } from '../rollout/rollout-past.js';
import { isProof } from '../rollout/rollout-state.js';
import { rolloutOf } from './apply-fleet.js';
import type { ApplyPorts, FleetHost, FleetWork } from './fleet-work.js';
import { createFleetWork } from './fleet-work.js';
import type { FleetEnd } from './host-end.js';
import { BEFORE_ITS_TURN, STILL_THERE, finishUntouched, orStuck, resultOf } from './host-end.js';
import { mapLimited } from './limit.js';
import { rollOut } from './roll-out.js';
import { resumeHost } from './run-host.js';
import { createRunRecorder } from './run-recorder.js';

/** A run as its folder holds it. */
export interface PastRun {
  readonly hosts: readonly Host[];
  /** By host: the plan that was shown. Hosts without one were never to be changed. */
  readonly shown: ReadonlyMap<string, HostPlan>;
  readonly entries: readonly JournalEntry[];
}

/** The state of every host of a past run, in the order of its hosts. */
export function statesOf(past: PastRun): Map<string, HostState> {
  const byHost = new Map<string, HostEntry[]>(past.hosts.map((host) => [host.name, []]));
  for (const entry of past.entries) if (isHostEntry(entry)) byHost.get(entry.host)?.push(entry);
  return new Map([...byHost].map(([host, entries]) => [host, fold(entries)]));
}

/** The hosts that a resume would take up, by name. */
export function openHosts(past: PastRun): string[] {
  return [...statesOf(past)].flatMap(([host, state]) => (isOpen(state, past.shown.get(host)) ? [host] : []));
}

/** Results of all hosts of the run, those included that had their end before. */
export async function resumeFleet(past: PastRun, ports: ApplyPorts): Promise<FleetEnd> {
  const states = statesOf(past);
  const own = past.entries.filter(isRunEntry);
  const recorder = createRunRecorder(own, ports);
  const hosts = past.hosts.map((host): PastHost => {
    const [shown, before] = [past.shown.get(host.name), states.get(host.name) ?? NEW_HOST];
    return { host, before, ...(shown ? { shown } : {}), stage: stageOf(shown, before) };
  });
  const fleet = new Map(hosts.flatMap(({ host, shown, before }): [string, FleetHost][] => (shown ? [[host.name, { host, shown, before }]] : [])));
  const work = createFleetWork(fleet, (one) => performAgain(one, ports), owedHooks(own), recorder, ports);

  const results = new Map<string, HostResult>();
  const keep = (result: HostResult): void => void results.set(result.host, result);
  for (const result of await mapLimited(hosts.filter(isSettled), ports.concurrency, (one) => settle(one, ports))) keep(result);
  await mapLimited([...results.values()], ports.concurrency, (result) => work.pay(result));
  const underWay = hosts.filter(({ stage }) => stage === 'underWay').map(({ host }) => host.name);
  for (const result of await mapLimited(underWay, ports.concurrency, (name) => finish(name, fleet, work, ports))) keep(result);

  const plan = rolloutOf(hosts.map(({ host, shown }) => ({ host, ...(shown ? { value: shown } : {}) })), ports.policy, ports.concurrency);
  const ended = [...results.values()];
  const start = {
    plan, failedBefore: ended.filter(countsAsFailed).map(({ host }) => host),
    past: pastOf(own, new Set(results.keys()), new Set(ended.filter(isProved).map(({ host }) => host))),
    changedBefore: new Set(ended.flatMap(({ host, outcome }) => (outcome === 'changed' ? [host] : []))),
  };
  const end = await rollOut(start, work, { ...ports, by: ports.holder.who, record: recorder.record });
  end.results.forEach(keep);
  return {
    results: past.hosts.flatMap(({ name }) => results.get(name) ?? []),
    complaints: [...end.complaints, ...work.complaints()], ...(end.stop ? { stop: end.stop } : {}),
  };
}

/** A host that was doubted was proved before, and is looked at again by the gate that did not open: its wave has not passed. */
function isProved(result: HostResult): boolean {
  return isProof(result) || result.outcome === 'changed';
}

interface PastHost extends Partial<FleetHost> {
  readonly host: Host;
  readonly before: HostState;
  /** `unsaid`: its plan, or that it has none, says its outcome, and nobody came to write it down. `waiting`: its turn in the rollout has not come. */
  readonly stage: 'ended' | 'unsaid' | 'underWay' | 'waiting';
}

function stageOf(shown: HostPlan | undefined, state: HostState): PastHost['stage'] {
  if (state.finished === undefined && state.entries === 0 && (shown === undefined || shown.steps.length === 0)) return 'unsaid';
  if (!isOpen(state, shown)) return 'ended';
  const isUnfinished = state.finished === undefined ? state.entries > 0 : state.finished.outcome === 'stuck';
  return isUnfinished ? 'underWay' : 'waiting';
}

function isSettled({ stage }: PastHost): boolean {
  return stage === 'ended' || stage === 'unsaid';
}

async function settle({ host, shown, before, stage }: PastHost, ports: ApplyPorts): Promise<HostResult> {
  if (stage === 'ended') return resultOf(host.name, shown, before);
  return await orStuck(host.name, async () => {
    if (shown === undefined) return await finishUntouched(host.name, { outcome: 'unreachable', failure: NO_ANSWER_THEN }, ports, before);
    return resultOf(host.name, shown, (await resumeHost(host, shown, before, ports)).state);
  });
}

const NO_ANSWER_THEN: Failure = { kind: 'notJudged', summary: 'this host gave no answer when the plan was made', next: 'plan again: a resume has nothing for it' };

/** It was begun before, so no window, pause or budget keeps it from its end. */
async function finish(name: string, fleet: ReadonlyMap<string, FleetHost>, work: FleetWork, ports: ApplyPorts): Promise<HostResult> {
  const one = fleet.get(name);
  if (one === undefined || !ports.drain.aborted) return await work.finish(name);
  const before = one.before ?? NEW_HOST;
  return { ...resultOf(name, one.shown, before), failure: before.finished?.failure ?? BEFORE_ITS_TURN };
}

async function performAgain({ host, shown, before = NEW_HOST }: FleetHost, ports: ApplyPorts): Promise<{ state: HostState; result: HostResult }> {
  const { state, unreached } = await resumeHost(host, shown, before, ports);
  const result = resultOf(host.name, shown, state);
  return { state, result: unreached === undefined ? result : { ...result, failure: { ...unreached, done: STILL_THERE, next: 'resume the run' } } };
}
