/**
 * Servers that stop anywhere or go on one byte at a time: each ends within the limit of the stage it stops in, and leaves no socket
 * behind. Here with short limits; the real ones are stated where they are chosen (30 s for a handshake, a start, 60 s for an answer).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { failureOf } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { Connector } from '../../src/core/ports.js';
import { createConnector } from '../../src/host/connector.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { compliantAl2023 } from '../fake/layouts.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import { controlCodeIn } from './control-codes.js';
import { SLOW_ENEMIES } from './enemies-slow.js';
import { startEnemyFleet, type EnemyFleet } from './enemy-fleet.js';

const FILE = { ask: 'file', path: '/etc/kubernetes/kubelet/config.json' } as const;
const never = new AbortController().signal;

let directory: string;
let fleet: EnemyFleet;
let hosts: ReadonlyMap<string, Host>;
let connector: Connector;
const outcomes = new Map<string, Failure | 'unknown'>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-slow-'));
  fleet = await startEnemyFleet(directory, [{ name: 'healthy', pool: 'healthy', spec: compliantAl2023 }], SLOW_ENEMIES);
  const parsed = parseInventory(fleet.inventoryPath, await readFile(fleet.inventoryPath, 'utf8'), { home: '/root' });
  hosts = new Map(parsed.map((host) => [host.name, host]));
  const transport = createPlainTransport({
    hostKeys: 'strict', knownHostsFiles: [fleet.knownHostsPath], defaultIdentityFiles: [], handshakeTimeoutMs: 2_000, exitGraceMs: 200, closeGraceMs: 200,
  });
  connector = createConnector(transport, { startTimeoutMs: 2_000, operationTimeoutMs: 2_000 });
  await Promise.all(SLOW_ENEMIES.map(async ({ name }) => outcomes.set(name, await lookAt(name))));
});
afterAll(async () => {
  await fleet.stop();
  await rm(directory, { recursive: true, force: true });
});

function hostOf(name: string): Host {
  const host = hosts.get(name);
  if (host === undefined) throw new Error(`no host ${name}`);
  return host;
}

async function lookAt(name: string): Promise<Failure | 'unknown'> {
  try {
    const session = await connector.openToRead(hostOf(name), never);
    try {
      const [answer] = await session.ask([FILE]);
      if (answer?.ok === false) return 'unknown';
      throw new Error(`${name} was believed`);
    } finally {
      await session.close();
    }
  } catch (thrown) {
    return failureOf(thrown);
  }
}

it.each(SLOW_ENEMIES.map(({ name, ends }) => [name, ends] as const))('%s ends in one clear outcome', (name, ends) => {
  const outcome = outcomes.get(name);
  expect(ends).toContain(outcome === 'unknown' || outcome === undefined ? outcome : outcome.kind);
  expect(controlCodeIn(JSON.stringify(outcome).replaceAll('\\n', ' '))).toBeUndefined();
  expect(JSON.stringify(outcome)).not.toMatch(/\\u00[01][0-9a-f]|\\u001b/);
});

it('a healthy node beside them answers as ever', async () => {
  const session = await connector.openToRead(hostOf('healthy'), never);
  expect(await session.ask([{ ask: 'capability' }])).toMatchObject([{ ok: true, value: { uid: 0 } }]);
  await session.close();
});
