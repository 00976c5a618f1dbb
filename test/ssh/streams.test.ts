/** What an open stream does when the peer misbehaves (ssh.md 2.4, 2.5). */
import { Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import type { ShellStream } from '../../src/core/ports.js';
import { FleetmendError } from '../../src/core/failure.js';
import { createLab, never } from './lab.js';
import { createSignal, readAll } from './scratch.js';

async function drainedEnd(shell: ShellStream): Promise<unknown> {
  const [, , end] = await Promise.all([readAll(shell.stdout), readAll(shell.stderr), shell.ended]);
  return end;
}

it('the socket sends small packets at once', async () => {
  const spy = vi.spyOn(Socket.prototype, 'setNoDelay');
  const lab = await createLab();
  const shell = await lab.transport().open(lab.host, 'true', never);
  await shell.close();
  expect(spy).toHaveBeenCalledWith(true);
  spy.mockRestore();
});

it('a channel that closes without an exit is lost', async () => {
  const lab = await createLab({ onExec: (channel) => channel.end() });
  expect(await drainedEnd(await lab.transport().open(lab.host, 'true', never))).toEqual({ how: 'lost' });
});

it('a server that dies in the middle of a command is lost, and pending input fails', async () => {
  const lab = await createLab({ onExec: (channel) => channel.write('ready\n') });
  const shell = await lab.transport().open(lab.host, 'true', never);
  shell.stderr.resume();
  const written = createSignal<unknown>();
  shell.stdout.once('data', () => {
    // More than the peer's window: it stays pending.
    shell.stdin.write(Buffer.alloc(8 * 1024 * 1024), written.tell);
    for (const socket of lab.server.sockets) socket.destroy();
  });
  expect(await shell.ended).toEqual({ how: 'lost' });
  const error = await written.happened;
  expect(error).toBeInstanceOf(FleetmendError);
  expect((error as FleetmendError).failure.kind).toBe('connectionLost');
});

it('an exit that was reported stays known when the connection breaks afterwards', async () => {
  const lab = await createLab({
    onExec: (channel) => {
      channel.exit(5);
      channel.write('said after exit', () => {
        for (const socket of lab.server.sockets) socket.end();
      });
    },
  });
  expect(await drainedEnd(await lab.transport().open(lab.host, 'true', never))).toEqual({ how: 'exit', code: 5 });
});

it('the exit is not missed when it comes in one packet with the answer', async () => {
  const lab = await createLab({
    onExec: (channel) => {
      channel.exit(6);
      channel.end();
    },
  });
  const shells = await Promise.all(Array.from({ length: 20 }, () => lab.transport().open(lab.host, 'true', never)));
  expect(await Promise.all(shells.map(drainedEnd))).toEqual(shells.map(() => ({ how: 'exit', code: 6 })));
});

it('a peer that never closes cannot keep us: close() ends and the socket is gone', async () => {
  const lab = await createLab({ onExec: (channel) => channel.write('ready') });
  const shell = await lab.transport().open(lab.host, 'true', never);
  const [peer] = [...lab.server.sockets];
  peer?.pause();
  peer?.removeAllListeners('end');
  await shell.close();
  expect(await shell.ended).toEqual({ how: 'lost' });
  const gone = new Promise((resolve) => peer?.once('close', resolve));
  peer?.resume();
  await gone;
});

it('a peer that reads nothing cannot keep close() waiting for our input to be taken', async () => {
  const lab = await createLab({ onExec: (channel) => channel.write('ready') });
  const shell = await lab.transport().open(lab.host, 'true', never);
  for (const socket of lab.server.sockets) socket.pause();
  shell.stdin.write(Buffer.alloc(32 * 1024 * 1024));
  await shell.close();
  expect(await shell.ended).toEqual({ how: 'lost' });
});

it('a command that is silent for too long is given up', async () => {
  const lab = await createLab({ onExec: (channel) => channel.write('last words') });
  expect(await drainedEnd(await lab.transport({ idleTimeoutMs: 300, keepAlive: { intervalMs: 50, countMax: 40 } }).open(lab.host, 'true', never))).toEqual({ how: 'lost' });
});

it('an unread stream does not keep `ended` from settling after the exit', async () => {
  const lab = await createLab({
    onExec: (channel) => {
      channel.write('nobody reads this');
      channel.exit(0);
      channel.end();
    },
  });
  const shell = await lab.transport().open(lab.host, 'true', never);
  expect(await shell.ended).toEqual({ how: 'exit', code: 0 });
});

it('200 connections at once to one server all get their answer', async () => {
  const lab = await createLab({
    onExec: (channel, command) => {
      channel.write(command);
      channel.exit(0);
      channel.end();
    },
  });
  const warnings: string[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', onWarning);
  const transport = lab.transport();
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const shell = await transport.open(lab.host, `host ${index}`, never);
      shell.stderr.resume();
      const text = (await readAll(shell.stdout)).toString();
      return [text, await shell.ended];
    }),
  );
  expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => [`host ${index}`, { how: 'exit', code: 0 }]));
  process.off('warning', onWarning);
  expect(warnings).toEqual([]);
});

it('no more handshakes run at once than allowed', async () => {
  const connecting = new Set<object>();
  const held: (() => void)[] = [];
  let most = 0;
  const lab = await createLab({
    onConnection: (client) => {
      connecting.add(client);
      most = Math.max(most, connecting.size);
      client.once('ready', () => connecting.delete(client));
    },
    onAuthentication: (context) => {
      // None gets in before three ask to.
      held.push(() => context.accept());
      if (held.length === 3) for (const accept of held.splice(0)) accept();
    },
  });
  const transport = lab.transport({ maxHandshakes: 3 });
  const shells = await Promise.all(Array.from({ length: 12 }, () => transport.open(lab.host, 'true', never)));
  await Promise.all(shells.map((shell) => shell.close()));
  expect(most).toBe(3);
});
