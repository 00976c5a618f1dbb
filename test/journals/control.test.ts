/** What one terminal asks of the process that works on a run, through real files and real processes: carried out once, answered, or never carried out at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ControlRequest } from '../../src/core/ports.js';
import { controlPaths, noteText, parseAnswer, readOwn } from '../../src/journals/control-files.js';
import type { ControlInbox } from '../../src/journals/index.js';
import { createControlInbox, requestControl } from '../../src/journals/index.js';
import { holderText, identify } from '../../src/journals/holder.js';
import { startAsker } from './processes.js';

const NOW = new Date('2026-01-02T03:04:05.000Z');
const SHORT_MS = 300;
let run: string;
let control: string;
let open: ControlInbox[];
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'fleetmend-control-'));
  control = join(run, 'control');
  open = [];
});
afterEach(async () => {
  for (const inbox of open) await inbox.close();
  await rm(run, { recursive: true });
});

function newInbox(): ControlInbox {
  const inbox = createControlInbox(run);
  open.push(inbox);
  return inbox;
}

/** Answers everything with what was asked; `taken` says in which order. */
function obey(inbox: ControlInbox): ControlRequest[] {
  const taken: ControlRequest[] = [];
  inbox.listen((request) => {
    taken.push(request);
    request.answer(true, `done: ${request.act.do}`);
  });
  return taken;
}

async function leave(marks: object, text?: string): Promise<string> {
  const { request } = controlPaths(control, `${String(NOW.getTime()).padStart(14, '0')}-0123456789abcdef`);
  await writeFile(request, text ?? noteText({ from: { ...(await identify('bob@desk', NOW.toISOString())), ...marks }, act: { do: 'stop' } }), { mode: 0o600 });
  return request;
}

/** Until what was left by `leave` is answered with why it is not carried out, and put away. Nobody waits for that answer: it is removed. */
async function isRefused(why: RegExp): Promise<void> {
  const { answer } = controlPaths(control, `${String(NOW.getTime()).padStart(14, '0')}-0123456789abcdef`);
  await vi.waitFor(async () => { expect(parseAnswer(await readFile(answer, 'utf8'))).toEqual({ accepted: false, text: expect.stringMatching(why) as string }); }, { timeout: 10_000, interval: 20 });
  await rm(answer);
  await isEmpty();
}

async function isAnswered(id: string): Promise<void> {
  await vi.waitFor(async () => { expect(await readdir(control)).toContain(`answer-${id}`); }, { timeout: 10_000, interval: 20 });
}

/** Until the inbox has put away what lies there. */
async function isEmpty(): Promise<void> {
  await vi.waitFor(async () => { expect(await readdir(control)).toEqual([]); }, { timeout: 10_000, interval: 20 });
}

describe('a request', () => {
  it('is carried out once, with who asked, is answered, and leaves nothing behind', async () => {
    const taken = obey(newInbox());
    expect(await requestControl(run, 'bob@desk', { do: 'within', count: 5 }, NOW)).toEqual({ how: 'answered', accepted: true, text: 'done: within' });
    expect(taken.map(({ by, act }) => ({ by, act }))).toEqual([{ by: 'bob@desk', act: { do: 'within', count: 5 } }]);
    await isEmpty();
  });
  it('that is refused says why, clean, and a second answer of the same request counts for nothing', async () => {
    newInbox().listen((request) => {
      request.answer(false, 'it is\u001b[2J\npaused already');
      request.answer(true, 'what');
    });
    expect(await requestControl(run, 'bob@desk', { do: 'pause' }, NOW)).toEqual({ how: 'answered', accepted: false, text: 'it is[2J paused already' });
    await isEmpty();
  });
  it('that another version asks is refused, so that nobody says it may have been carried out', async () => {
    const taken = obey(newInbox());
    const reply = requestControl(run, 'bob@desk', { do: 'destroy' } as never, NOW);
    expect(await reply).toEqual({ how: 'answered', accepted: false, text: 'the process of the run knows no such act' });
    expect(taken).toEqual([]);
    await isEmpty();
  });
  it('two processes and twenty requests at once: each is carried out once and gets its own answer', async () => {
    const taken = obey(newInbox());
    const askers = await Promise.all([startAsker(run), startAsker(run)]);
    for (const one of askers) one.go();
    const counts = Array.from({ length: 20 }, (_, index) => index + 1);
    const replies = await Promise.all(counts.map((count) => requestControl(run, 'bob@desk', { do: 'skip', host: `n${count}` }, new Date(NOW.getTime() + count))));
    await Promise.all(askers.map((one) => one.ended));
    expect(replies.every((reply) => reply.how === 'answered' && reply.accepted)).toBe(true);
    expect(askers.map((one) => one.told)).toEqual(askers.map(() => ['asking', '{"how":"answered","accepted":true,"text":"done: pause"}']));
    expect(taken).toHaveLength(22);
    expect(new Set(taken.map(({ by, act }) => JSON.stringify([by, act]))).size).toBe(22);
    await isEmpty();
  }, 30_000);
});

describe('what is never carried out', () => {
  it('a request of a process that died before it was taken', async () => {
    const inbox = newInbox();
    const asker = await startAsker(run);
    asker.go();
    await vi.waitFor(async () => { expect((await readdir(control)).filter((name) => /^request-[^.]*$/.test(name))).toHaveLength(1); }, { timeout: 10_000 });
    asker.kill();
    await asker.ended;
    const taken = obey(inbox);
    await vi.waitFor(async () => { expect((await readdir(control)).map((name) => name.replace(/-.*/, ''))).toEqual(['answer']); }, { timeout: 10_000 });
    expect(taken).toEqual([]);
  });
  it('one that lay there before this process took charge, though its asker lives', async () => {
    await mkdir(control, { mode: 0o700 });
    await leave({});
    const taken = obey(newInbox());
    expect(await readdir(control)).toEqual([]);
    await requestControl(run, 'bob@desk', { do: 'pause' }, NOW);
    expect(taken.map(({ act }) => act.do)).toEqual(['pause']);
  });
  it('one that was withdrawn because nobody took it in time', async () => {
    const inbox = newInbox();
    expect(await requestControl(run, 'bob@desk', { do: 'stop' }, NOW, { withinMs: SHORT_MS })).toEqual({ how: 'withdrawn' });
    expect(await readdir(control)).toEqual([]);
    expect(obey(inbox)).toEqual([]);
  });
  it.each<[string, object | string, RegExp]>([
    ['of a process number that another process has now', { startTicks: '1' }, /the process that asked is gone/],
    ['of another machine', { bootId: 'b0', hostname: 'elsewhere' }, /cannot be seen from/],
    ['that is cut', '{"v":1,"from":', /damaged/],
    ['that is empty', '', /damaged/],
    ['that is no mapping', '[]', /damaged/],
    ['of another version', '{"v":2}', /asked in version 2 .* knows version 1/],
    ['that is far too large', `{"v":1,"from":"${'x'.repeat(100_000)}"}`, /too large/],
  ])('one %s; it is answered why', async (_, what, why) => {
    const taken = obey(newInbox());
    if (typeof what === 'string') await leave({}, what);
    else await leave(what);
    await isRefused(why);
    expect(taken).toEqual([]);
  });
  it.each([{ do: 'destroy' }, { do: 'within', count: 0 }, { do: 'within', count: '5' }, { do: 'skip' }, { do: 'undo', scope: 'all' }, null, 'stop'])('the act %j; it is answered why', async (act) => {
    const taken = obey(newInbox());
    await leave({}, JSON.stringify({ v: 1, from: holderText(await identify('bob@desk', NOW.toISOString())), act }));
    await isRefused(/no such act/);
    expect(taken).toEqual([]);
  });
  it('one in a file that others can write, a link, a folder, a pipe', async () => {
    const inbox = newInbox();
    await chmod(await leave({}), 0o666);
    const taken = obey(inbox);
    await isRefused(/others can write it/);
    const secret = join(run, 'note');
    await writeFile(secret, noteText({ from: await identify('bob@desk', NOW.toISOString()), act: { do: 'stop' } }));
    await symlink(secret, join(control, 'request-00000000000001-0123456789abcdef'));
    await isAnswered('00000000000001-0123456789abcdef');
    const [code] = (await once(spawn('mkfifo', [join(control, 'request-00000000000002-0123456789abcdef')]), 'exit')) as [number];
    expect(code).toBe(0);
    await isAnswered('00000000000002-0123456789abcdef');
    await mkdir(join(control, 'request-00000000000003-0123456789abcdef'));
    expect(await requestControl(run, 'bob@desk', { do: 'pause' }, NOW)).toMatchObject({ accepted: true });
    expect(taken.map(({ act }) => act.do)).toEqual(['pause']);
    expect(await readFile(secret, 'utf8')).toContain('stop');
  });
  it.runIf(process.geteuid?.() === 0)('one in a file of another user', async () => {
    const file = await leaveForeign();
    await expect(readOwn(file)).rejects.toThrow('of another user');
  });
});

async function leaveForeign(): Promise<string> {
  const file = join(run, 'foreign');
  await writeFile(file, '{}', { mode: 0o600 });
  await once(spawn('chown', ['65534', file]), 'exit');
  return file;
}

describe('a process that does not answer', () => {
  it('took the request: what came of it is not known, and is said so', async () => {
    newInbox().listen(() => undefined);
    expect(await requestControl(run, 'bob@desk', { do: 'stop' }, NOW, { withinMs: SHORT_MS * 3 })).toEqual({ how: 'unknown' });
    expect(await readdir(control)).toEqual([]);
  });
  it('is gone: nobody waits for it', async () => {
    newInbox();
    expect(await requestControl(run, 'bob@desk', { do: 'stop' }, NOW, { withinMs: 600_000, isServed: () => Promise.resolve(false) })).toEqual({ how: 'withdrawn' });
    expect(await readdir(control)).toEqual([]);
  });
  it('never opened a place for requests', async () => {
    expect(await requestControl(run, 'bob@desk', { do: 'stop' }, NOW, { withinMs: SHORT_MS })).toEqual({ how: 'deaf' });
  });
  it('whose rollout has ended says so when it closes', async () => {
    const inbox = newInbox();
    const leaveOff = inbox.listen(() => { throw new Error('nobody listens any more'); });
    leaveOff();
    const reply = requestControl(run, 'bob@desk', { do: 'stop' }, NOW);
    await vi.waitFor(async () => { expect((await readdir(control)).some((name) => /^request-[^.]*$/.test(name))).toBe(true); });
    await inbox.close();
    expect(await reply).toEqual({ how: 'answered', accepted: false, text: 'the rollout of this run has ended' });
  });
  it('an answer for one who is gone is not written', async () => {
    const late: ControlRequest[] = [];
    const inbox = newInbox();
    inbox.listen((request) => { late.push(request); });
    const asker = await startAsker(run);
    asker.go();
    await vi.waitFor(() => { expect(late).toHaveLength(1); }, { timeout: 10_000 });
    asker.kill();
    await asker.ended;
    late[0]?.answer(true, 'too late');
    await inbox.close();
    expect(await readdir(control)).toEqual([]);
  });
});

describe('a folder that cannot be trusted', () => {
  it.each<[string, () => Promise<void>, RegExp]>([
    ['others can write into it', async () => { await mkdir(control); await chmod(control, 0o777); }, /others can write into it/],
    ['it is a link', async () => { await mkdir(join(run, 'real')); await symlink(join(run, 'real'), control); }, /not a folder/],
    ['it is a file', async () => { await writeFile(control, ''); }, /not a folder/],
  ])('%s: nothing is heard, and the run is told why', async (_, make, words) => {
    await make();
    const inbox = newInbox();
    expect(inbox.remark).toMatch(words);
    const taken = obey(inbox);
    await requestControl(run, 'bob@desk', { do: 'stop' }, NOW, { withinMs: SHORT_MS }).catch(() => undefined);
    await sleep(0);
    expect(taken).toEqual([]);
  });
  it('leftovers of any kind do not stand in the way of a new one', async () => {
    await mkdir(join(control, 'taken-1', 'deep'), { recursive: true });
    await chmod(control, 0o700);
    expect(newInbox().remark).toBeUndefined();
    expect(await readdir(control)).toEqual([]);
  });
});
