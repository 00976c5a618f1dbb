/** Who stands in which wave, who goes first, and when a person is waited for: case tables, and what holds for every fleet. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Rollout, RolloutPlan } from '../../src/core/rollout.js';
import { DEFAULT_ROLLOUT } from '../../src/rollout/default-rollout.js';
import { pausesOf, planRollout, type RolloutHost } from '../../src/rollout/plan-rollout.js';
import { readCases } from './case-file.js';
import { folded, type HostsText, hostsOf, policyOf } from './hosts.js';
import { fleets, policies } from './samples.js';

const CONCURRENCY = 64;

interface Case {
  readonly name: string;
  readonly policy?: unknown;
  readonly hosts?: HostsText;
  /** Hosts with these names instead. */
  readonly named?: readonly string[];
  readonly waves?: readonly string[];
  readonly ends?: readonly number[];
  readonly names?: readonly string[];
  readonly canary?: string | null;
  readonly pauses?: readonly number[];
}

const namesOf = (plan: RolloutPlan): string[] => plan.waves.flatMap((wave) => wave.hosts);

function endsOf(plan: RolloutPlan): number[] {
  return plan.waves.map((_, index) => namesOf({ ...plan, waves: plan.waves.slice(0, index + 1) }).length);
}

function check({ policy, hosts = [], named, ...expected }: Case): void {
  const rollout = policyOf(policy);
  const fleet = named?.map((name) => ({ name, labels: {}, change: 'c' })) ?? hostsOf(hosts);
  const plan = planRollout(rollout, fleet, CONCURRENCY);
  if (expected.waves) expect(plan.waves.map((wave) => `${wave.kind} ${wave.within}: ${folded(wave.hosts)}`)).toEqual(expected.waves);
  if (expected.ends) expect(endsOf(plan)).toEqual(expected.ends);
  if (expected.names) expect(namesOf(plan)).toEqual(expected.names);
  if (expected.pauses) expect(pausesOf(rollout, plan)).toEqual(expected.pauses);
  if (expected.canary !== undefined) expect(canaryOf(plan)).toEqual(expected.canary);
}

function canaryOf(plan: RolloutPlan): string | null {
  const [first, ...others] = plan.waves;
  expect(others.every((wave) => wave.kind === 'wave')).toBe(true);
  return first?.kind === 'canary' ? folded(first.hosts) : null;
}

describe.each(['waves', 'canary', 'pauses'])('%s', (file) => {
  it.each(readCases<Case>(file))('$name', (row) => check(row));
});

const toChange = (hosts: readonly RolloutHost[]): RolloutHost[] => hosts.filter((host) => host.change !== undefined);
/** What a canary must show: each distinct change, and each value of each label that it covers. */
const featuresOf = (hosts: readonly RolloutHost[], by: readonly string[]): Set<string> => new Set(hosts.flatMap((host) => [
  `change ${String(host.change)}`, ...by.flatMap((label) => (host.labels[label] === undefined ? [] : [`${label} ${host.labels[label]}`])),
]));

describe('every rollout', () => {
  it('has every host to change in exactly one wave, and no other host', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const names = namesOf(planRollout(policy, hosts, CONCURRENCY));
      expect([...names].sort()).toEqual(toChange(hosts).map((host) => host.name).sort());
    }));
  });

  it('has a canary of each change and of each value of its labels, one after the other', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const [first] = planRollout(policy, hosts, CONCURRENCY).waves;
      if (policy.canary === 'none' || first === undefined) return;
      expect(first).toMatchObject({ kind: 'canary', within: 1 });
      const canaries = hosts.filter((host) => first.hosts.includes(host.name));
      expect(featuresOf(canaries, policy.canary.by)).toEqual(featuresOf(toChange(hosts), policy.canary.by));
    }));
  });

  it('has no more canaries than the share of the first wave and one for each thing to prove', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const [first] = planRollout(policy, hosts, CONCURRENCY).waves;
      if (policy.canary === 'none' || first === undefined) return;
      const least = Math.min(toChange(hosts).length, roundedUp(policy.waves[0], toChange(hosts).length));
      expect(first.hosts.length).toBeGreaterThanOrEqual(least);
      expect(first.hosts.length).toBeLessThanOrEqual(Math.max(least, featuresOf(toChange(hosts), policy.canary.by).size));
    }));
  });

  it('is never behind its shares, and ahead of them by canaries alone', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const plan = planRollout(policy, hosts, CONCURRENCY);
      const total = toChange(hosts).length;
      const canaries = plan.waves[0]?.kind === 'canary' ? plan.waves[0].hosts.length : 0;
      const shares = policy.waves.map((share) => Math.min(total, roundedUp(share, total)));
      const rising = shares.filter((end, index) => end > canaries && shares.slice(0, index).every((earlier) => earlier < end));
      expect(endsOf(plan)).toEqual([...(canaries > 0 ? [canaries] : []), ...rising]);
      expect(plan.waves.every((wave) => wave.hosts.length > 0 && wave.within >= 1)).toBe(true);
    }));
  });

  it('does not depend on anything but its input; shuffled and by name not even on the order of the inventory', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const plan = planRollout(policy, hosts, CONCURRENCY);
      expect(planRollout(policy, hosts, CONCURRENCY)).toEqual(plan);
      if (policy.order === 'inventory' || policy.order === 'reverse') return;
      expect(planRollout(policy, hosts.toReversed(), CONCURRENCY).waves).toEqual(plan.waves);
    }));
  });

  it('waits for a person only between two waves', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const plan = planRollout(policy, hosts, CONCURRENCY);
      for (const wave of pausesOf(policy, plan)) expect(wave > 0 && wave < plan.waves.length).toBe(true);
    }));
  });
});

/** Written anew, in whole numbers. */
function roundedUp(share: Rollout['waves'][number] | undefined, of: number): number {
  if (share?.unit !== 'percent') return share?.count ?? 0;
  const hundredths = BigInt(Math.round(share.percent * 100)) * BigInt(of);
  return Number((hundredths + 9_999n) / 10_000n);
}

describe('shuffled', () => {
  it('is another order than that of the inventory', () => {
    const names = namesOf(planRollout(policyOf({ order: 'shuffled', canary: 'none', waves: ['100%'] }), hostsOf(40), CONCURRENCY));
    expect(names).not.toEqual(hostsOf(40).map((host) => host.name));
    expect([...names].sort()).toEqual(hostsOf(40).map((host) => host.name).sort());
  });
});

describe('a fleet on which nearly every host has a change of its own', () => {
  const fleet = (count: number): RolloutHost[] => Array.from({ length: count }, (_, index) => ({ name: `node-${index}`, labels: {}, change: `change ${index}`, kind: `kind ${index % 2}` }));

  it('is not a canary as a whole: one of each kind of change is', () => {
    const plan = planRollout(DEFAULT_ROLLOUT, fleet(200), 64);
    expect([plan.covers, plan.waves[0]?.kind, plan.waves[0]?.hosts.length]).toEqual(['kinds', 'canary', 2]);
  });
  it('up to ten distinct changes, and up to a tenth of the hosts, are each proved first', () => {
    const few = planRollout(DEFAULT_ROLLOUT, fleet(10), 64);
    expect([few.covers, few.waves[0]?.hosts.length]).toEqual(['changes', 10]);
    const many = planRollout(DEFAULT_ROLLOUT, fleet(200).map((host, index) => ({ ...host, change: `change ${index % 20}` })), 64);
    expect([many.covers, many.waves[0]?.hosts.length]).toEqual(['changes', 20]);
  });
});
