/** One process at a time works on a run; one that is gone holds nobody up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import type { RunFolder, RunHolder } from '../../src/journals/index.js';
import { createRunFolder } from '../../src/journals/index.js';
import { holderText, identify } from '../../src/journals/holder.js';
import type { Worker } from './processes.js';
import { startHolder } from './processes.js';
import { sampleRecord } from './sample-run.js';

const NOW = new Date('2026-01-02T03:04:05.000Z');
let root: string;
let folder: RunFolder;
let started: Worker[];
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'fleetmend-hold-'));
  folder = await createRunFolder(root, sampleRecord(), []);
  started = [];
});
afterEach(async () => {
  for (const one of started) one.kill();
  await Promise.all(started.map((one) => one.ended));
  await rm(root, { recursive: true });
});

async function startHolders(count: number): Promise<Worker[]> {
  const workers = await Promise.all(Array.from({ length: count }, () => startHolder(root, folder.record.run)));
  started.push(...workers);
  return workers;
}

/** As if a process with these marks had held the run and was never heard of again. */
async function leaveHolder(marks: Partial<RunHolder>): Promise<void> {
  await writeFile(join(folder.directory, 'holder-1'), holderText({ ...(await identify('bob@desk', NOW.toISOString())), ...marks }));
}

describe('a run that a living process holds', () => {
  it('is refused with who, which process, from where and since when', async () => {
    const hold = await folder.hold('alice@laptop', NOW);
    expect(await folder.hold('bob@desk', NOW).catch(failureOf)).toMatchObject({
      kind: 'locked', summary: `run ${folder.record.run} is being worked on by alice@laptop (process ${process.pid} on ${hostname()}, since 2026-01-02T03:04:05.000Z)`,
    });
    expect(await folder.holder()).toMatchObject({ by: 'alice@laptop', pid: process.pid });
    await hold.release();
  });
  it('is free once released, without a remark; releasing twice harms nothing', async () => {
    const first = await folder.hold('alice@laptop', NOW);
    await first.release();
    await first.release();
    expect(await folder.holder()).toBeUndefined();
    const second = await folder.hold('bob@desk', NOW);
    expect(second.remark).toBeUndefined();
    await first.release();
    expect(await folder.holder()).toMatchObject({ by: 'bob@desk' });
  });
  it('keeps one holder file, whatever came before', async () => {
    for (let round = 0; round < 5; round++) await (await folder.hold('alice@laptop', NOW)).release();
    expect((await readdir(folder.directory)).filter((name) => name.startsWith('holder'))).toEqual(['holder-5']);
  });
});

describe('many processes at once', () => {
  it('on a free run: one holds it, all others are refused; when it is killed, one of the next ones takes over', async () => {
    const first = await startHolders(4);
    for (const one of first) one.go();
    await Promise.all(first.map((one) => one.hasTold(1)));
    expect(first.map((one) => one.told[0]).sort()).toEqual(['held ', 'locked', 'locked', 'locked']);
    const holder = first.find((one) => one.told[0] === 'held ');
    const next = await startHolders(4);
    holder?.kill();
    await holder?.ended;
    for (const one of next) one.go();
    await Promise.all(next.map((one) => one.hasTold(1)));
    const told = next.map((one) => one.told[0] ?? '').sort();
    expect(told.slice(1)).toEqual(['locked', 'locked', 'locked']);
    expect(told[0]).toMatch(new RegExp(`^held taken over from worker-${holder?.pid} .*which is gone$`));
  });
});

describe('a holder that is not alive', () => {
  it.each<[string, Partial<RunHolder>, RegExp]>([
    ['a process number that another process has now', { startTicks: '1' }, /which is gone$/],
    ['a machine that was started anew since', { bootId: 'b0000000-0000-4000-8000-000000000000' }, /which is gone$/],
    ['a process number that nobody has', { pid: 2 ** 22 + 1 }, /which is gone$/],
    ['another machine, from which the folder was copied', { bootId: 'b0', hostname: 'elsewhere' }, /cannot see whether it still works/],
    ['another container of this machine', { pidSpace: 'pid:[1]' }, /cannot see whether it still works/],
  ])('%s: taken over with a remark', async (_, marks, words) => {
    await leaveHolder(marks);
    expect(await folder.holder()).toBeUndefined();
    const hold = await folder.hold('alice@laptop', NOW);
    expect(hold.remark).toMatch(words);
    expect(hold.remark).toContain('bob@desk');
    await hold.release();
  });
  it('a process that has ended and only waits to be reaped: gone', async () => {
    // The long sleeper takes the shell's place before its child ends, and never asks for that child's end.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 600'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const [chunk] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(chunk.toString());
      let fields: string[] = [];
      while (fields[0] !== 'Z') fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
      await leaveHolder({ pid, startTicks: fields[19] ?? '' });
      expect((await folder.hold('alice@laptop', NOW)).remark).toMatch(/which is gone$/);
    } finally {
      parent.kill('SIGKILL');
      await once(parent, 'close');
    }
  });
  it('a process of this very machine is alive under another name of the machine', async () => {
    await leaveHolder({ hostname: 'renamed-since' });
    expect(await folder.hold('alice@laptop', NOW).catch(failureOf)).toMatchObject({ kind: 'locked' });
  });
  it.each(['', 'not json', '{"v":9}', '{"v":1,"pid":0}'])('a holder file that says %j: put aside with a remark', async (text) => {
    await writeFile(join(folder.directory, 'holder-7'), text);
    const hold = await folder.hold('alice@laptop', NOW);
    expect(hold.remark).toContain('could not be read');
    expect(await readFile(join(folder.directory, 'holder-8'), 'utf8')).toContain('alice@laptop');
    await hold.release();
  });
  it('what a foreign holder file says cannot act on a terminal', async () => {
    await leaveHolder({ by: 'eve\u001b[2J\n', bootId: 'b0', hostname: 'else\u0007where' });
    const { remark, release } = await folder.hold('alice@laptop', NOW);
    expect(remark).not.toMatch(/\p{Cc}/u);
    await release();
  });
});
