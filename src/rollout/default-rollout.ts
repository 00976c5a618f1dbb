/** How a change spreads when a playbook says nothing of it: one host first, then a tenth, then the rest. Data only. */
import type { Rollout } from '../core/rollout.js';

export const DEFAULT_ROLLOUT: Rollout = {
  waves: [{ unit: 'hosts', count: 1 }, { unit: 'percent', percent: 10 }, { unit: 'percent', percent: 100 }],
  canary: { by: ['pool', 'zone'] },
  order: 'inventory',
  budget: { run: { unit: 'percent', percent: 10 }, per: [] },
  onStop: 'halt',
  soakMs: 0,
  pauseAfter: 'none',
  hooks: {},
};
