/** The direct connector can break every single operation, before and after its effect, and stop the controller. */
import { describe, expect, test } from 'vitest';
import type { Effect } from '../../src/core/effect.js';
import type { Host } from '../../src/core/host.js';
import type { WriteSession } from '../../src/core/ports.js';
import { fakeConnector, type ConnectorFaults, type FakeConnector } from './fake-connector.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { eksAl2 } from './layouts.js';
import { holderOf } from './open-visit.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

const HOST: Host = { name: 'node-1', address: '127.0.0.1', port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} };
const RESTART: Effect = { do: 'restart', run: 'run-1', way: 'unguarded', unit: 'kubelet.service', timeoutMs: 1000 };
const LOCK: Effect = { do: 'lock', holder: holderOf('run-1') };
/** The lock of the stage is effect 1. */
const FIRST = 2;

interface Stage {
  readonly clock: VirtualClock;
  readonly node: FakeNode;
  readonly connector: FakeConnector;
  readonly session: WriteSession;
}

async function stage(faults: ConnectorFaults = {}): Promise<Stage> {
  const clock = createVirtualClock();
  const node = createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' } });
  const connector = fakeConnector(new Map([[node.name, node]]), faults);
  return { clock, node, connector, session: await openLocked(connector) };
}

async function openLocked(connector: FakeConnector): Promise<WriteSession> {
  const session = await connector.openToWrite(HOST, new AbortController().signal);
  expect(await session.perform(LOCK)).toMatchObject({ ok: true });
  return session;
}

/** Everything that can run has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a lost connection', () => {
  test.each([
    ['before the effect leaves the node untouched', 'beforeEffect', 0],
    ['after the effect leaves it performed', 'afterEffect', 1],
  ] as const)('%s, and the session is dead', async (_name, hook, restarts) => {
    const { node, connector, session } = await stage({ [hook]: (n: number) => (n === FIRST ? { kind: 'connectionLost' } : undefined) });
    await expect(session.perform(RESTART)).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    expect(node.systemd.counts.restart).toBe(restarts);
    await expect(session.ask([{ ask: 'capability' }])).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    expect(connector.openSessions()).toBe(0);
    const again = await openLocked(connector);
    expect(await again.perform(RESTART)).toMatchObject({ ok: true });
    await again.close();
    expect(connector.openSessions()).toBe(0);
  });
});

test('an effect can be reported as failed, performed or not', async () => {
  const result = { ok: false, effect: 'unknown', reason: 'timeout', detail: 'injected' } as const;
  const before = await stage({ beforeEffect: (n) => (n === FIRST ? { kind: 'result', result } : undefined) });
  expect(await before.session.perform(RESTART)).toEqual(result);
  expect(before.node.systemd.counts.restart).toBe(0);
  const after = await stage({ afterEffect: (n) => (n === FIRST ? { kind: 'result', result } : undefined) });
  expect(await after.session.perform(RESTART)).toEqual(result);
  expect(after.node.systemd.counts.restart).toBe(1);
});

test('a question can fail, and the operations are counted over all hosts', async () => {
  const { connector, session } = await stage({ beforeAsk: (n) => (n === 2 ? { kind: 'reject', failure: { kind: 'timeout', summary: 'injected' } } : undefined) });
  expect(await session.ask([{ ask: 'capability' }])).toHaveLength(1);
  await expect(session.ask([{ ask: 'capability' }])).rejects.toMatchObject({ failure: { kind: 'timeout' } });
  expect(await session.ask([{ ask: 'capability' }])).toHaveLength(1);
  expect(connector.operations.map(({ op }) => op)).toEqual(['openToWrite', 'effect', 'ask', 'ask', 'ask']);
});

test('when the controller crashes, nothing that it still waits for ever settles', async () => {
  const { node, connector, session } = await stage({ beforeEffect: (n) => (n === FIRST ? { kind: 'crash' } : undefined) });
  const ended: string[] = [];
  const note = (name: string) => () => void ended.push(name);
  void session.perform(RESTART).then(note('perform'), note('perform'));
  await connector.crashed;
  void session.ask([{ ask: 'capability' }]).then(note('ask'), note('ask'));
  void connector.openToRead(HOST, new AbortController().signal).then(note('open'), note('open'));
  await settled();
  expect(ended).toEqual([]);
  expect(node.systemd.counts.restart).toBe(0);
});

describe('a second controller', () => {
  test('takes over from one that crashed, which then changes nothing more', async () => {
    const { node, session, connector } = await stage({ beforeEffect: (n) => (n === FIRST ? { kind: 'late', then: 'crash' } : undefined) });
    void session.perform(RESTART);
    await connector.crashed;
    const second = fakeConnector(new Map([[node.name, node]]));
    const successor = await second.openToWrite(HOST, new AbortController().signal);
    expect(await successor.ask([{ ask: 'lock' }])).toMatchObject([{ value: { held: true, run: 'run-1', session: 'session-of-run-1' } }]);
    expect(await successor.perform({ do: 'lock', holder: holderOf('run-1', 'second') })).toEqual({ ok: true, happened: 'now' });
    expect(connector.deliverLate()).toMatchObject([{ ok: false, effect: 'none', reason: 'superseded' }]);
    expect(node.systemd.counts.restart).toBe(0);
    expect(await successor.perform(RESTART)).toMatchObject({ ok: true });
    await successor.close();
    expect(second.openSessions()).toBe(0);
  });

  test('is not in time for a request that arrives late, but before it takes over', async () => {
    const { node, session, connector } = await stage({ beforeEffect: (n) => (n === FIRST ? { kind: 'late', then: 'connectionLost' } : undefined) });
    await expect(session.perform(RESTART)).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    expect(node.systemd.counts.restart).toBe(0);
    expect(connector.deliverLate()).toMatchObject([{ ok: true }]);
    expect(connector.deliverLate()).toEqual([]);
    expect(node.systemd.counts.restart).toBe(1);
  });

  test('is not kept waiting, and not moved in time, by the sleepers of one that died', async () => {
    const { clock, session, connector } = await stage({ beforeAsk: () => ({ kind: 'crash' }) });
    const dead = clock.controller();
    const log: string[] = [];
    void dead.sleep(5_000).then(() => log.push('woke'));
    void connector.crashed.then(() => dead.stop());
    void session.ask([{ ask: 'capability' }]);
    await connector.crashed;
    await settled();
    void dead.sleep(1).then(() => log.push('woke'));
    await clock.controller().sleep(10_000);
    expect([clock.monotonicMs(), log]).toEqual([10_000, []]);
  });

  test('may also leave them be: they wake, ask the dead connection and get no answer', async () => {
    const { clock, session, connector } = await stage({ beforeAsk: () => ({ kind: 'crash' }) });
    const log: string[] = [];
    const retry = async (): Promise<void> => {
      await clock.sleep(5_000);
      log.push('woke');
      await session.ask([{ ask: 'capability' }]);
      log.push('answered');
    };
    void retry();
    void session.ask([{ ask: 'capability' }]);
    await connector.crashed;
    await clock.sleep(10_000);
    expect([clock.monotonicMs(), log]).toEqual([10_000, ['woke']]);
  });
});

describe('a node that loses its power', () => {
  test.each([
    ['before the effect', 'beforeEffect', 0],
    ['after the effect', 'afterEffect', 1],
  ] as const)('%s ends the session, answers nobody, and comes back for new sessions', async (_name, hook, restarts) => {
    const { clock, node, session, connector } = await stage({ [hook]: (n: number) => (n === FIRST ? { kind: 'powerCut', bootsAfterMs: 30_000 } : undefined) });
    await expect(session.perform(RESTART)).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    expect(node.systemd.counts.restart).toBe(restarts);
    await expect(connector.openToRead(HOST, new AbortController().signal)).rejects.toMatchObject({ failure: { kind: 'connectTimeout' } });
    clock.advance(30_000);
    await expect(session.ask([{ ask: 'capability' }])).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
    const again = await openLocked(connector);
    expect(await again.perform(RESTART)).toMatchObject({ ok: true });
    await again.close();
    expect(connector.openSessions()).toBe(0);
  });
});

describe('who cannot be reached', () => {
  test('an unknown host refuses the connection, and sudo that refuses is told apart', async () => {
    const { node, connector } = await stage();
    await expect(connector.openToRead({ ...HOST, name: 'other' }, new AbortController().signal)).rejects.toMatchObject({ failure: { kind: 'refusedConnection' } });
    const strict = createFakeNode({ name: 'node-1', clock: createVirtualClock(), spec: { layout: eksAl2, ailment: '' }, sudo: 'refused' });
    const other = fakeConnector(new Map([[node.name, strict]]));
    await expect(other.openToRead({ ...HOST, user: 'ops', become: 'sudo' }, new AbortController().signal)).rejects.toMatchObject({ failure: { kind: 'rootRefused' } });
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
