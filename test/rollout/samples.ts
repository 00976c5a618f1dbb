/** Policies and fleets of every kind for property tests. */
import fc from 'fast-check';
import type { Rollout, Share } from '../../src/core/rollout.js';
import { DEFAULT_ROLLOUT } from '../../src/rollout/default-rollout.js';
import type { RolloutHost } from '../../src/rollout/plan-rollout.js';

const percent: fc.Arbitrary<Share> = fc.integer({ min: 1, max: 9_999 }).map((hundredths) => ({ unit: 'percent', percent: hundredths / 100 }));
const count: fc.Arbitrary<Share> = fc.integer({ min: 1, max: 60 }).map((hosts) => ({ unit: 'hosts', count: hosts }));
export const shares: fc.Arbitrary<Share> = fc.oneof(percent, count);

/** As the schema lets them through: counts rise, and percentages do. */
const waves = fc.array(shares, { maxLength: 6 }).map((some): Share[] => {
  const rising = some.filter((share, index) => some.slice(0, index).every((earlier) => isAbove(share, earlier)));
  return [...rising, { unit: 'percent', percent: 100 }];
});

function isAbove(share: Share, earlier: Share): boolean {
  if (share.unit === 'hosts') return earlier.unit !== 'hosts' || share.count > earlier.count;
  return earlier.unit !== 'percent' || share.percent > earlier.percent;
}

const labels = fc.uniqueArray(fc.constantFrom('pool', 'zone', 'rack', 'nobody'), { maxLength: 3 });

export const policies: fc.Arbitrary<Rollout> = fc.record({
  waves,
  canary: fc.oneof(fc.constant('none' as const), labels.map((by) => ({ by }))),
  order: fc.constantFrom('inventory' as const, 'reverse' as const, 'name' as const, 'shuffled' as const),
  pauseAfter: fc.oneof(fc.constantFrom('none' as const, 'every' as const), fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { maxLength: 4 })),
  within: fc.option(shares, { nil: undefined }),
  run: fc.oneof(fc.constant('none' as const), shares),
  per: fc.uniqueArray(fc.record({ label: fc.constantFrom('pool', 'zone', 'rack'), share: shares }), { maxLength: 3, selector: ({ label }) => label }),
}).map(({ within, run, per, ...said }) => ({ ...DEFAULT_ROLLOUT, ...said, budget: { run, per }, ...(within === undefined ? {} : { within }) }));

const value = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const hostLabels = fc.record({ pool: value, zone: value, rack: value }, { requiredKeys: [] });

export const fleets: fc.Arbitrary<RolloutHost[]> = fc
  .array(fc.record({ labels: hostLabels, change: fc.option(fc.constantFrom('c1', 'c2', 'c3', 'c4'), { nil: undefined }) }), { maxLength: 120 })
  .map((hosts) => hosts.map(({ change, labels: has }, index) => ({ name: `n${index + 1}`, labels: has, ...(change === undefined ? {} : { change }) })));
