/** What a crash leaves of a journal file is told from what was damaged: the first is passed over, the second refused with its place. */
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import { failureOf } from '../../src/core/failure.js';
import type { JournalEntry } from '../../src/core/journal.js';
import { openFileJournal, readFileJournal } from '../../src/journals/index.js';
import { lineOf } from '../../src/journals/journal-line.js';
import { createLedger } from '../../src/journals/ledger.js';
import { entry } from '../contracts/journal.contract.js';

const WRITER = '0123456789abcdef';
const batch = (...entries: readonly JournalEntry[]): string => `\n${entries.map((one) => `${lineOf(one, WRITER)}\n`).join('')}`;
let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-damage-'));
  path = join(directory, 'journal.ndjson');
});
afterEach(async () => { await rm(directory, { recursive: true }); });

/** The entries of some bytes, taken in piece by piece. */
function read(bytes: Buffer, cuts: readonly number[] = []): JournalEntry[] {
  const ledger = createLedger('j');
  const edges = [0, ...[...cuts].sort((left, right) => left - right), bytes.length];
  const won = edges.slice(1).flatMap((end, index) => ledger.take(bytes.subarray(edges[index] ?? 0, end)));
  return [...won, ...ledger.end()].map((one) => one.entry);
}

function outcomeOf(work: () => JournalEntry[]): JournalEntry[] | Failure {
  try {
    return work();
  } catch (thrown) {
    return failureOf(thrown);
  }
}

const step = fc.string({ unit: 'binary' });
const batches = fc.array(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'knöten'), step), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 6 }).map((list) => {
  const last = new Map<string, number>();
  return list.map((items) => items.map(([host, text]): JournalEntry => {
    const seq = (last.get(host) ?? 0) + 1;
    last.set(host, seq);
    return { ...entry(host, seq), step: text } as JournalEntry;
  }));
});

describe('a file that was cut anywhere', () => {
  it('gives back a prefix of whole entries, and an entry that stands behind the cut is not lost', () => {
    fc.assert(fc.property(batches, fc.nat(), fc.array(fc.nat(), { maxLength: 5 }), fc.nat(3), (list, cut, cuts, zeros) => {
      const all = list.flat();
      const whole = Buffer.from(list.map((items) => batch(...items)).join(''));
      const torn = Buffer.concat([whole.subarray(0, cut % (whole.length + 1)), Buffer.alloc(zeros)]);
      const kept = read(torn, cuts.map((one) => one % (torn.length + 1)));
      expect(kept).toEqual(all.slice(0, kept.length));
      const next = entry('z', 1);
      expect(read(Buffer.concat([torn, Buffer.from(batch(next))]))).toEqual([...kept, next]);
    }));
  });
  it('one byte that was changed is refused with its place, or loses nothing', () => {
    fc.assert(fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (list, at, flip) => {
      const bytes = Buffer.from(list.map((items) => batch(...items)).join(''));
      const place = at % bytes.length;
      bytes[place] = (bytes[place] ?? 0) ^ flip;
      const outcome = outcomeOf(() => read(bytes));
      // What only tells whose a line is, or stands where one ends, may differ without harm.
      if (Array.isArray(outcome)) expect(outcome).toEqual(list.flat());
      else expect(outcome).toMatchObject({ kind: 'journal', summary: expect.stringMatching(/^j:\d+: /) as string });
    }));
  });
  it('a piece in the middle, with the batch of another process behind it, is passed over', async () => {
    const piece = lineOf(entry('a', 2), WRITER).slice(0, -20);
    await writeFile(path, `${batch(entry('a', 1))}\n${piece}${batch(entry('a', 2), entry('b', 1))}`);
    expect(await readFileJournal(directory)).toEqual([entry('a', 1), entry('a', 2), entry('b', 1)]);
  });
  it('is never shortened or changed by opening it: another process may be writing there right now', async () => {
    const text = `${batch(entry('a', 1))}${batch(entry('a', 2)).slice(0, -9)}`;
    await writeFile(path, text);
    await (await openFileJournal(directory)).close();
    expect(await readFile(path, 'utf8')).toBe(text);
  });
  it('a last line that only lacks its line end counts, and its place is taken', async () => {
    await writeFile(path, batch(entry('a', 1)).trimEnd());
    const journal = await openFileJournal(directory);
    expect(await journal.read('run-1')).toEqual([entry('a', 1)]);
    expect(await journal.append(entry('a', 1)).catch(failureOf)).toMatchObject({ kind: 'fenced' });
    await journal.append(entry('a', 2));
    expect(await journal.read('run-1')).toEqual([entry('a', 1), entry('a', 2)]);
    await journal.close();
  });
});

describe('a file that was damaged is refused with its place', () => {
  const good = lineOf(entry('a', 1), WRITER);
  it.each<[string, string, RegExp]>([
    ['a line that is none', `\n${good}\nhello\n${lineOf(entry('a', 2), WRITER)}\n`, /journal\.ndjson:3: corrupt/],
    ['a changed letter', `\n${good.replace('step-1', 'step-7')}\n`, /journal\.ndjson:2: corrupt: the digest/],
    ['two lines glued together', `${good}${good}\n`, /journal\.ndjson:1: corrupt: longer than it says/],
    ['a later version', '{"v":3,"anything":1}\n', /journal\.ndjson:1: written in version 3/],
    ['the version before', '{"v":1,"type":"began","run":"r","host":"a","seq":1}\n', /journal\.ndjson:1: written in version 1/],
    ['an entry that is missing', `\n${good}\n${lineOf(entry('a', 3), WRITER)}\n`, /journal\.ndjson:3: corrupt: entry 3 of a without entry 2/],
    ['an entry of a kind that is not known', `${lineOf({ ...entry('a', 1), type: 'sung' } as never, WRITER)}\n`, /journal\.ndjson:1: corrupt: an entry of an unknown kind/],
    ['an entry that is none', `${lineOf({ run: 'r', host: 'a', seq: 0, at: '', type: 'began' } as never, WRITER)}\n`, /journal\.ndjson:1: corrupt: not an entry/],
  ])('%s', async (_, text, words) => {
    await writeFile(path, text);
    for (const open of [openFileJournal, readFileJournal]) {
      const failure = await open(directory).then(() => undefined, failureOf);
      expect(failure).toMatchObject({ kind: 'journal', summary: expect.stringMatching(words) as string });
    }
  });
  it('a link in place of the file: what it leads to is not touched', async () => {
    const victim = join(directory, 'victim');
    await writeFile(victim, 'x');
    await symlink(victim, path);
    expect(await openFileJournal(directory).catch(failureOf)).toMatchObject({ kind: 'journal' });
    expect(await readFile(victim, 'utf8')).toBe('x');
  });
  it('a file that somebody removed while we write: nothing more is acknowledged', async () => {
    const journal = await openFileJournal(directory);
    await journal.append(entry('a', 1));
    await rm(path);
    expect(await journal.append(entry('a', 2)).catch(failureOf)).toMatchObject({ kind: 'journal', summary: expect.stringContaining('removed') as string });
    await journal.close();
  });
  it('damage that another process brings in while we write: nothing more is acknowledged', async () => {
    const journal = await openFileJournal(directory);
    await journal.append(entry('a', 1));
    await appendFile(path, 'noise\n');
    expect(await journal.append(entry('a', 2)).catch(failureOf)).toMatchObject({ kind: 'journal', summary: expect.stringContaining('corrupt') as string });
    expect(await journal.append(entry('b', 1)).catch(failureOf)).toMatchObject({ kind: 'journal' });
    await journal.close();
  });
});

it('an append that would leave a gap is refused, for nobody could read the file again', async () => {
  const journal = await openFileJournal(directory);
  expect(await journal.append(entry('a', 2)).catch(failureOf)).toMatchObject({ kind: 'journal' });
  await journal.append(entry('a', 1));
  expect(await journal.read('run-1')).toEqual([entry('a', 1)]);
  await journal.close();
});

const isRoot = process.geteuid?.() === 0;
it.skipIf(!isRoot)('a full disk (needs root for a small tmpfs): what was acknowledged is there, the rest is refused, and the journal opens again', async () => {
  const disk = join(directory, 'disk');
  await mkdir(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', disk]);
  try {
    const journal = await openFileJournal(disk);
    const ends = await Promise.all(Array.from({ length: 40 }, async (_, index) => {
      const big = { ...entry('a', index + 1), step: 'x'.repeat(3000) } as JournalEntry;
      // One after the other, as a host does it.
      await new Promise((resolve) => setImmediate(resolve));
      return await journal.append(big).then(() => index + 1, (thrown: unknown) => failureOf(thrown).kind);
    }));
    const acknowledged = ends.filter((end): end is number => typeof end === 'number');
    expect(ends.at(-1)).toBe('journal');
    await journal.close();
    const kept = (await readFileJournal(disk)).map((one) => one.seq);
    expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged);
    // Room again, as after a clean-up: the piece that the full disk left is closed off.
    execFileSync('mount', ['-o', 'remount,size=256k', disk]);
    const again = await openFileJournal(disk);
    await again.append(entry('a', kept.length + 1));
    expect((await again.read('run-1')).at(-1)).toEqual(entry('a', kept.length + 1));
    await again.close();
  } finally {
    // Lazily: a journal that a failed expectation left open must not keep the disk.
    execFileSync('umount', ['--lazy', disk]);
  }
});

it('a file that grows short by truncation is still a prefix (on the disk, not only in memory)', async () => {
  await writeFile(path, batch(entry('a', 1), entry('a', 2), entry('a', 3)));
  await truncate(path, batch(entry('a', 1), entry('a', 2)).length + 50);
  expect(await readFileJournal(directory)).toEqual([entry('a', 1), entry('a', 2)]);
});
