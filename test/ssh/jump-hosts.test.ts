/** Hosts behind jump hosts: what is shared, what is said when a jump host fails, and what comes of it for each host. */
import { expect, it, onTestFinished } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { failureOf } from '../../src/core/failure.js';
import type { ShellStream, Transport } from '../../src/core/ports.js';
import { createConnector } from '../../src/host/connector.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import type { Bastion, BastionOptions, JumpTransportOptions } from './bastion.js';
import { createJumpTransport, disconnect, knownLine, startBastion } from './bastion.js';
import type { Lab } from './lab.js';
import { createLab, never } from './lab.js';
import { createSignal, failureIn, makeKey, readAll } from './scratch.js';
import type { SshTestServerOptions } from './test-server.js';
import { authorize } from './test-server.js';

async function bastionFor(lab: Lab, options: Partial<BastionOptions> = {}): Promise<Bastion> {
  const bastion = await startBastion({ authorized: [lab.userKey], ...options });
  onTestFinished(() => bastion.close());
  return bastion;
}

interface JumpLab extends Lab {
  readonly bastion: Bastion;
  through(overrides?: Partial<JumpTransportOptions>): Transport;
}

/** One server, and one jump host before it. */
async function createJumpLab(options: Partial<BastionOptions> = {}, server: Partial<SshTestServerOptions> = {}): Promise<JumpLab> {
  const lab = await createLab(server);
  const bastion = await bastionFor(lab, options);
  const { scratch, userKey } = lab;
  const known = lab.knownLine() + knownLine(bastion.port, bastion.hostKey);
  const jumps = (): { name: string; port: number }[] => [{ name: 'bastion-1', port: bastion.port }];
  return { ...lab, bastion, through: (overrides = {}) => createJumpTransport({ scratch, userKey, known, jumps, ...overrides }) };
}

async function run(transport: Transport, lab: Lab, command: string): Promise<unknown> {
  const shell = await transport.open(lab.host, command, never);
  const [, , end] = await Promise.all([readAll(shell.stdout), readAll(shell.stderr), shell.ended]);
  return end;
}

/** Runs until it is ended; settles when the command runs. */
async function hold(transport: Transport, lab: Lab): Promise<ShellStream> {
  const shell = await transport.open(lab.host, 'echo up; cat', never);
  shell.stderr.resume();
  await new Promise((resolve) => shell.stdout.once('data', resolve));
  return shell;
}

const times = <T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => make(index)));

it('all hosts behind a jump host share one connection to it, and no session is opened there', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  expect(await times(20, (index) => run(transport, lab, `exit ${index}`))).toEqual(Array.from({ length: 20 }, (_, code) => ({ how: 'exit', code })));
  expect(await run(transport, lab, 'exit 9')).toEqual({ how: 'exit', code: 9 });
  expect([lab.bastion.connections, lab.bastion.sessions, lab.server.count]).toEqual([1, 0, 21]);
});

it('large input and output go through a jump host unchanged', async () => {
  const lab = await createJumpLab();
  const shell = await lab.through().open(lab.host, 'cat', never);
  const bytes = Buffer.alloc(5 * 1024 * 1024, 'fleetmend');
  shell.stdin.end(bytes);
  shell.stderr.resume();
  expect((await readAll(shell.stdout)).equals(bytes)).toBe(true);
});

it('the host key of the host itself is checked and told, under its own name', async () => {
  const lab = await createJumpLab();
  const shell = await lab.through().open(lab.host, 'true', never);
  expect(shell.hostKey).toBe(fingerprintOf(lab.hostKey.blob));
  await shell.close();
  const known = lab.knownLine(makeKey()) + knownLine(lab.bastion.port, lab.bastion.hostKey);
  expect(await failureIn(lab.through({ known }).open(lab.host, 'true', never))).toMatchObject({ kind: 'hostKeyChanged' });
});

it('a chain of two jump hosts: each is one connection, with a host key of its own', async () => {
  const lab = await createJumpLab();
  const second = await bastionFor(lab);
  const known = lab.knownLine() + knownLine(lab.bastion.port, lab.bastion.hostKey);
  const jumps = () => [{ name: 'bastion-1', port: lab.bastion.port }, { name: 'bastion-2', port: second.port }];
  const transport = lab.through({ known: known + knownLine(second.port, second.hostKey), jumps });
  await times(20, () => run(transport, lab, 'exit 0'));
  expect([lab.bastion.connections, second.connections]).toEqual([1, 1]);
  const failure = await failureIn(lab.through({ known: known + knownLine(second.port, makeKey()), jumps }).open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'jumpHost', summary: expect.stringContaining('jump host bastion-2: the host key of') as string });
});

it('a chain and the jump host at its beginning share the connection to that one', async () => {
  const lab = await createJumpLab();
  const second = await bastionFor(lab);
  const first = { name: 'bastion-1', port: lab.bastion.port };
  const transport = lab.through({
    known: lab.knownLine() + knownLine(lab.bastion.port, lab.bastion.hostKey) + knownLine(second.port, second.hostKey),
    jumps: (host) => (host.name === 'far' ? [{ ...first, name: 'called otherwise' }, { name: 'bastion-2', port: second.port }] : [first]),
  });
  await run(transport, lab, 'exit 0');
  await run(transport, { ...lab, host: { ...lab.host, name: 'far' } }, 'exit 0');
  expect([lab.bastion.connections, second.connections]).toEqual([1, 1]);
});

it('a jump host that refuses our key is asked once, whatever hangs on it, and all hosts hear the same', async () => {
  const attempts: string[] = [];
  const lab = await createJumpLab({ onAuthentication: (context) => { attempts.push(context.method); context.reject(['publickey']); } });
  const transport = lab.through();
  const failures = await times(20, () => failureIn(transport.open(lab.host, 'true', never)));
  failures.push(await failureIn(transport.open(lab.host, 'true', never)));
  expect(new Set(failures.map((failure) => JSON.stringify(failure))).size).toBe(1);
  expect(failures[0]).toMatchObject({ kind: 'jumpHost', summary: expect.stringContaining('jump host bastion-1: 127.0.0.1:') as string });
  expect([attempts.filter((method) => method === 'publickey').length, lab.bastion.connections]).toEqual([1, 1]);
});

it('a jump host that forbids forwarding is named with what to look at', async () => {
  const lab = await createJumpLab({ forwards: 'forbidden' });
  const failure = await failureIn(lab.through().open(lab.host, 'true', never));
  expect(failure.kind).toBe('jumpHost');
  expect(failure.next).toMatch(/AllowTcpForwarding.*PermitOpen/);
});

it('a host that the jump host cannot reach is the failure of that host, and of nobody else', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  const gone = await createLab();
  await gone.server.close();
  const [failure, end] = await Promise.all([failureIn(transport.open(gone.host, 'true', never)), run(transport, lab, 'exit 0')]);
  expect(failure).toMatchObject({ kind: 'connectTimeout', summary: expect.stringContaining('could not be reached from jump host bastion-1') as string });
  expect(end).toEqual({ how: 'exit', code: 0 });
});

it('a host that swallows everything is its own failure while the jump host answers, and that of the jump host when it is silent too', async () => {
  const lab = await createJumpLab({ forwards: 'silent' });
  const host = { ...lab.host, connectTimeoutMs: 50 };
  const transport = lab.through({ times: { probeMs: 100 } });
  expect(await failureIn(transport.open(host, 'true', never))).toMatchObject({ kind: 'connectTimeout', summary: expect.stringContaining('no answer within 50 ms') as string });
  lab.bastion.freeze();
  expect(await failureIn(transport.open(host, 'true', never))).toMatchObject({ kind: 'jumpHost', summary: expect.stringContaining('no answer to keepalive messages') as string });
});

it('a jump host that is lost ends every visit behind it with the same reason, and one new connection serves all', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  const shells = await times(10, () => hold(transport, lab));
  for (const socket of lab.bastion.sockets) socket.destroy();
  const ends = await Promise.all(shells.map((shell) => shell.ended));
  const whys = ends.map((end) => (end.how === 'lost' ? end.why : undefined));
  expect(whys[0]).toMatchObject({ kind: 'jumpHost', summary: expect.stringContaining('jump host bastion-1: the connection to') as string });
  expect(new Set(whys).size).toBe(1);
  await times(10, () => run(transport, lab, 'exit 0'));
  expect(lab.bastion.connections).toBe(2);
});

it('a visit under way hears the reason of its jump host', async () => {
  const lab = await createJumpLab();
  const session = await createConnector(lab.through()).openToRead(lab.host, never);
  expect(await session.ask([{ ask: 'capability' }])).toMatchObject([{ ok: true }]);
  for (const socket of lab.bastion.sockets) socket.destroy();
  expect(await failureIn(session.ask([{ ask: 'capability' }]))).toMatchObject({ kind: 'jumpHost', summary: expect.stringContaining('jump host bastion-1:') as string });
  await session.close();
});

it('a visit through a chain that lost its first jump host names that one', async () => {
  const lab = await createJumpLab();
  const second = await bastionFor(lab);
  const transport = lab.through({
    known: lab.knownLine() + knownLine(lab.bastion.port, lab.bastion.hostKey) + knownLine(second.port, second.hostKey),
    jumps: () => [{ name: 'bastion-1', port: lab.bastion.port }, { name: 'bastion-2', port: second.port }],
  });
  const shell = await hold(transport, lab);
  for (const socket of lab.bastion.sockets) socket.destroy();
  expect(await shell.ended).toMatchObject({ how: 'lost', why: { kind: 'jumpHost', summary: expect.stringContaining('jump host bastion-1:') as string } });
});

it('a silent jump host is noticed by its own keepalive', async () => {
  const lab = await createJumpLab();
  const shell = await hold(lab.through({ keepAlive: { intervalMs: 50, countMax: 4 } }), lab);
  lab.bastion.freeze();
  expect(await shell.ended).toMatchObject({ how: 'lost', why: { kind: 'jumpHost' } });
});

it('of two silent jump hosts in a row, the first is named', async () => {
  const lab = await createJumpLab();
  const second = await bastionFor(lab);
  const transport = lab.through({
    known: lab.knownLine() + knownLine(lab.bastion.port, lab.bastion.hostKey) + knownLine(second.port, second.hostKey),
    jumps: () => [{ name: 'bastion-1', port: lab.bastion.port }, { name: 'bastion-2', port: second.port }],
    keepAlive: { intervalMs: 100, countMax: 6 }, times: { probeMs: 50 },
  });
  const shell = await hold(transport, lab);
  lab.bastion.freeze();
  expect(await shell.ended).toMatchObject({ how: 'lost', why: { kind: 'jumpHost', summary: expect.stringContaining('jump host bastion-1:') as string } });
});

it('a lost jump host is tried again once for all who wait, and everybody gets in when it is back', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  await run(transport, lab, 'exit 0');
  lab.bastion.stop();
  const waiting = times(20, () => run(transport, lab, 'exit 0'));
  await lab.bastion.whenStopped(1 + 3);
  lab.bastion.start();
  expect(await waiting).toEqual(Array.from({ length: 20 }, () => ({ how: 'exit', code: 0 })));
  expect(lab.bastion.logins).toBe(2);
});

it('a jump host that stays away is given up for everybody after the same few tries', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  await run(transport, lab, 'exit 0');
  lab.bastion.stop();
  const failures = await times(50, () => failureIn(transport.open(lab.host, 'true', never)));
  failures.push(...(await times(50, () => failureIn(transport.open(lab.host, 'true', never)))));
  expect(new Set(failures.map((failure) => JSON.stringify(failure))).size).toBe(1);
  expect(failures[0]?.kind).toBe('jumpHost');
  expect(lab.bastion.connections, 'the login, and six tries').toBe(1 + 6);
});

it('what was remembered of a jump host is forgotten in time', async () => {
  const lab = await createJumpLab();
  const transport = lab.through({ times: { rememberedMs: 0 } });
  lab.bastion.stop();
  expect(await failureIn(transport.open(lab.host, 'true', never))).toMatchObject({ kind: 'jumpHost' });
  lab.bastion.start();
  expect(await run(transport, lab, 'exit 0')).toEqual({ how: 'exit', code: 0 });
});

it('a jump host with few channels gets further connections, at most four, and the hosts beyond wait for a place', async () => {
  const lab = await createJumpLab({ mostChannels: 3 });
  const transport = lab.through();
  const shells: ShellStream[] = [];
  const all = times(20, async () => {
    const shell = await hold(transport, lab);
    shells.push(shell);
    if (shells.length < 12) return;
    for (const open of shells.splice(0)) await open.close();
  });
  await all;
  await Promise.all(shells.map((shell) => shell.close()));
  expect([lab.bastion.connections, lab.bastion.mostSeen]).toEqual([4, 3]);
});

it('a jump host that takes no second connection is content with the first', async () => {
  const lab = await createJumpLab({ mostChannels: 2, mostConnections: 1 });
  const transport = lab.through();
  expect(await times(10, () => run(transport, lab, 'exit 0'))).toEqual(Array.from({ length: 10 }, () => ({ how: 'exit', code: 0 })));
  expect(lab.bastion.logins).toBe(1);
});

it('the wait for a place ends', async () => {
  const lab = await createJumpLab({ mostChannels: 1, mostConnections: 1 });
  const transport = lab.through({ times: { roomMs: 50 } });
  const shell = await hold(transport, lab);
  expect(await failureIn(transport.open(lab.host, 'true', never))).toMatchObject({ kind: 'jumpHost', next: expect.stringContaining('--concurrency') as string });
  await shell.close();
});

it('what a jump host said of its channels is asked again after a while, also for those who wait for a place', async () => {
  const shortage = createSignal();
  const lab = await createJumpLab({ mostChannels: 1, mostConnections: 1, onShortage: () => { shortage.tell(); } });
  const transport = lab.through({ times: { limitsMs: 100 } });
  const first = await hold(transport, lab);
  const second = hold(transport, lab);
  await shortage.happened;
  lab.bastion.allowChannels(10);
  await Promise.all([first, await second].map((shell) => shell.close()));
});

it('what a jump host said of its channels is forgotten with its last connection', async () => {
  const lab = await createJumpLab({ mostChannels: 1 });
  const transport = lab.through();
  const before = await times(2, () => hold(transport, lab));
  lab.bastion.stop();
  await Promise.all(before.map((shell) => shell.ended));
  lab.bastion.start();
  lab.bastion.allowChannels(10);
  const shells: ShellStream[] = [];
  for (let count = 0; count < 3; count += 1) shells.push(await hold(transport, lab));
  await Promise.all(shells.map((shell) => shell.close()));
  expect(lab.bastion.logins).toBe(2 + 1);
});

it('a jump host that says goodbye and leaves its side open is lost', async () => {
  const lab = await createJumpLab({ halfOpen: true });
  const transport = lab.through();
  const shell = await hold(transport, lab);
  lab.bastion.sayGoodbye();
  expect(await shell.ended).toMatchObject({ how: 'lost', why: { kind: 'jumpHost', summary: expect.stringContaining('said goodbye') as string } });
  expect(await run(transport, lab, 'exit 0')).toEqual({ how: 'exit', code: 0 });
  expect(lab.bastion.logins).toBe(2);
});

it('a jump host that lets us in and hangs up in one breath is tried again', async () => {
  let isFirst = true;
  const lab: JumpLab = await createJumpLab({
    onAuthentication: (context) => {
      const letIn = (): void => { authorize([lab.userKey.blob])(context); };
      if (context.method !== 'publickey' || context.signature === undefined || !isFirst) return letIn();
      isFirst = false;
      const [socket] = lab.bastion.sockets;
      socket?.cork();
      letIn();
      disconnect(context);
      socket?.uncork();
    },
  });
  expect(await run(lab.through(), lab, 'exit 0')).toEqual({ how: 'exit', code: 0 });
  expect(lab.bastion.connections).toBe(2);
});

it('who is aborted does not wait for the answer of a jump host that is silent', async () => {
  const lab = await createJumpLab({ forwards: 'silent' });
  const transport = lab.through();
  const host = { ...lab.host, connectTimeoutMs: 50 };
  await failureIn(transport.open(host, 'true', never));
  lab.bastion.freeze();
  const controller = new AbortController();
  const opening = failureIn(transport.open(host, 'true', controller.signal));
  setTimeout(() => { controller.abort(); }, 200);
  expect((await opening).kind).toBe('interrupted');
});

it('a jump host that nobody uses any more is left', async () => {
  const lab = await createJumpLab();
  const transport = lab.through({ times: { idleMs: 20 } });
  await run(transport, lab, 'exit 0');
  const [socket] = lab.bastion.sockets;
  if (socket && !socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  expect(await run(transport, lab, 'exit 0')).toEqual({ how: 'exit', code: 0 });
});

it('who is aborted leaves, the others get in; when all have left, the connection is given up', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  const controller = new AbortController();
  const leaving = failureIn(transport.open(lab.host, 'true', controller.signal));
  const staying = run(transport, lab, 'exit 0');
  controller.abort();
  expect(await leaving).toMatchObject({ kind: 'interrupted' });
  expect(await staying).toEqual({ how: 'exit', code: 0 });
  const other = lab.through();
  lab.bastion.stop();
  const last = new AbortController();
  const given = failureIn(other.open(lab.host, 'true', last.signal));
  await lab.bastion.whenStopped(lab.bastion.connections + 1);
  last.abort();
  expect(await given).toMatchObject({ kind: 'interrupted' });
});

it('an aborted host leaves its channel, not the jump host', async () => {
  const lab = await createJumpLab();
  const transport = lab.through();
  const controller = new AbortController();
  const shell = await transport.open(lab.host, 'echo up; cat', controller.signal);
  shell.stderr.resume();
  await new Promise((resolve) => shell.stdout.once('data', resolve));
  const stays = await hold(transport, lab);
  controller.abort();
  expect(await shell.ended).toEqual({ how: 'lost' });
  stays.stdin.end();
  expect(await stays.ended).toEqual({ how: 'exit', code: 0 });
  expect(lab.bastion.connections).toBe(1);
});

it('a jump host that never lets go of a channel cannot keep us', async () => {
  const lab = await createJumpLab();
  const shell = await hold(lab.through(), lab);
  lab.bastion.freeze();
  await shell.close();
  expect(await shell.ended).toEqual({ how: 'lost' });
});

it('a jump host without any resources is named', async () => {
  const lab = await createJumpLab({ mostChannels: 0 });
  const failure: Failure = await lab.through().open(lab.host, 'true', never).then(() => { throw new Error('opened'); }, failureOf);
  expect(failure).toMatchObject({ kind: 'jumpHost', summary: expect.stringContaining('no resources') as string });
});
