/** The contract with ssh2's unpromised parts. A failure here means: read ssh2-internals.ts again before you change the version. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import ssh2 from '../../src/ssh/ssh2.js';
import type { ConnectConfig } from '../../src/ssh/ssh2.js';
import { expect, it } from 'vitest';
import { hasIdentification, ignoreHostKeyAnnouncements, troubleOf, wakeChannel, watchChannels } from '../../src/ssh/ssh2-internals.js';
import type { ClientTrouble } from '../../src/ssh/ssh2-internals.js';
import { createLab, tcpServerForTest } from './lab.js';

/** Troubles of a bare ssh2 client until it closes. */
function troublesOf(config: ConnectConfig): Promise<ClientTrouble[]> {
  const troubles: ClientTrouble[] = [];
  const client = new ssh2.Client();
  client.on('error', (error) => troubles.push(troubleOf(error)));
  const closed = new Promise<ClientTrouble[]>((resolve) => client.on('close', () => resolve(troubles)));
  client.connect({ host: '127.0.0.1', username: 'tester', hostVerifier: () => true, ...config });
  return closed;
}

it('the version is the one that this file was written for', () => {
  const path = createRequire(import.meta.url).resolve('ssh2/package.json');
  expect((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version).toBe('1.17.0');
});

it('the handler of global requests is where we look for it', async () => {
  const lab = await createLab();
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  expect(ignoreHostKeyAnnouncements(client)).toBe(false);
  client.connect({ host: '127.0.0.1', port: lab.server.port, username: 'tester', hostVerifier: () => true });
  expect(ignoreHostKeyAnnouncements(client)).toBe(true);
  client.destroy();
});

it('the handlers of channels and the identification are where we look for them', async () => {
  const lab = await createLab();
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  const watch = { onOutput: () => undefined, onBreach: () => undefined };
  expect(watchChannels(client, watch)).toBe(false);
  client.connect({ host: '127.0.0.1', port: lab.server.port, username: 'tester', hostVerifier: () => true });
  expect([watchChannels(client, watch), hasIdentification(client)]).toEqual([true, false]);
  await new Promise((resolve) => client.once('handshake', resolve));
  expect(hasIdentification(client)).toBe(true);
  client.destroy();
});

it('a channel says where we look for it whether it waits for its reader', async () => {
  const lab = await createLab();
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  client.connect({ host: '127.0.0.1', port: lab.server.port, username: 'tester', privateKey: lab.userKey.privateText, hostVerifier: () => true });
  await new Promise<void>((resolve) => client.on('ready', () => resolve()));
  const waits = await new Promise((resolve) => client.exec('true', (_error, channel) => resolve((channel as unknown as { _waitChanDrain: unknown })._waitChanDrain)));
  expect(waits).toBe(false);
  client.destroy();
});

it.each([
  ['waits although everything was taken', { _waitChanDrain: true, readableLength: 0, stderr: { readableLength: 0 } }, 1],
  ['waits for output that nobody took yet', { _waitChanDrain: true, readableLength: 9, stderr: { readableLength: 0 } }, 0],
  ['waits for complaints that nobody took yet', { _waitChanDrain: true, readableLength: 0, stderr: { readableLength: 9 } }, 0],
  ['does not wait', { _waitChanDrain: false, readableLength: 0, stderr: { readableLength: 0 } }, 0],
])('only a channel that waits for nothing is woken: one that %s', (_, channel, times) => {
  let woken = 0;
  wakeChannel({ ...channel, _read: () => (woken += 1) } as never);
  expect(woken).toBe(times);
});

it('only the announcement of host keys is kept from ssh2, and it is answered when an answer is wanted', () => {
  const passed: string[] = [];
  let refusals = 0;
  const handlers = { GLOBAL_REQUEST: (_protocol: unknown, name: string) => passed.push(name) as unknown };
  const client = { _protocol: { _handlers: handlers } };
  expect(ignoreHostKeyAnnouncements(client as never)).toBe(true);
  const handle = handlers.GLOBAL_REQUEST as (protocol: unknown, name: string, wantsReply: boolean, data: unknown) => unknown;
  const protocol = { requestFailure: () => (refusals += 1) };
  handle(protocol, 'hostkeys-00@openssh.com', false, []);
  handle(protocol, 'hostkeys-00@openssh.com', true, []);
  handle(protocol, 'keepalive@openssh.com', true, undefined);
  expect([passed, refusals]).toEqual([['keepalive@openssh.com'], 1]);
});

it.each([undefined, null, {}, { _protocol: {} }, { _protocol: { _handlers: {} } }, 'text'])('an unexpected client (%j) is left alone', (client) => {
  expect(ignoreHostKeyAnnouncements(client as never)).toBe(false);
});

it('a refused connection is socket trouble', async () => {
  const server = await tcpServerForTest(() => undefined);
  await server.close();
  expect(await troublesOf({ port: server.port })).toEqual(['socket']);
});

it('a handshake that takes too long is two errors, the second after the end', async () => {
  const server = await tcpServerForTest(() => undefined);
  expect(await troublesOf({ port: server.port, readyTimeout: 30 })).toEqual(['keepAlive', 'protocol']);
});

it('nothing in common and a refused host key are handshake trouble', async () => {
  const lab = await createLab();
  expect(await troublesOf({ port: lab.server.port, algorithms: { cipher: ['aes256-cbc'] } as never })).toEqual(['handshake']);
  expect(await troublesOf({ port: lab.server.port, hostVerifier: () => false })).toEqual(['handshake']);
});

it('a goodbye of the server is told by its reason code', async () => {
  const lab = await createLab({
    onAuthentication: (_context, client) => (client as unknown as { _protocol: { disconnect(reason: number): void } })._protocol.disconnect(2),
  });
  const closing = troublesOf({ port: lab.server.port });
  expect(await closing).toEqual(['disconnect']);
});

it('junk is protocol trouble', async () => {
  const server = await tcpServerForTest((socket) => socket.write(Buffer.concat([Buffer.from('SSH-2.0-Junk\r\n'), Buffer.alloc(64, 0xff)])));
  expect(await troublesOf({ port: server.port, readyTimeout: 200 }).then((troubles) => troubles[0])).toBe('protocol');
});
