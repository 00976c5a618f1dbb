/** The host session's contract over real SSH on a real node: as root, and as a user who becomes root by sudo. */
import { afterAll, beforeAll } from 'vitest';
import { hostSessionContract } from '../contracts/host-session.contract.js';
import { arrange } from '../lab/arrange.js';
import { createLab } from '../lab/lab.js';
import type { Lab } from '../lab/lab.js';
import { asNodeUnderTest } from './lab-node-under-test.js';

let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ prefix: 'fme', subnet: '10.82.0.0/16', nodes: ['contract'] });
  await arrange(lab.node('contract'), 'compliant-by-absence');
});

afterAll(async () => {
  await lab?.destroy();
});

hostSessionContract('a real node, as root', async () => asNodeUnderTest(lab, lab.node('contract'), 'root'));
hostSessionContract('a real node, by sudo', async () => asNodeUnderTest(lab, lab.node('contract'), 'ops'));
