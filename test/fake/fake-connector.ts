/**
 * A Connector straight to fake nodes, without bytes: fast enough for thousands of schedules. Every single
 * operation can be made to fail before or after it took effect, and the controller's world can be stopped.
 * Never breaks anything by itself: without hooks it always works.
 */
import type { Effect, EffectResult } from '../../src/core/effect.js';
import { FleetmendError, type Failure } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { Connector, ReadSession, WriteSession } from '../../src/core/ports.js';
import type { Answer, Query } from '../../src/core/query.js';
import type { FakeNode } from './fake-node.js';

export type Interruption =
  /** The connection breaks here; later calls of the session fail too. */
  | { readonly kind: 'connectionLost' }
  /** The call is rejected with this failure; the session lives on. */
  | { readonly kind: 'reject'; readonly failure: Failure }
  /** Only for effects: this is what the node reports, whatever it did. */
  | { readonly kind: 'result'; readonly result: EffectResult }
  /** The controller dies here: this call and every later one never settle, and `crashed` does. */
  | { readonly kind: 'crash' };

/** `n` counts from 1 over all hosts of this connector, per kind of operation. Returning nothing lets it pass. */
export interface ConnectorFaults {
  readonly beforeOpen?: (n: number, host: Host) => Interruption | undefined;
  readonly beforeAsk?: (n: number, host: Host, queries: readonly Query[]) => Interruption | undefined;
  /** The effect is not performed when this interrupts. */
  readonly beforeEffect?: (n: number, host: Host, effect: Effect) => Interruption | undefined;
  /** The effect has been performed. */
  readonly afterEffect?: (n: number, host: Host, effect: Effect, result: EffectResult) => Interruption | undefined;
}

export type Operation =
  | { readonly op: 'openToRead' | 'openToWrite' | 'close'; readonly host: string }
  | { readonly op: 'ask'; readonly host: string; readonly queries: readonly Query[] }
  | { readonly op: 'effect'; readonly host: string; readonly effect: Effect; readonly result?: EffectResult };

export interface FakeConnector extends Connector {
  /** Everything that was attempted, in order; an effect without `result` was interrupted. */
  readonly operations: readonly Operation[];
  /** How many sessions are open: a test asserts 0 at its end. */
  openSessions(): number;
  /** Settles when a hook crashed the controller. */
  readonly crashed: Promise<void>;
}

interface World {
  readonly faults: ConnectorFaults;
  readonly operations: Operation[];
  readonly counts: { opens: number; asks: number; effects: number; open: number };
  stopped: boolean;
  readonly stop: () => void;
}

/** Nodes are found by the host's name. */
export function fakeConnector(nodes: ReadonlyMap<string, FakeNode>, faults: ConnectorFaults = {}): FakeConnector {
  let stop = (): void => undefined;
  const crashed = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const world: World = { faults, operations: [], counts: { opens: 0, asks: 0, effects: 0, open: 0 }, stopped: false, stop: () => stop() };
  return {
    operations: world.operations,
    openSessions: () => world.counts.open,
    crashed,
    openToRead: async (host, signal): Promise<ReadSession> => {
      const { ask, hostKey, close } = await open(world, nodes, host, 'openToRead', signal);
      return { ask, hostKey, close };
    },
    openToWrite: (host, signal) => open(world, nodes, host, 'openToWrite', signal),
  };
}

async function open(
  world: World,
  nodes: ReadonlyMap<string, FakeNode>,
  host: Host,
  op: 'openToRead' | 'openToWrite',
  signal: AbortSignal,
): Promise<WriteSession> {
  await turn(world);
  if (signal.aborted) throw new FleetmendError({ kind: 'interrupted', summary: `${host.name}: interrupted` });
  world.operations.push({ op, host: host.name });
  world.counts.opens += 1;
  await interrupt(world, world.faults.beforeOpen?.(world.counts.opens, host), () => undefined);
  const node = nodes.get(host.name);
  if (node === undefined) throw new FleetmendError({ kind: 'refusedConnection', summary: `${host.name}: connection refused` });
  const uid = node.uidOf(host);
  if (uid === undefined) throw new FleetmendError({ kind: 'sudoRefused', summary: `${host.name}: sudo refused` });
  world.counts.open += 1;
  return makeSession(world, host, node, uid);
}

function makeSession(world: World, host: Host, node: FakeNode, uid: number): WriteSession {
  let state: 'open' | 'lost' | 'closed' = 'open';
  const lose = (): void => {
    if (state === 'open') world.counts.open -= 1;
    state = 'lost';
  };
  const begin = async (): Promise<void> => {
    await turn(world);
    if (state !== 'open') throw lost(host);
  };
  return {
    hostKey: node.hostKey,
    ask: async (queries): Promise<Answer[]> => {
      await begin();
      world.counts.asks += 1;
      world.operations.push({ op: 'ask', host: host.name, queries });
      await interrupt(world, world.faults.beforeAsk?.(world.counts.asks, host, queries), lose);
      return queries.map((query) => node.ask(query, uid));
    },
    perform: async (effect): Promise<EffectResult> => {
      await begin();
      world.counts.effects += 1;
      const n = world.counts.effects;
      const index = world.operations.push({ op: 'effect', host: host.name, effect }) - 1;
      const refused = await interrupt(world, world.faults.beforeEffect?.(n, host, effect), lose);
      const result = refused ?? node.perform(effect, uid);
      world.operations[index] = { op: 'effect', host: host.name, effect, result };
      if (refused !== undefined) return refused;
      return (await interrupt(world, world.faults.afterEffect?.(n, host, effect, result), lose)) ?? result;
    },
    close: async () => {
      await turn(world);
      if (state === 'open') world.counts.open -= 1;
      if (state !== 'closed') world.operations.push({ op: 'close', host: host.name });
      state = 'closed';
    },
  };
}

/** One turn of the event loop, as a real connection would take at least; for ever once the world has stopped. */
async function turn(world: World): Promise<void> {
  await Promise.resolve();
  if (world.stopped) await forever();
}

async function interrupt(world: World, interruption: Interruption | undefined, lose: () => void): Promise<EffectResult | undefined> {
  switch (interruption?.kind) {
    case undefined:
      return undefined;
    case 'result':
      return interruption.result;
    case 'reject':
      throw new FleetmendError(interruption.failure);
    case 'connectionLost':
      lose();
      throw new FleetmendError({ kind: 'connectionLost', summary: 'connection lost' });
    case 'crash':
      world.stopped = true;
      world.stop();
      return await forever();
  }
}

function forever(): Promise<never> {
  return new Promise<never>(() => undefined);
}

function lost(host: Host): FleetmendError {
  return new FleetmendError({ kind: 'connectionLost', summary: `${host.name}: the connection is gone` });
}
