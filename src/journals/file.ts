/**
 * The journal of a run on the controller's disk: one line of JSON per entry, append only, owner only.
 * An entry is on the disk before `append` resolves; entries that arrive while a sync is under way share the
 * next one, so thousands of hosts do not mean thousands of syncs in a row. Never rewrites a line.
 */
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { Journal } from '../core/ports.js';
import { takenError } from './memory.js';

const JOURNAL_VERSION = 1;

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (reason: FleetmendError) => void;
}

/** Opens (or creates) `directory/journal.ndjson`. */
export async function openFileJournal(directory: string): Promise<Journal> {
  const path = join(directory, 'journal.ndjson');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const taken = new Set((await readEntries(path)).map(keyOf));
    const handle = await open(path, 'a', 0o600);
    await dropTornLine(path, handle);
    await syncDirectory(directory);
    return createJournal(path, handle, taken);
  } catch (cause) {
    throw cause instanceof FleetmendError ? cause : journalError(path, cause);
  }
}

function createJournal(path: string, handle: FileHandle, taken: Set<string>): Journal {
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;
  let broken: FleetmendError | undefined;

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (broken) throw broken;
        await handle.appendFile(batch.map((item) => item.line).join(''));
        await handle.datasync();
        for (const item of batch) item.resolve();
      } catch (cause) {
        // A journal that failed once is not trusted again: nothing further may begin.
        broken ??= journalError(path, cause);
        for (const item of batch) item.reject(broken);
      }
    }
    flushing = undefined;
  };

  return {
    append: (entry) => {
      if (taken.has(keyOf(entry))) return Promise.reject(takenError(entry));
      taken.add(keyOf(entry));
      return new Promise<void>((resolve, reject) => {
        waiting.push({ line: `${JSON.stringify({ v: JOURNAL_VERSION, ...entry })}\n`, resolve, reject });
        flushing ??= flush();
      });
    },
    read: async (run) => (await readEntries(path)).filter((entry) => entry.run === run),
    close: async () => {
      await flushing;
      await handle.close();
    },
  };
}

function keyOf(entry: JournalEntry): string {
  return `${entry.run}\0${entry.host}\0${entry.seq}`;
}

/** All entries of a journal file; none when there is no file. A torn last line was never acknowledged: it is left out. */
async function readEntries(path: string): Promise<JournalEntry[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw journalError(path, error);
  });
  const lines = text.split('\n');
  const complete = lines.slice(0, -1);
  return complete.map((line, index) => parseLine(path, line, index + 1));
}

/** What a crash left of a last line would otherwise glue itself to the next entry. */
async function dropTornLine(path: string, handle: FileHandle): Promise<void> {
  const bytes = await readFile(path);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end === bytes.length) return;
  await handle.truncate(end);
  await handle.datasync();
}

function parseLine(path: string, line: string, number: number): JournalEntry {
  try {
    const { v, ...entry } = JSON.parse(line) as { v: number } & JournalEntry;
    if (v === JOURNAL_VERSION && typeof entry.seq === 'number') return entry;
  } catch {
    // Told below, with its position.
  }
  throw new FleetmendError({ kind: 'journal', summary: `${path}:${number}: not a journal entry of version ${JOURNAL_VERSION}` });
}

function journalError(path: string, cause: unknown): FleetmendError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new FleetmendError({ kind: 'journal', summary: `the journal ${path} cannot be written or read: ${message}` }, { cause });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
