/** Every way in which a host cannot be reached has its own kind, and none leaves a socket or a crash behind. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { UNREACHABLE_KINDS } from '../../src/core/failure.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createLab, never, tcpServerForTest, transportToAnything } from './lab.js';
import { endChild } from './sshd.js';
import { failureIn, hostAt } from './scratch.js';

const whenClosed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve).resume());

it('a name without an address is a dns failure', async () => {
  const resolve = (): Promise<never> => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
  const failure = await failureIn(transportToAnything({ resolve }).open(hostAt(22, { address: 'no.such.host' }), 'true', never));
  expect(failure).toMatchObject({ kind: 'dns', summary: 'no.such.host could not be resolved (ENOTFOUND)', target: 'no.such.host' });
});

it('a name server that does not answer is a dns failure within the connect timeout', async () => {
  const failure = await failureIn(transportToAnything({ resolve: () => new Promise(() => undefined) }).open(hostAt(22, { address: 'slow', connectTimeoutMs: 20 }), 'true', never));
  expect(failure.kind).toBe('dns');
});

it('a closed port is refused', async () => {
  const server = await tcpServerForTest(() => undefined);
  await server.close();
  expect(await failureIn(transportToAnything().open(hostAt(server.port), 'true', never))).toMatchObject({ kind: 'refusedConnection', target: `127.0.0.1:${server.port}` });
});

it('the next address of a name is tried when the first one refuses', async () => {
  const lab = await createLab();
  const transport = lab.transport({
    resolve: () => Promise.resolve(['127.0.0.2', '127.0.0.1']),
    knownHostsFiles: [lab.scratch.write('named', `[some.host]:${lab.server.port} ${lab.hostKey.publicText}\n`)],
  });
  const shell = await transport.open({ ...lab.host, address: 'some.host' }, 'true', never);
  await shell.close();
});

it('an address that swallows packets is a connect timeout', async () => {
  // A process that never accepts, and a queue that is full: the kernel drops what comes next.
  const program = `const s=require('net').createServer();s.listen({port:0,host:'127.0.0.1',backlog:1},()=>{require('fs').writeSync(1,s.address().port+'\\n');Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0)})`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'ignore'] });
  const fillers: Socket[] = [];
  onTestFinished(async () => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
    await endChild(child);
  });
  const port = Number((await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))).toString());
  for (let index = 0; index < 8; index += 1) fillers.push(connect(port, '127.0.0.1').on('error', () => undefined));
  const connected = fillers.map((filler) => new Promise<void>((resolve) => filler.once('connect', () => resolve())));
  await Promise.all(connected.slice(0, 2));
  const failure = await failureIn(transportToAnything().open(hostAt(port, { connectTimeoutMs: 200 }), 'true', never));
  expect(failure).toMatchObject({ kind: 'connectTimeout' });
});

it('accept-then-close is lost before the handshake and names MaxStartups', async () => {
  const server = await tcpServerForTest((socket) => socket.end());
  const failure = await failureIn(transportToAnything().open(hostAt(server.port), 'true', never));
  expect(failure.kind).toBe('lostBeforeHandshake');
  expect(failure.next).toContain('MaxStartups');
});

it('a reset is lost before the handshake, although ssh2 emits errors twice then', async () => {
  const server = await tcpServerForTest((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect((await failureIn(transportToAnything().open(hostAt(server.port), 'true', never))).kind).toBe('lostBeforeHandshake');
});

it('what a throttling server says is quoted without control codes', async () => {
  const server = await tcpServerForTest((socket) => socket.end('Exceeded \u001b[31mMaxStartups\u202e\r\n'));
  const failure = await failureIn(transportToAnything().open(hostAt(server.port), 'true', never));
  expect(failure).toMatchObject({ kind: 'lostBeforeHandshake', detail: expect.stringContaining('the server said: Exceeded [31mMaxStartups') as string });
  expect(JSON.stringify(failure)).not.toMatch(/\\u001b|\\u202e/);
});

it('a silent server is a handshake timeout, and the socket is gone', async () => {
  const server = await tcpServerForTest(() => undefined);
  const failure = await failureIn(transportToAnything({ handshakeTimeoutMs: 50 }).open(hostAt(server.port), 'true', never));
  expect(failure).toMatchObject({ kind: 'handshakeTimeout', detail: 'the server accepted the connection and said nothing' });
  await Promise.all([...server.sockets].map(whenClosed));
});

it('a text server that keeps the connection is a handshake timeout that quotes it', async () => {
  const server = await tcpServerForTest((socket) => socket.write('220 mail.example ESMTP\r\n'));
  // Its text must be there before the time is over, on a busy machine too.
  const failure = await failureIn(transportToAnything({ handshakeTimeoutMs: 1_500 }).open(hostAt(server.port), 'true', never));
  expect(failure).toMatchObject({ kind: 'handshakeTimeout', detail: 'the server said: 220 mail.example ESMTP' });
});

it('an HTTP server is named by what it answers', async () => {
  const server = await tcpServerForTest((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')));
  const failure = await failureIn(transportToAnything().open(hostAt(server.port), 'true', never));
  expect(failure.detail).toContain('HTTP/1.1 400 Bad Request');
  expect(UNREACHABLE_KINDS).toContain(failure.kind);
});

it('junk after the banner is a protocol failure, and the socket goes although the peer keeps it', async () => {
  const server = await tcpServerForTest((socket) => socket.write(Buffer.concat([Buffer.from('SSH-2.0-Junk\r\n'), Buffer.alloc(64, 0xff)])), { allowHalfOpen: true });
  const arrived = server.nextConnection();
  const failure = await failureIn(transportToAnything().open(hostAt(server.port), 'true', never));
  expect(failure.kind).toBe('protocol');
  const peer = await arrived;
  await new Promise((resolve) => peer.resume().once('end', resolve).once('error', resolve).once('close', resolve));
});

it.each([
  ['group exchange only', { kex: ['diffie-hellman-group-exchange-sha256'] }, 'key exchange'],
  ['SHA-1 key exchange only', { kex: ['diffie-hellman-group14-sha1'] }, 'key exchange'],
  ['CBC only', { cipher: ['aes256-cbc'] }, 'cipher'],
  ['SHA-1 integrity only', { cipher: ['aes128-ctr'], hmac: ['hmac-sha1'] }, 'integrity check'],
  ['compression only', { compress: ['zlib@openssh.com'] }, 'compression mode'],
] as const)('a server with %s has no algorithm in common with us', async (_name, algorithms, category) => {
  const lab = await createLab({ algorithms: algorithms as never });
  const failure = await failureIn(lab.transport().open(lab.host, 'true', never));
  expect(failure.kind).toBe('noCommonAlgorithm');
  expect(failure.summary).toContain(category);
  expect(failure.detail).toContain(Object.values(algorithms).at(-1)?.[0]);
});

it('a server that signs with SHA-1 only (ssh-rsa) has no host key type in common with us', async () => {
  const lab = await createLab({ hostKeyKind: 'rsa', algorithms: { serverHostKey: ['ssh-rsa'] } as never });
  expect(await failureIn(lab.transport().open(lab.host, 'true', never))).toMatchObject({ kind: 'noCommonAlgorithm', summary: expect.stringContaining('host key type') as string });
});

it('chacha20 with strict key exchange works', async () => {
  const lab = await createLab({ algorithms: { cipher: ['chacha20-poly1305@openssh.com'] } as never });
  await (await lab.transport().open(lab.host, 'true', never)).close();
});

it('chacha20 without strict key exchange is refused (CVE-2023-48795)', async () => {
  // ssh2's server adds its strict marker with concat().
  const kex = Object.assign(['curve25519-sha256'], { concat: () => ['curve25519-sha256'] });
  const lab = await createLab({ algorithms: { kex, cipher: ['chacha20-poly1305@openssh.com'] } as never });
  expect(await failureIn(lab.transport().open(lab.host, 'true', never))).toMatchObject({
    kind: 'noCommonAlgorithm', detail: expect.stringContaining('without strict key exchange') as string,
  });
  const safe = await createLab({ algorithms: { kex, cipher: ['aes128-gcm@openssh.com'] } as never });
  await (await safe.transport().open(safe.host, 'true', never)).close();
});

it('a server that refuses our key is an authentication failure with the fingerprint, asked once', async () => {
  const attempts: string[] = [];
  const lab = await createLab({
    onAuthentication: (context) => {
      attempts.push(context.method);
      context.reject(['publickey']);
    },
  });
  const failure = await failureIn(lab.transport().open(lab.host, 'true', never));
  expect(failure.kind).toBe('authentication');
  expect(failure.detail).toContain(`tried: ssh-ed25519 ${fingerprintOf(lab.userKey.blob)}`);
  expect(attempts).toEqual(['publickey']);
});

it('a server that takes passwords only is told apart', async () => {
  const lab = await createLab({ onAuthentication: (context) => context.reject(['password']) });
  const failure = await failureIn(lab.transport().open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('only: password') as string });
});

it('a server that wants a second factor is told apart', async () => {
  const lab = await createLab({ onAuthentication: (context) => context.reject(['keyboard-interactive'], true) });
  const failure = await failureIn(lab.transport().open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('also wants: keyboard-interactive') as string });
});

it('a connection that ends during the login is not called an authentication failure', async () => {
  const lab = await createLab({ onAuthentication: (_context, client) => client.end() });
  expect((await failureIn(lab.transport().open(lab.host, 'true', never))).kind).toBe('lostBeforeHandshake');
});

it('a refused channel is a channel failure', async () => {
  const lab = await createLab({ onSession: (_accept, reject) => reject() });
  expect((await failureIn(lab.transport().open(lab.host, 'true', never))).kind).toBe('channelRefused');
});

it('a refused command is a channel failure', async () => {
  const lab = await createLab({ onSession: (accept) => void accept().on('exec', (_accept, reject) => reject()) });
  expect((await failureIn(lab.transport().open(lab.host, 'true', never))).kind).toBe('channelRefused');
});

it('a server that never answers the command is a channel failure', async () => {
  const lab = await createLab({ onSession: (accept) => void accept().on('exec', () => undefined) });
  expect((await failureIn(lab.transport({ handshakeTimeoutMs: 3_000 }).open(lab.host, 'true', never))).kind).toBe('channelRefused');
});

it('a connection that ends before the command started is an unreachable kind', async () => {
  const lab = await createLab({ onSession: (_accept, _reject, client) => void client.end() });
  expect((await failureIn(lab.transport().open(lab.host, 'true', never))).kind).toBe('channelRefused');
});
