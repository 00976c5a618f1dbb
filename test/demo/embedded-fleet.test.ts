/** The embedded fleet is reachable over real SSH with exactly what it wrote into its folder, and leaves nothing listening. */
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from '../../src/ssh/ssh2.js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFrameParser, decodeAnswers, encodeRequest, startCommand } from '../../src/host/wire.js';
import { createConnector } from '../../src/host/connector.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import { zeroFlagInDropIn, zeroInYaml } from '../fake/layouts.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { newKey, type EmbeddedFleet, startEmbeddedFleet } from './embedded-fleet.js';

const NONCE = '0123456789abcdef0123456789abcdef';
const QUERIES = [{ ask: 'capability' }, { ask: 'unit', unit: 'kubelet.service' }] as const;

let directory: string;
let fleet: EmbeddedFleet;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-fleet-test-'));
  fleet = await startEmbeddedFleet(directory, [
    { name: 'node-1', spec: zeroFlagInDropIn, pool: 'pool-a' },
    { name: 'node-2', spec: zeroInYaml, pool: 'pool-b' },
  ]);
});

afterEach(async () => {
  await fleet.stop();
  await rm(directory, { recursive: true, force: true });
});

/** One visit by a plain client: the output, and the host key that it saw. */
async function visit(port: number, privateKey: string | Buffer): Promise<{ output: Buffer; hostKey: string; code: number | undefined }> {
  const client = new ssh2.Client();
  let hostKey = '';
  try {
    return await new Promise((resolve, reject) => {
      // Two errors are normal: refused, then the socket.
      client.on('error', reject);
      client.once('ready', () => {
        client.exec(startCommand('none', NONCE), (error, channel) => {
          if (error) {
            reject(error);
            return;
          }
          const out: Buffer[] = [];
          let code: number | undefined;
          channel.on('data', (chunk: Buffer) => out.push(chunk));
          channel.on('exit', (status: number) => {
            code = status;
          });
          channel.on('close', () => resolve({ output: Buffer.concat(out), hostKey, code }));
          channel.stderr.resume();
          channel.end(`some() { library; }\n${encodeRequest({ nonce: NONCE, seq: 1, body: { kind: 'ask', queries: QUERIES } })}`);
        });
      });
      client.connect({
        host: '127.0.0.1', port, username: 'root', privateKey,
        hostVerifier: (key: Buffer) => {
          hostKey = key.toString('base64');
          return true;
        },
      });
    });
  } finally {
    client.end();
  }
}

test('every node answers over SSH under the host key of known_hosts', async () => {
  const knownHosts = await readFile(fleet.knownHostsPath, 'utf8');
  for (const { node, port } of fleet.hosts) {
    const { output, hostKey, code } = await visit(port, await readFile(fleet.identityFile));
    const [frame] = createFrameParser(NONCE).push(output);
    expect(frame && decodeAnswers(NONCE, QUERIES, frame.stream)).toMatchObject([{ value: { hostname: node.name, uid: 0 } }, { value: { properties: { ActiveState: 'active' } } }]);
    expect(knownHosts).toContain(`[127.0.0.1]:${port} ssh-ed25519 ${hostKey}\n`);
    expect(code).toBe(0);
  }
});

test('the tool itself visits every node: strict host keys, key file, questions and effects', async () => {
  const transport = createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [fleet.knownHostsPath], defaultIdentityFiles: [] });
  const connector = createConnector(transport);
  const hosts = parseInventory(fleet.inventoryPath, await readFile(fleet.inventoryPath, 'utf8'), { home: '/root' });
  for (const [index, host] of hosts.entries()) {
    const session = await connector.openToWrite(host, new AbortController().signal);
    try {
      expect(await session.ask(QUERIES)).toMatchObject([{ ok: true, value: { hostname: host.name } }, { ok: true, value: { properties: { ActiveState: 'active' } } }]);
      const holder = { run: 'r', who: 'a@b', session: 's', staleAfterMs: 1000 };
      expect(await session.perform({ do: 'lock', holder })).toEqual({ ok: true, happened: 'now' });
      expect(await session.perform({ do: 'restart', run: 'r', way: 'unguarded', unit: 'kubelet.service', timeoutMs: 1000 })).toEqual({ ok: true, happened: 'now' });
    } finally {
      await session.close();
    }
    expect(fleet.hosts[index]?.node.systemd.counts.restart).toBe(1);
  }
});

test('another key is turned away', async () => {
  const stranger = newKey('stranger').private;
  await expect(visit(fleet.hosts[0]?.port ?? 0, stranger)).rejects.toMatchObject({ level: 'client-authentication' });
});

test('the client key is private and the inventory is a valid one that names every node', async () => {
  expect((await stat(fleet.identityFile)).mode & 0o777).toBe(0o600);
  const hosts = parseInventory(fleet.inventoryPath, await readFile(fleet.inventoryPath, 'utf8'), { home: '/root' });
  expect(hosts).toMatchObject(fleet.hosts.map(({ member, port }) => ({
    name: member.name, address: '127.0.0.1', port, user: 'root', identityFile: fleet.identityFile, labels: { group: member.pool },
  })));
});

test('after stop no port is open', async () => {
  await fleet.stop();
  await fleet.stop();
  for (const { port } of fleet.hosts) {
    const outcome = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve('open');
      });
      socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
    expect(outcome).toBe('ECONNREFUSED');
  }
});
