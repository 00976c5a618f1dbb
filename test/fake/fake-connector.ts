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
import type { Actor, Asker, FakeNode } from './fake-node.js';

export type Interruption =
  /** The connection breaks here; later calls of the session fail too. `why`: where a server on the way took it with it. */
  | { readonly kind: 'connectionLost'; readonly why?: Failure }
  /** The call is rejected with this failure; the session lives on. */
  | { readonly kind: 'reject'; readonly failure: Failure }
  /** Only for effects: this is what the node reports, whatever it did. */
  | { readonly kind: 'result'; readonly result: EffectResult }
  /** The controller dies here: this call and every later one never settle, and `crashed` does. */
  | { readonly kind: 'crash' }
  /**
   * Only before an effect: its request is on the way when the connection breaks or the controller dies, and reaches
   * the node when `deliverLate` is called.
   */
  | { readonly kind: 'late'; readonly then: 'connectionLost' | 'crash' }
  /** The node loses its power, and the session with it. It boots by itself after `bootsAfterMs`, or never. */
  | { readonly kind: 'powerCut'; readonly bootsAfterMs?: number };

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
  /** Settles when a hook crashed the controller. Others' connectors to the same nodes live on. */
  readonly crashed: Promise<void>;
  /** Lets the requests that were `late` reach their nodes now, in order; gives what became of them there. */
  deliverLate(): EffectResult[];
}

interface World {
  readonly faults: ConnectorFaults;
  readonly operations: Operation[];
  readonly counts: { opens: number; asks: number; effects: number; open: number };
  late: (() => EffectResult | undefined)[];
  stopped: boolean;
  readonly stop: () => void;
}

/** Nodes are found by the host's name. */
export function fakeConnector(nodes: ReadonlyMap<string, FakeNode>, faults: ConnectorFaults = {}): FakeConnector {
  let stop = (): void => undefined;
  const crashed = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const world: World = { faults, operations: [], counts: { opens: 0, asks: 0, effects: 0, open: 0 }, late: [], stopped: false, stop: () => stop() };
  return {
    operations: world.operations,
    openSessions: () => world.counts.open,
    crashed,
    deliverLate: () => {
      const arrived = world.late.flatMap((arrive) => arrive() ?? []);
      world.late = [];
      return arrived;
    },
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
  const node = nodes.get(host.name);
  await interrupt(world, world.faults.beforeOpen?.(world.counts.opens, host), { node, lose: () => undefined });
  if (node === undefined) throw new FleetmendError({ kind: 'refusedConnection', summary: `${host.name}: connection refused` });
  if (node.life === undefined) throw new FleetmendError({ kind: 'connectTimeout', summary: `${host.name}: no answer` });
  const uid = node.uidOf(host);
  if (uid === undefined) throw new FleetmendError({ kind: 'rootRefused', summary: `${host.name}: sudo refused` });
  world.counts.open += 1;
  return makeSession(world, host, node, { uid, ...(op === 'openToWrite' ? { visit: node.newVisit() } : {}) });
}

function makeSession(world: World, host: Host, node: FakeNode, asker: Asker): WriteSession {
  const { life } = node;
  const actor: Actor = { uid: 0, visit: 0, ...asker };
  let state: 'open' | 'lost' | 'closed' = 'open';
  const lose = (): void => {
    if (state === 'open') world.counts.open -= 1;
    state = 'lost';
  };
  /** A node that went down has ended this session, whether it came up again or not. */
  const stillThere = (): void => {
    if (node.life !== life) lose();
    if (state !== 'open') throw lost(host);
  };
  const begin = async (): Promise<void> => {
    await turn(world);
    stillThere();
  };
  const suffer = async (interruption: Interruption | undefined, arrive?: () => EffectResult | undefined): Promise<EffectResult | undefined> => {
    const result = await interrupt(world, interruption, { node, lose, ...(arrive === undefined ? {} : { arrive }) });
    // Another host's operation may have crashed the controller in this turn.
    return world.stopped ? await forever() : result;
  };
  return {
    hostKey: node.hostKey,
    ask: async (queries): Promise<Answer[]> => {
      await begin();
      world.counts.asks += 1;
      world.operations.push({ op: 'ask', host: host.name, queries });
      await suffer(world.faults.beforeAsk?.(world.counts.asks, host, queries));
      stillThere();
      return queries.map((query) => node.ask(query, asker));
    },
    perform: async (effect): Promise<EffectResult> => {
      await begin();
      world.counts.effects += 1;
      const n = world.counts.effects;
      const index = world.operations.push({ op: 'effect', host: host.name, effect }) - 1;
      const arrive = (): EffectResult | undefined => (node.life === life ? node.perform(effect, actor) : undefined);
      const refused = await suffer(world.faults.beforeEffect?.(n, host, effect), arrive);
      stillThere();
      const result = refused ?? node.perform(effect, actor);
      world.operations[index] = { op: 'effect', host: host.name, effect, result };
      if (refused !== undefined) return refused;
      const changed = await suffer(world.faults.afterEffect?.(n, host, effect, result));
      stillThere();
      return changed ?? result;
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

interface Place {
  readonly node: FakeNode | undefined;
  readonly lose: () => void;
  /** The request reaches the node after all. */
  readonly arrive?: () => EffectResult | undefined;
}

async function interrupt(world: World, interruption: Interruption | undefined, { node, lose, arrive }: Place): Promise<EffectResult | undefined> {
  switch (interruption?.kind) {
    case undefined:
      return undefined;
    case 'result':
      return interruption.result;
    case 'reject':
      throw new FleetmendError(interruption.failure);
    case 'powerCut':
      node?.powerCut(interruption.bootsAfterMs);
      return breakConnection(lose);
    case 'connectionLost':
      return breakConnection(lose, interruption.why);
    case 'crash':
      return await stopWorld(world);
    case 'late':
      if (arrive !== undefined) world.late.push(arrive);
      return interruption.then === 'crash' ? await stopWorld(world) : breakConnection(lose);
  }
}

function breakConnection(lose: () => void, why: Failure = { kind: 'connectionLost', summary: 'connection lost' }): never {
  lose();
  throw new FleetmendError(why);
}

function stopWorld(world: World): Promise<never> {
  world.stopped = true;
  world.stop();
  return forever();
}

function forever(): Promise<never> {
  return new Promise<never>(() => undefined);
}

function lost(host: Host): FleetmendError {
  return new FleetmendError({ kind: 'connectionLost', summary: `${host.name}: the connection is gone` });
}
