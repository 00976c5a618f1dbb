/** The fake node is a node: it passes the contract of the host session, straight and through the bytes of the protocol. */
import { expect } from 'vitest';
import { createConnector } from '../../src/host/connector.js';
import { hostSessionContract } from '../contracts/host-session.contract.js';
import { fakeConnector } from './fake-connector.js';
import { asNodeUnderTest } from './fake-node-under-test.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { fakeTransport } from './fake-transport.js';
import { eksAl2 } from './layouts.js';
import { createVirtualClock } from './virtual-clock.js';

function makeNode(): FakeNode {
  return createFakeNode({ name: 'node-1', clock: createVirtualClock(), spec: { layout: eksAl2, ailment: '' } });
}

hostSessionContract('fake node, direct', async () => {
  const node = makeNode();
  let cutNext = false;
  const connector = fakeConnector(new Map([[node.name, node]]), {
    afterEffect: () => {
      const isCut = cutNext;
      cutNext = false;
      return isCut ? { kind: 'connectionLost' } : undefined;
    },
  });
  return asNodeUnderTest(node, { connector, cutNextAnswer: () => { cutNext = true; } });
});

hostSessionContract('fake node, through the bytes of the protocol', async () => {
  const node = makeNode();
  let cutNext = false;
  const transport = fakeTransport(new Map([[node.name, node]]), {
    noise: 'Last login: never\n',
    answer: (request, frame) => {
      if (!cutNext || request.body.kind === 'ask') return frame;
      cutNext = false;
      return 'cut';
    },
  });
  const underTest = asNodeUnderTest(node, { connector: createConnector(transport), cutNextAnswer: () => { cutNext = true; } });
  return {
    ...underTest,
    close: async () => {
      await underTest.close();
      expect(transport.openStreams()).toBe(0);
    },
  };
});
