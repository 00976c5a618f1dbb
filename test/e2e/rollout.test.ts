/** A change that spreads over a fleet, on real nodes: one lab of forty for all parts, and each part begins with its nodes as they were. */
import { afterAll, beforeAll, describe } from 'vitest';
import { describeZoneBudget } from './rollout-budget.js';
import { describeCanary } from './rollout-canary.js';
import { describeGates } from './rollout-gates.js';
import { describeKilledRollout } from './rollout-killed.js';
import { describeSavedPlan } from './rollout-saved-plan.js';
import { describeSteering } from './rollout-steering.js';
import { describeWindow } from './rollout-window.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { raiseRolloutFleet } from './rollout-fleet.js';

describe('a rollout over 40 nodes in 4 pools and 2 zones', () => {
  let fleet: RolloutFleet | undefined;
  const of = (): RolloutFleet => {
    if (fleet === undefined) throw new Error('the fleet is not up');
    return fleet;
  };

  beforeAll(async () => {
    fleet = await raiseRolloutFleet();
  });

  afterAll(async () => {
    await fleet?.stage.end();
  });

  describeCanary(of);
  describeSavedPlan(of);
  describeSteering(of);
  describeZoneBudget(of);
  describeGates(of);
  describeWindow(of);
  describeKilledRollout(of);
});
