/** A fleet with enemies in it: healthy nodes of the embedded fleet, and beside each enemy an entry of the same inventory. */
import { appendFile, readFile } from 'node:fs/promises';
import { createFakeNode, type FakeNode } from '../fake/fake-node.js';
import { serveFakeNode } from '../fake/fake-protocol.js';
import { zeroInJson } from '../fake/layouts.js';
import { type EmbeddedFleet, type FleetMember, startEmbeddedFleet } from '../demo/embedded-fleet.js';
import { nonceOfCommand } from '../../src/host/wire.js';
import ssh2 from '../../src/ssh/ssh2.js';
import { makeKey } from '../ssh/scratch.js';
import { authorize, startTcpServer, type TcpTestServer } from '../ssh/test-server.js';
import type { Enemy } from './enemy.js';

export interface EnemyFleet extends EmbeddedFleet {
  readonly enemies: readonly Enemy[];
}

const CLOCK = { now: () => new Date(), monotonicMs: () => performance.now() };

/** `directory` must exist and is the caller's to remove. */
export async function startEnemyFleet(directory: string, members: readonly FleetMember[], enemies: readonly Enemy[]): Promise<EnemyFleet> {
  const fleet = await startEmbeddedFleet(directory, members);
  const servers: TcpTestServer[] = [];
  const key = makeKey();
  const client = ssh2.utils.parseKey(await readFile(fleet.identityFile));
  if (client instanceof Error) throw client;
  for (const enemy of enemies) servers.push(await startEnemy(enemy, key.privateText, client.getPublicSSH()));
  const entries = enemies.map(({ name, entry = '' }, index) => `      - { name: ${name}, address: 127.0.0.1, port: ${servers[index]?.port ?? 0}${entry} }\n`);
  await appendFile(fleet.inventoryPath, `  enemies:\n    hosts:\n${entries.join('')}`);
  await appendFile(fleet.knownHostsPath, servers.map(({ port }) => `[127.0.0.1]:${port} ${key.publicText}\n`).join(''));
  return {
    ...fleet, enemies,
    stop: async () => {
      await Promise.all([fleet.stop(), ...servers.map((server) => server.close())]);
    },
  };
}

async function startEnemy(enemy: Enemy, hostKey: string, user: Buffer): Promise<TcpTestServer> {
  if (enemy.tcp) return await startTcpServer(enemy.tcp, { allowHalfOpen: true });
  const { algorithms, onAuthentication, onSession, onExec } = enemy.ssh ?? {};
  const node = createFakeNode({ name: enemy.name, clock: CLOCK, spec: zeroInJson });
  const ssh = new ssh2.Server({ hostKeys: [hostKey], ...(algorithms ? { algorithms } : {}) }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => (onAuthentication ?? authorize([user]))(context, connection));
    connection.on('session', (accept, reject) => {
      if (onSession) return onSession(accept, reject, connection);
      accept().on('exec', (acceptExec, _reject, { command }) => {
        const channel = acceptExec();
        channel.on('error', () => undefined);
        channel.stderr.on('error', () => undefined);
        if (onExec) return onExec(channel, command, connection);
        const nonce = nonceOfCommand(command) ?? '';
        if (enemy.shell) return enemy.shell(channel, nonce, connection);
        void serveFakeNode(enemy.lie ? lyingNode(node, enemy.lie) : node, channel, command).then((code) => {
          if (!channel.writable) return;
          channel.exit(code);
          channel.end();
        });
      });
    });
    enemy.onConnection?.(connection);
  });
  return await startTcpServer((socket) => ssh.injectSocket(socket));
}

function lyingNode(node: FakeNode, lie: NonNullable<Enemy['lie']>): FakeNode {
  return new Proxy(node, {
    get: (target, name) => (name === 'ask' ? (...[query, asker]: Parameters<FakeNode['ask']>) => lie(query, target.ask(query, asker)) : Reflect.get(target, name) as unknown),
  });
}
