/** A jump host that was lost, is full, or goes away: what is tried again, how often, and for whom. */
import { expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { failureOf } from '../../src/core/failure.js';
import type { ShellStream } from '../../src/core/ports.js';
import { disconnect } from './bastion.js';
import { never } from './lab.js';
import { createSignal, failureIn } from './scratch.js';
import { authorize } from './test-server.js';
import type { JumpLab } from './jump-lab.js';
import { createJumpLab, hold, run, times } from './jump-lab.js';

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
