/** Hosts that keep a password waiting harm themselves alone: the others wait outside of their own time. */
import { expect, it, onTestFinished } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { AuthContext } from '../../src/ssh/ssh2.js';
import { createLab, never, scratchForTest } from './lab.js';
import { createPlainTransport } from './plain-transport.js';
import { createSignal, failureIn, hostAt, makeKey } from './scratch.js';
import { startSshServer } from './test-server.js';
import type { TcpTestServer } from './test-server.js';

const WITH_PASSWORD: Pick<Host, 'ssh'> = { ssh: { password: { from: 'prompt' } } };
const HOST_KEY = makeKey();

type Answer = (context: AuthContext) => void;

async function startServer(onPassword: Answer, onOther: Answer = (context) => context.reject(['password'])): Promise<TcpTestServer> {
  const server = await startSshServer({
    hostKeys: [HOST_KEY.privateText], onAuthentication: (context) => (context.method === 'password' ? onPassword : onOther)(context),
  });
  onTestFinished(() => server.close());
  return server;
}

it('three hosts that never answer a password take neither the time nor the place of a healthy one', async () => {
  const got = [createSignal(), createSignal(), createSignal()];
  const [reached, goOn] = [createSignal(), createSignal()];
  const stallers = await Promise.all(got.map(({ tell }) => startServer(() => tell())));
  // Its time has begun before theirs, so it would be over before one of them gives a turn back.
  const well = await startServer((context) => context.accept(), (context) => {
    reached.tell();
    void goOn.happened.then(() => context.reject(['password']));
  });
  const byKey = await createLab();
  const lines = [...stallers, well].map(({ port }) => `[127.0.0.1]:${port} ${HOST_KEY.publicText}\n`);
  const transport = createPlainTransport({
    hostKeys: 'strict', knownHostsFiles: [scratchForTest().write('known', `${byKey.knownLine()}${lines.join('')}`)], defaultIdentityFiles: [],
    secrets: { read: () => Promise.resolve('word') }, handshakeTimeoutMs: 1_200, maxHandshakes: 4, closeGraceMs: 100,
  });
  const open = ({ port }: TcpTestServer, signal = never): ReturnType<typeof transport.open> => transport.open({ ...hostAt(port), ...WITH_PASSWORD }, 'true', signal);
  const shell = open(well);
  await reached.happened;
  let late = 0;
  const stalled = stallers.map((server) => failureIn(open(server)).finally(() => (late += 1)));
  await Promise.all(got.map(({ happened }) => happened));
  goOn.tell();
  // One that gives up while it waits is told so at once, and takes nobody's turn.
  const stop = new AbortController();
  const given = failureIn(open(well, stop.signal));
  stop.abort();
  expect((await given).kind).toBe('interrupted');
  await (await transport.open({ ...byKey.host, identityFile: byKey.scratch.write('id', byKey.userKey.privateText) }, 'true', never)).close();
  expect(late).toBe(0);
  await (await shell).close();
  const failures = await Promise.all(stalled);
  expect(failures.map(({ kind, detail }) => [kind, detail])).toEqual(failures.map(() => ['handshakeTimeout', 'the handshake was done; the method password was under way']));
  expect((await failureIn(open(stallers[0] as TcpTestServer))).summary).toContain('did not answer in time; it is not sent again');
});

it('a password is asked of its source only where no key does', async () => {
  let reads = 0;
  const secrets = { read: () => {
    reads += 1;
    return Promise.resolve('word');
  } };
  const lab = await createLab({ onAuthentication: (context) => {
    if (context.method === 'password') context.accept();
    else if (context.method === 'publickey' && context.username === 'by-key') context.accept();
    else context.reject(['publickey', 'password']);
  } });
  const transport = lab.transport({ secrets });
  await (await transport.open({ ...lab.host, ...WITH_PASSWORD, user: 'by-key' }, 'true', never)).close();
  expect(reads).toBe(0);
  await (await transport.open({ ...lab.host, ...WITH_PASSWORD }, 'true', never)).close();
  expect(reads).toBe(1);
});
