/** One connection to a jump host serves all hosts behind it, and what goes wrong is said of the one it went wrong at. */
import { expect, it } from 'vitest';
import { createConnector } from '../../src/host/connector.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { knownLine } from './bastion.js';
import { createLab, never } from './lab.js';
import { failureIn, makeKey, readAll } from './scratch.js';
import { bastionFor, createJumpLab, hold, run, times } from './jump-lab.js';

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
