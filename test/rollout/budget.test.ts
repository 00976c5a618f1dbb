/** How many hosts may fail: the arithmetic, who counts, and when it is reached. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HostResult } from '../../src/core/report.js';
import type { RolloutPlan } from '../../src/core/rollout.js';
import { addFailure, countsAsFailed, NO_FAILURES, type Tally } from '../../src/rollout/budget.js';
import { checkRollout } from '../../src/rollout/check-rollout.js';
import { planRollout } from '../../src/rollout/plan-rollout.js';
import { readCases } from './case-file.js';
import { type HostsText, hostsOf, policyOf } from './hosts.js';
import { fleets, policies } from './samples.js';

interface Case {
  readonly name: string;
  readonly budget?: unknown;
  readonly hosts: HostsText;
  readonly limits?: readonly string[];
  readonly failed?: readonly string[];
  readonly says?: readonly (string | null)[];
}

function tallies(plan: RolloutPlan, failed: readonly string[]): Tally[] {
  let tally = NO_FAILURES;
  return failed.map((host) => (tally = addFailure(tally, plan, host)));
}

describe('budget', () => {
  it.each(readCases<Case>('budget'))('$name', ({ budget, hosts, limits, failed = [], says }) => {
    const plan = planRollout(policyOf(budget === undefined ? undefined : { budget }), hostsOf(hosts), 64);
    const { run, per } = plan.budget;
    const all = [...(run ? [{ label: 'run', value: '', ...run }] : []), ...per];
    if (limits) expect(all.map(({ label, value, stopsAt, of }) => `${label}${value === '' ? '' : ` ${value}`}: ${stopsAt} of ${of}`)).toEqual(limits);
    if (says) expect(tallies(plan, failed).map((tally) => tally.spent ?? null)).toEqual(says);
  });
});

describe('who counts', () => {
  it.each(readCases<{ counts: boolean; result: HostResult }>('counted'))('$counts: $result', ({ counts, result }) => {
    expect(countsAsFailed({ ...result, host: 'n1' })).toBe(counts);
  });
});

describe('every budget', () => {
  it('is reached by the very host that makes a count full, not earlier and not later', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const plan = planRollout(policy, hosts, 64);
      const names = hosts.map((host) => host.name);
      for (const [index, tally] of tallies(plan, names).entries()) {
        const failed = hosts.slice(0, index + 1);
        const runIsFull = failed.length >= (plan.budget.run?.stopsAt ?? Infinity);
        const valueIsFull = plan.budget.per.some(({ label, value, stopsAt }) => failed.filter((host) => host.labels[label] === value).length >= stopsAt);
        expect(tally.spent !== undefined).toBe(runIsFull || valueIsFull);
      }
    }), { numRuns: 60 });
  });

  it('does not care in which order hosts fail, nor how often one is told', () => {
    fc.assert(fc.property(policies, fleets, fc.integer({ min: 0, max: 119 }), (policy, hosts, count) => {
      const plan = planRollout(policy, hosts, 64);
      const names = hosts.slice(0, count).map((host) => host.name);
      const forward = tallies(plan, names).at(-1) ?? NO_FAILURES;
      const backward = tallies(plan, [...names.toReversed(), ...names]).at(-1) ?? NO_FAILURES;
      expect(backward.spent !== undefined).toBe(forward.spent !== undefined);
      expect(backward.counts).toEqual(forward.counts);
    }));
  });

  it('can only stop where somebody has the label: any other is refused before the start', () => {
    fc.assert(fc.property(policies, fleets, (policy, hosts) => {
      const useless = policy.budget.per.filter(({ label }) => !hosts.some((host) => host.labels[label] !== undefined));
      expect(checkRollout(policy, hosts)).toHaveLength(useless.length);
    }));
  });
});

describe('a budget per a label that nobody has', () => {
  it.each([
    [{ zoen: 2 }, [[1, 'c', { zone: 'a', pool: 'p' }]], ['budget per "zoen": no host of this run has that label (did you mean "zone"?) (they have "pool", "zone"), so it could never stop the rollout; correct it, or leave it out with --budget-per']],
    [{ rack: 2 }, 3, ['budget per "rack": no host of this run has that label (they have no labels), so it could never stop the rollout; correct it, or leave it out with --budget-per']],
    [{ zone: 2, rack: 1 }, [[2, 'c'], [1, null, { zone: 'a' }]], ['budget per "rack": no host of this run has that label (they have "zone"), so it could never stop the rollout; correct it, or leave it out with --budget-per']],
    [{ zone: 2 }, [[2, 'c'], [1, null, { zone: 'a' }]], []],
  ] as const)('%j of %j', (per, hosts, errors) => {
    expect(checkRollout(policyOf({ budget: { per } }), hostsOf(hosts))).toEqual(errors);
  });
});
