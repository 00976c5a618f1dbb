/** The direct connector can break every single operation, before and after its effect, and stop the controller. */
import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/core/effect.js';
import type { Host } from '../../src/core/host.js';
import type { WriteSession } from '../../src/core/ports.js';
import { fakeConnector, type ConnectorFaults, type FakeConnector } from './fake-connector.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { eksAl2 } from './layouts.js';
import { createVirtualClock } from './virtual-clock.js';

const HOST: Host = { name: 'node-1', address: '127.0.0.1', port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} };
const RESTART: Effect = { do: 'restart', unit: 'kubelet.service', timeoutMs: 1000 };

interface Stage {
  readonly node: FakeNode;
  readonly connector: FakeConnector;
  readonly session: WriteSession;
}

async function stage(faults: ConnectorFaults = {}): Promise<Stage> {
  const node = createFakeNode({ name: 'node-1', clock: createVirtualClock(), spec: { layout: eksAl2, ailment: '' } });
  const connector = fakeConnector(new Map([[node.name, node]]), faults);
  return { node, connector, session: await connector.openToWrite(HOST, new AbortController().signal) };
}

describe('a lost connection', () => {
  test.each([
    ['before the effect leaves the node untouched', 'beforeEffect', 0],
    ['after the effect leaves it performed', 'afterEffect', 1],
  ] as const)('%s, and the session is dead', async (_name, hook, restarts) => {
    const { node, connector, session } = await stage({ [hook]: (n: number) => (n === 1 ? { kind: 'connectionLost' } : undefined) });
    await expect(session.perform(RESTART)).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    expect(node.systemd.counts.restart).toBe(restarts);
    await expect(session.ask([{ ask: 'capability' }])).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    expect(connector.openSessions()).toBe(0);
    const again = await connector.openToWrite(HOST, new AbortController().signal);
    expect(await again.perform(RESTART)).toMatchObject({ ok: true });
    await again.close();
    expect(connector.openSessions()).toBe(0);
  });
});

test('an effect can be reported as failed, performed or not', async () => {
  const result = { ok: false, effect: 'unknown', reason: 'timeout', detail: 'injected' } as const;
  const before = await stage({ beforeEffect: () => ({ kind: 'result', result }) });
  expect(await before.session.perform(RESTART)).toEqual(result);
  expect(before.node.systemd.counts.restart).toBe(0);
  const after = await stage({ afterEffect: () => ({ kind: 'result', result }) });
  expect(await after.session.perform(RESTART)).toEqual(result);
  expect(after.node.systemd.counts.restart).toBe(1);
});

test('a question can fail, and the operations are counted over all hosts', async () => {
  const { connector, session } = await stage({ beforeAsk: (n) => (n === 2 ? { kind: 'reject', failure: { kind: 'timeout', summary: 'injected' } } : undefined) });
  expect(await session.ask([{ ask: 'capability' }])).toHaveLength(1);
  await expect(session.ask([{ ask: 'capability' }])).rejects.toMatchObject({ failure: { kind: 'timeout' } });
  expect(await session.ask([{ ask: 'capability' }])).toHaveLength(1);
  expect(connector.operations.map(({ op }) => op)).toEqual(['openToWrite', 'ask', 'ask', 'ask']);
});

test('when the controller crashes, nothing that it still waits for ever settles', async () => {
  const { node, connector, session } = await stage({ beforeEffect: () => ({ kind: 'crash' }) });
  const settled: string[] = [];
  const note = (name: string) => () => void settled.push(name);
  void session.perform(RESTART).then(note('perform'), note('perform'));
  await connector.crashed;
  void session.ask([{ ask: 'capability' }]).then(note('ask'), note('ask'));
  void connector.openToRead(HOST, new AbortController().signal).then(note('open'), note('open'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toEqual([]);
  expect(node.systemd.counts.restart).toBe(0);
});

describe('who cannot be reached', () => {
  test('an unknown host refuses the connection, and sudo that refuses is told apart', async () => {
    const { node, connector } = await stage();
    await expect(connector.openToRead({ ...HOST, name: 'other' }, new AbortController().signal)).rejects.toMatchObject({ failure: { kind: 'refusedConnection' } });
    const strict = createFakeNode({ name: 'node-1', clock: createVirtualClock(), spec: { layout: eksAl2, ailment: '' }, sudo: 'refused' });
    const other = fakeConnector(new Map([[node.name, strict]]));
    await expect(other.openToRead({ ...HOST, user: 'ops', become: 'sudo' }, new AbortController().signal)).rejects.toMatchObject({ failure: { kind: 'sudoRefused' } });
  });
});

test('the virtual clock wakes the earliest sleeper first and costs no time', async () => {
  const clock = createVirtualClock();
  const woken: string[] = [];
  await Promise.all([
    clock.sleep(60_000).then(() => woken.push(`b at ${clock.monotonicMs()}`)),
    clock.sleep(1_000).then(() => clock.sleep(1_000)).then(() => woken.push(`a at ${clock.monotonicMs()}`)),
  ]);
  expect(woken).toEqual(['a at 2000', 'b at 60000']);
  await expect(clock.sleep(5, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
});
