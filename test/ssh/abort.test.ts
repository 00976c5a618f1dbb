/** An abort in any phase rejects at once and closes the connection. */
import { expect, it } from 'vitest';
import type { Socket } from 'node:net';
import { FleetmendError } from '../../src/core/failure.js';
import { createLab, never, tcpServerForTest, transportToAnything } from './lab.js';
import { createSignal, failureIn, hostAt } from './scratch.js';
import type { TcpTestServer } from './test-server.js';

async function allClosed(server: TcpTestServer): Promise<void> {
  await Promise.all([...server.sockets].map((socket: Socket) => new Promise((resolve) => socket.once('close', resolve).resume())));
}

it('while the name is being resolved', async () => {
  const asked = createSignal();
  const controller = new AbortController();
  const transport = transportToAnything({
    resolve: () => {
      asked.tell();
      return new Promise(() => undefined);
    },
  });
  const failure = failureIn(transport.open(hostAt(22, { address: 'slow' }), 'true', controller.signal));
  await asked.happened;
  controller.abort();
  expect((await failure).kind).toBe('interrupted');
});

it('while waiting for its turn to look a name up: no more than three are looked up at once, and those that wait never are', async () => {
  const looked: string[] = [];
  const transport = transportToAnything({
    resolve: (name) => {
      looked.push(name);
      return new Promise(() => undefined);
    },
  });
  const controller = new AbortController();
  const failures = ['a', 'b', 'c', 'd', 'e'].map((address) => failureIn(transport.open(hostAt(22, { address, connectTimeoutMs: 60_000 }), 'true', controller.signal)));
  while (looked.length < 3) await new Promise((resolve) => setImmediate(resolve));
  controller.abort();
  expect((await Promise.all(failures)).map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'interrupted'));
  expect(looked).toHaveLength(3);
});

it('while waiting for the banner', async () => {
  const server = await tcpServerForTest(() => undefined);
  const controller = new AbortController();
  const arrived = server.nextConnection();
  const failure = failureIn(transportToAnything().open(hostAt(server.port), 'true', controller.signal));
  await arrived;
  controller.abort();
  expect((await failure).kind).toBe('interrupted');
  await allClosed(server);
});

it('in the middle of the key exchange', async () => {
  const started = createSignal();
  const server = await tcpServerForTest((socket) => {
    socket.write('SSH-2.0-Slow\r\n');
    socket.on('data', (data: Buffer) => {
      if (data.includes('curve25519')) started.tell();
    });
  });
  const controller = new AbortController();
  const failure = failureIn(transportToAnything().open(hostAt(server.port), 'true', controller.signal));
  await started.happened;
  controller.abort();
  expect((await failure).kind).toBe('interrupted');
  await allClosed(server);
});

it('while waiting for a place among the handshakes', async () => {
  const server = await tcpServerForTest(() => undefined);
  const transport = transportToAnything({ maxHandshakes: 1 });
  const first = new AbortController();
  const second = new AbortController();
  const arrived = server.nextConnection();
  const firstFailure = failureIn(transport.open(hostAt(server.port), 'true', first.signal));
  await arrived;
  const arrivedToo = server.nextConnection();
  const secondFailure = failureIn(transport.open(hostAt(server.port), 'true', second.signal));
  await arrivedToo;
  second.abort();
  expect((await secondFailure).kind).toBe('interrupted');
  first.abort();
  expect((await firstFailure).kind).toBe('interrupted');
  await allClosed(server);
});

it('during the login', async () => {
  const asked = createSignal();
  const lab = await createLab({ onAuthentication: () => asked.tell() });
  const controller = new AbortController();
  const failure = failureIn(lab.transport().open(lab.host, 'true', controller.signal));
  await asked.happened;
  controller.abort();
  expect((await failure).kind).toBe('interrupted');
  await allClosed(lab.server);
});

it('while the command is being started', async () => {
  const asked = createSignal();
  const lab = await createLab({ onSession: (accept) => void accept().on('exec', () => asked.tell()) });
  const controller = new AbortController();
  const failure = failureIn(lab.transport().open(lab.host, 'true', controller.signal));
  await asked.happened;
  controller.abort();
  expect((await failure).kind).toBe('interrupted');
  await allClosed(lab.server);
});

it('a caller that aborts with a failure of its own gets it back', async () => {
  const server = await tcpServerForTest(() => undefined);
  const controller = new AbortController();
  const arrived = server.nextConnection();
  const failure = failureIn(transportToAnything().open(hostAt(server.port), 'true', controller.signal));
  await arrived;
  controller.abort(new FleetmendError({ kind: 'timeout', summary: 'the deadline of the host' }));
  expect(await failure).toEqual({ kind: 'timeout', summary: 'the deadline of the host' });
});

it('an abort frees the place for the next host', async () => {
  const server = await tcpServerForTest(() => undefined);
  const lab = await createLab();
  const transport = lab.transport({ maxHandshakes: 1 });
  const controller = new AbortController();
  const arrived = server.nextConnection();
  const failure = failureIn(transport.open(hostAt(server.port), 'true', controller.signal));
  await arrived;
  const next = transport.open(lab.host, 'true', never);
  controller.abort();
  await failure;
  await (await next).close();
});
