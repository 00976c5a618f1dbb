/** Nodes that take a password for becoming root and say nothing harm themselves alone: the others wait outside of their own time. */
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { ShellEnd, ShellStream, Transport } from '../../src/core/ports.js';
import { createConnector } from '../../src/host/connector.js';
import { createSignal } from '../ssh/scratch.js';

const never = new AbortController().signal;

/** Told to go, asks for the password, and answers it with `answer`. */
function nodeThat(answer: string | undefined, onPassword: () => void = () => undefined, whenUp: Promise<void> = Promise.resolve()): (command: string) => ShellStream {
  return (command) => {
    const nonce = /fm-up-([0-9a-f]{32})/.exec(command)?.[1] ?? '';
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const end = createSignal<ShellEnd>();
    stdin.once('data', () => {
      stderr.write(`fm-password-${nonce}`);
      stdin.once('data', () => {
        onPassword();
        if (answer !== undefined) stdout.write(answer);
      });
    });
    void whenUp.then(() => stdout.write(`fm-up-${nonce}\n`));
    const close = (): Promise<void> => {
      for (const output of [stdout, stderr]) output.end();
      end.tell({ how: 'exit', code: 0 });
      return Promise.resolve();
    };
    return { stdin, stdout, stderr, ended: end.happened, hostKey: 'SHA256:x', user: 'deploy', close };
  };
}

it('nodes that never answer a password do not use up the time of a healthy one, and are told apart from nodes that refused it', async () => {
  const got = [createSignal(), createSignal(), createSignal()];
  const up = createSignal();
  const nodes = new Map<string, (command: string) => ShellStream>([...got.map(({ tell }, index) => [`stall-${index}`, nodeThat(undefined, () => tell())] as const), ['well', nodeThat('fm-root\n', undefined, up.happened)] as const]);
  const transport: Transport = { open: ({ name }, command) => Promise.resolve((nodes.get(name) ?? nodeThat(undefined))(command)) };
  const connector = createConnector(transport, { secrets: { read: () => Promise.resolve('word') }, startTimeoutMs: 300 });
  const open = async (name: string): Promise<void> => {
    const host: Host = { name, address: name, user: 'deploy', become: 'sudo', becoming: { password: { from: 'prompt' } }, labels: {} };
    await (await connector.openToRead(host, never)).close();
  };
  // Its time has begun before theirs, so it would be over before one of them gives a turn back.
  const well = open('well');
  const stalled = got.map((_, index) => open(`stall-${index}`).catch(failureOf));
  await Promise.all(got.map(({ happened }) => happened));
  up.tell();
  await well;
  expect(await Promise.all(stalled)).toMatchObject(got.map(() => ({ kind: 'timeout' })));
  await expect(open('stall-1')).rejects.toMatchObject({ failure: { kind: 'rootRefused', summary: expect.stringContaining('did not answer in time') as string } });
});

it('a password that three nodes refused is kept from the others with their names', async () => {
  const refusing = (command: string): ShellStream => {
    const stream = nodeThat(undefined, () => (stream.stderr as PassThrough).write(`Sorry, try again.\nfm-password-${/fm-up-([0-9a-f]{32})/.exec(command)?.[1] ?? ''}`))(command);
    return stream;
  };
  const told: string[] = [];
  const transport: Transport = {
    open: ({ name }, command) => {
      const stream = refusing(command);
      (stream.stdin as PassThrough).once('data', () => told.push(name));
      return Promise.resolve(stream);
    },
  };
  const connector = createConnector(transport, { secrets: { read: () => Promise.resolve('word') }, startTimeoutMs: 5_000 });
  const open = (name: string): Promise<unknown> =>
    connector.openToRead({ name, address: name, user: 'deploy', become: 'sudo', becoming: { password: { from: 'prompt' } }, labels: {} }, never).catch(failureOf);
  for (const name of ['a', 'b', 'c']) expect(await open(name)).toMatchObject({ summary: 'sudo did not accept the password of deploy' });
  expect(await open('d')).toMatchObject({ kind: 'rootRefused', summary: expect.stringContaining('3 hosts refused the password of deploy (a, b, c)') as string });
  // What is not told to go asks for no password, so PAM sees no failure.
  expect(told).toEqual(['a', 'b', 'c']);
});
