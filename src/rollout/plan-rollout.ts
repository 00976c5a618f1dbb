/** Spreads the hosts of a run over waves, and does the arithmetic of the budget before the start. Never decides what comes next. */
import { digestOf } from '../core/bytes.js';
import type { PlannedWave, Rollout, RolloutPlan } from '../core/rollout.js';
import { planBudget } from './budget.js';
import { chooseCanary } from './canary.js';
import { shareRoundedUp } from './share.js';

export interface RolloutHost {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Key of its distinct change; absent: it needs none. */
  readonly change?: string;
  /** A coarser key, for fleets on which nearly every host has a change of its own. */
  readonly kind?: string;
}
type HostToChange = RolloutHost & { readonly change: string };

/** `hosts` are all of the run. The same input gives the same plan, on every machine. */
export function planRollout(policy: Rollout, hosts: readonly RolloutHost[], concurrency: number): RolloutPlan {
  const toChange = inOrder(policy.order, hosts.filter(needsChange));
  const covers = canaryCovers(toChange);
  return {
    covers,
    waves: planWaves(policy, covers === 'changes' ? toChange : toChange.map((host) => ({ ...host, change: host.kind ?? host.change })), concurrency),
    budget: planBudget(policy.budget, hosts),
    labels: new Map(hosts.map((host) => [host.name, host.labels])),
  };
}

/**
 * After which waves of the plan a person is waited for, counted from 1. A wave of the playbook that so few hosts leave empty
 * hands its pause to the one before it; nobody is waited for at the very end.
 */
export function pausesOf(policy: Rollout, plan: RolloutPlan): number[] {
  const { pauseAfter } = policy;
  const last = plan.waves.length;
  if (pauseAfter === 'none') return [];
  const ends = endsOf(plan.waves);
  if (pauseAfter === 'every') return ends.map((_, index) => index + 1).slice(0, -1);
  const total = ends.at(-1) ?? 0;
  const reached = pauseAfter.map((wave) => Math.min(total, waveEnd(policy, wave, total)));
  const waves = reached.map((end) => Math.max(1, ends.filter((planned) => planned <= end).length));
  return [...new Set(waves)].filter((wave) => wave < last).sort((left, right) => left - right);
}

/** So many distinct changes are proved one by one; beyond it, and beyond a tenth of the hosts, a canary for each would be no canary. */
const MANY_CHANGES = 10;

function canaryCovers(hosts: readonly HostToChange[]): RolloutPlan['covers'] {
  const distinct = new Set(hosts.map((host) => host.change)).size;
  return distinct > Math.max(MANY_CHANGES, hosts.length / 10) ? 'kinds' : 'changes';
}

function needsChange(host: RolloutHost): host is HostToChange {
  return host.change !== undefined;
}

function planWaves(policy: Rollout, hosts: readonly HostToChange[], concurrency: number): PlannedWave[] {
  const total = hosts.length;
  const within = Math.max(1, policy.within === undefined ? concurrency : shareRoundedUp(policy.within, total));
  const canary = policy.canary === 'none' ? [] : chooseCanary(hosts, policy.canary.by, waveEnd(policy, 1, total));
  const first = new Set(canary);
  const queue = [...canary, ...hosts.filter((host) => !first.has(host))].map((host) => host.name);
  const waves: PlannedWave[] = canary.length === 0 ? [] : [{ kind: 'canary', hosts: queue.slice(0, canary.length), within: 1 }];
  let begun = canary.length;
  for (const [index] of policy.waves.entries()) {
    const end = Math.min(total, waveEnd(policy, index + 1, total));
    if (end <= begun) continue;
    waves.push({ kind: 'wave', hosts: queue.slice(begun, end), within });
    begun = end;
  }
  return waves;
}

/** How many hosts are through when wave `wave` of the playbook is, canary hosts beyond its share left aside. */
function waveEnd(policy: Rollout, wave: number, total: number): number {
  return Math.max(0, ...policy.waves.slice(0, wave).map((share) => shareRoundedUp(share, total)));
}

function endsOf(waves: readonly PlannedWave[]): number[] {
  let end = 0;
  return waves.map((wave) => (end += wave.hosts.length));
}

function inOrder(order: Rollout['order'], hosts: readonly HostToChange[]): readonly HostToChange[] {
  switch (order) {
    case 'inventory':
      return hosts;
    case 'reverse':
      return hosts.toReversed();
    case 'name':
      return hosts.toSorted((left, right) => byName(left.name, right.name));
    case 'shuffled':
      return hosts
        .map((host) => ({ host, key: digestOf(Buffer.from(host.name)) }))
        .sort((left, right) => byText(left.key, right.key))
        .map(({ host }) => host);
  }
}

/** As people count: node-2 before node-10. */
const NATURAL = new Intl.Collator('en', { numeric: true });

function byName(left: string, right: string): number {
  return NATURAL.compare(left, right) || byText(left, right);
}

function byText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
