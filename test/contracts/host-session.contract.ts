/**
 * What every implementation of the host protocol's two sides together must do: run against the shell
 * text under several shells, the in-memory node and real nodes. Only uses the ports.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardContract } from './host-session-guard.js';
import { lockContract } from './host-session-lock.js';
import { readContract } from './host-session-read.js';
import { writeContract } from './host-session-write.js';
import type { NodeUnderTest } from './node-under-test.js';

export type { LookedAt, NodeUnderTest } from './node-under-test.js';

/** One node per test; `makeNode` may reuse a real node with a fresh `root`. */
export function hostSessionContract(name: string, makeNode: () => Promise<NodeUnderTest>): void {
  describe(`host session: ${name}`, () => {
    let node: NodeUnderTest;
    beforeEach(async () => {
      node = await makeNode();
    });
    afterEach(() => node.close());

    readContract(() => node);
    writeContract(() => node);
    lockContract(() => node);
    guardContract(() => node);

    it('a session that was closed refuses further questions', async () => {
      const session = await node.connector.openToRead(node.host, new AbortController().signal);
      await session.ask([{ ask: 'capability' }]);
      await session.close();
      await session.close();
      await expect(session.ask([{ ask: 'capability' }])).rejects.toThrow();
    });
  });
}
