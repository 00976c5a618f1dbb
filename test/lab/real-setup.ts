/** Once for a run of the real-node tests: refuses a machine that can't, builds the base, and sweeps what killed runs left. */
import { prepareBase } from './base.js';
import { missingForLab } from './machine.js';
import { sweepDeadLabs } from './sweep-dead.js';

export async function setup(): Promise<void> {
  const missing = missingForLab();
  if (missing.length > 0) throw new Error(`tests on real nodes need: ${missing.join(', ')}`);
  await sweepDeadLabs();
  await prepareBase((line) => console.log(line));
}

export async function teardown(): Promise<void> {
  await sweepDeadLabs();
}
