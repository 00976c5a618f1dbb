/** One journal file and several real processes: a place is taken once over all of them, and what was acknowledged stays. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { openFileJournal, readFileJournal } from '../../src/journals/index.js';
import { entry } from '../contracts/journal.contract.js';
import type { Worker } from './processes.js';
import { startAppender } from './processes.js';

let directory: string;
let started: Worker[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-fence-'));
  started = [];
});
afterEach(async () => {
  for (const one of started) one.kill();
  await Promise.all(started.map((one) => one.ended));
  await rm(directory, { recursive: true });
});

async function start(count: number, hosts: number, entries: number): Promise<Worker[]> {
  started = await Promise.all(Array.from({ length: count }, () => startAppender(directory, hosts, entries)));
  return started;
}

describe('several processes that append the same places at once', () => {
  it.each([2, 4])('%i of them: exactly one wins each place, and nobody else is told that it has', async (count) => {
    const processes = await start(count, 20, 10);
    for (const one of processes) one.go();
    await Promise.all(processes.map((one) => one.ended));
    const won = processes.flatMap(({ pid, told }) => told.filter((line) => line.startsWith('won ')).map((line) => `${line.slice(4)} ${pid}`));
    const read = (await readFileJournal(directory)).map((one) => `${one.host} ${one.seq} ${(one as unknown as { by: string }).by}`);
    expect(won.sort()).toEqual(read.sort());
    expect(new Set(read.map((line) => line.split(' ').slice(0, 2).join(' '))).size).toBe(read.length);
    const others = processes.flatMap(({ told }) => told.filter((line) => !line.startsWith('won ')));
    expect(others.every((line) => line.startsWith('fenced '))).toBe(true);
    expect(others.length).toBeGreaterThan(0);
  });
  it('no line of any of them is torn by another', async () => {
    const processes = await start(3, 30, 10);
    for (const one of processes) one.go();
    await Promise.all(processes.map((one) => one.ended));
    const lines = (await readFile(join(directory, 'journal.ndjson'), 'utf8')).split('\n').filter((line) => line !== '');
    for (const line of lines) expect(JSON.parse(line)).toMatchObject({ v: 2, entry: { run: 'run-1' } });
  });
});

describe('two journals of one file', () => {
  it('a host that another one took over is lost for good, also its later places', async () => {
    const [first, second] = [await openFileJournal(directory), await openFileJournal(directory)];
    await first.append(entry('a', 1));
    expect(await second.append(entry('a', 1)).catch(failureOf)).toMatchObject({ kind: 'fenced' });
    expect(await second.append(entry('a', 2)).catch(failureOf)).toMatchObject({ kind: 'fenced' });
    await second.append(entry('b', 1));
    await first.append(entry('a', 2));
    expect(await first.append(entry('b', 1)).catch(failureOf)).toMatchObject({ kind: 'fenced' });
    expect(await readFileJournal(directory)).toEqual([entry('a', 1), entry('b', 1), entry('a', 2)]);
    await Promise.all([first.close(), second.close()]);
  });
  it('what a foreign process wrote is learnt: the same place is then refused without a write', async () => {
    const [first, second] = [await openFileJournal(directory), await openFileJournal(directory)];
    await first.append(entry('a', 1));
    await second.append(entry('b', 1));
    const before = await readFile(join(directory, 'journal.ndjson'));
    expect(await second.append(entry('a', 1)).catch(failureOf)).toMatchObject({ kind: 'fenced' });
    expect(await readFile(join(directory, 'journal.ndjson'))).toEqual(before);
    await Promise.all([first.close(), second.close()]);
  });
});

describe('kill -9 in the middle of appends', () => {
  it.each(Array.from({ length: 5 }, (_, round) => [round, randomInt(1, 400)]))('round %i, after %i acknowledged entries: all of them are there', async (_, count) => {
    const [victim] = await start(1, 20, 50);
    victim?.go();
    await victim?.hasTold(count);
    victim?.kill();
    await victim?.ended;
    const read = new Set((await readFileJournal(directory)).map((one) => `won ${one.host} ${one.seq}`));
    for (const line of victim?.told ?? []) expect(read).toContain(line);
    const journal = await openFileJournal(directory);
    const last = (await journal.read('run-1')).filter((one) => one.host === 'host-0').length;
    await journal.append(entry('host-0', last + 1));
    expect((await readFileJournal(directory)).at(-1)).toEqual(entry('host-0', last + 1));
    await journal.close();
  });
});
