/** The journals against their contract, and what only a file can suffer. */
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { createMemoryJournal, openFileJournal } from '../../src/journals/index.js';
import { entry, journalContract } from '../contracts/journal.contract.js';

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'fleetmend-journal-'));
  directories.push(directory);
  return join(directory, 'run');
}

journalContract('the memory journal', () => Promise.resolve(createMemoryJournal()));
journalContract('the file journal', async () => openFileJournal(await newDirectory()));

describe('the file journal', () => {
  it('is readable by its owner only', async () => {
    const directory = await newDirectory();
    const journal = await openFileJournal(directory);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'journal.ndjson'))).mode & 0o777).toBe(0o600);
    await journal.close();
  });
  it('has an entry on the disk when append resolves, and still after it is opened again', async () => {
    const directory = await newDirectory();
    const first = await openFileJournal(directory);
    await first.append(entry('a', 1));
    expect(await readFile(join(directory, 'journal.ndjson'), 'utf8')).toContain('"step-1"');
    await first.close();
    const second = await openFileJournal(directory);
    expect(await second.append(entry('a', 1)).catch(failureOf)).toMatchObject({ kind: 'fenced' });
    await second.append(entry('a', 2));
    expect(await second.read('run-1')).toEqual([entry('a', 1), entry('a', 2)]);
    await second.close();
  });
  it('drops a torn last line, which was never acknowledged, and goes on cleanly behind it', async () => {
    const directory = await newDirectory();
    const first = await openFileJournal(directory);
    await first.append(entry('a', 1));
    await first.close();
    await appendFile(join(directory, 'journal.ndjson'), '{"v":2,"wri');
    const second = await openFileJournal(directory);
    await second.append(entry('a', 2));
    expect(await second.read('run-1')).toEqual([entry('a', 1), entry('a', 2)]);
    await second.close();
  });
  it('is not trusted again once a write failed', async () => {
    const journal = await openFileJournal(await newDirectory());
    // The handle underneath is closed, as a disk that went away would do it.
    await journal.close();
    expect(await journal.append(entry('a', 1)).catch(failureOf)).toMatchObject({ kind: 'journal' });
    expect(await journal.append(entry('a', 2)).catch(failureOf)).toMatchObject({ kind: 'journal' });
  });
});
