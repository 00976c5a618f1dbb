/** The contract of the host session, run against the shell text under every shell that a node may have. */
import { describe } from 'vitest';
import { hostSessionContract } from '../contracts/host-session.contract.js';
import { makeLocalNode } from './local-node.js';

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot)('shell text on this machine (needs root)', () => {
  hostSessionContract('dash', () => makeLocalNode({ shell: 'dash' }));
  hostSessionContract('bash', () => makeLocalNode({ shell: 'bash', loginShell: 'dash' }));
  hostSessionContract('busybox sh and tools', () => makeLocalNode({ shell: 'busybox sh', busyboxTools: true }));
});
