/**
 * The journal of a run on the controller's disk: one line of JSON per entry, append only, owner only. An entry is on the disk
 * before `append` resolves; entries that arrive while a sync is under way share the next one. A fence between processes: the
 * order of the lines in the file decides who holds a place, and each batch is read back to see it. Never changes a byte that
 * is there (not even a torn one), so it cannot harm another process that is writing. Needs a file system of this machine.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { Journal } from '../core/ports.js';
import { codeOf, openRegular, syncDirectory } from './disk.js';
import { lineOf } from './journal-line.js';
import type { Ledger, Won } from './ledger.js';
import { createLedger, hostKey } from './ledger.js';
import { makeDirectory } from './make-directory.js';
import { takenError } from './memory.js';

const FILE_NAME = 'journal.ndjson';
const BATCH_ENTRIES = 1000;
const CHUNK_BYTES = 1 << 18;

interface Waiting {
  readonly entry: JournalEntry;
  readonly resolve: () => void;
  readonly reject: (reason: FleetmendError) => void;
}

/** Opens (or creates) `directory/journal.ndjson`. Throws FleetmendError (journal), with `path:line` for what is corrupt. */
export async function openFileJournal(directory: string): Promise<Journal> {
  const path = join(directory, FILE_NAME);
  try {
    await makeDirectory(directory, 0o700);
    const handle = await openRegular(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT);
    try {
      await syncDirectory(directory);
      const ledger = createLedger(path);
      const { position } = await readOn(handle, ledger, 0);
      ledger.end();
      return createJournal(path, handle, ledger, position);
    } catch (cause) {
      await handle.close();
      throw cause;
    }
  } catch (cause) {
    throw journalError(path, cause);
  }
}

/** All entries of `directory/journal.ndjson`, in order; none when there is no file. Changes nothing. */
export async function readFileJournal(directory: string): Promise<JournalEntry[]> {
  const path = join(directory, FILE_NAME);
  try {
    const handle = await openRegular(path, constants.O_RDONLY);
    try {
      return await entriesOf(path, handle);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw journalError(path, cause);
  }
}

function createJournal(path: string, handle: FileHandle, ledger: Ledger, opened: number): Journal {
  const writer = randomBytes(8).toString('hex');
  const reserved = new Map<string, number>();
  const fenced = new Set<string>();
  let position = opened;
  const waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;
  let broken: FleetmendError | undefined;

  /** Appends a batch durably, then looks whose lines came first; the places that are ours. */
  const commit = async (batch: readonly Waiting[]): Promise<Set<string>> => {
    // The line end in front closes off whatever a process that died left there.
    const bytes = Buffer.from(`\n${batch.map(({ entry }) => `${lineOf(entry, writer)}\n`).join('')}`);
    await writeWhole(handle, bytes);
    await handle.datasync();
    if ((await handle.stat()).nlink === 0) throw new Error('somebody has removed it');
    const read = await readOn(handle, ledger, position);
    position = read.position;
    for (const won of read.won) if (won.writer !== writer) fenced.add(hostKey(won.entry));
    return new Set(read.won.filter((won) => won.writer === writer).map(({ entry }) => placeKey(entry)));
  };

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH_ENTRIES);
      try {
        if (broken) throw broken;
        const ours = await commit(batch);
        for (const { entry, resolve, reject } of batch) {
          if (ours.has(placeKey(entry))) resolve();
          else reject(takenError(entry));
        }
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
      const before = Math.max(ledger.lastOf(entry), reserved.get(hostKey(entry)) ?? 0);
      if (broken) return Promise.reject(broken);
      if (entry.seq <= before || fenced.has(hostKey(entry))) return Promise.reject(takenError(entry));
      if (entry.seq > before + 1) return Promise.reject(gapError(path, entry, before));
      reserved.set(hostKey(entry), entry.seq);
      return new Promise<void>((resolve, reject) => {
        waiting.push({ entry, resolve, reject });
        flushing ??= flush();
      });
    },
    read: async (run) => (await entriesOf(path, handle)).filter((entry) => entry.run === run),
    close: async () => {
      await flushing;
      await handle.close();
    },
  };
}

async function entriesOf(path: string, handle: FileHandle): Promise<JournalEntry[]> {
  const ledger = createLedger(path);
  const { won } = await readOn(handle, ledger, 0);
  return [...won, ...ledger.end()].map(({ entry }) => entry);
}

/** Takes in what the file has from `position` to its end, as it is now. */
async function readOn(handle: FileHandle, ledger: Ledger, from: number): Promise<{ won: Won[]; position: number }> {
  const won: Won[] = [];
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let position = from;
  for (;;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return { won, position };
    position += bytesRead;
    for (const one of ledger.take(chunk.subarray(0, bytesRead))) won.push(one);
  }
}

/** One write, so that no other process's lines come between. What is left of a short one must not be sent after it: they could. */
async function writeWhole(handle: FileHandle, bytes: Buffer): Promise<void> {
  const { bytesWritten } = await handle.write(bytes, 0, bytes.length, null);
  if (bytesWritten < bytes.length) throw new Error(`only ${bytesWritten} of ${bytes.length} bytes could be written (disk full?)`);
}

function placeKey(entry: JournalEntry): string {
  return `${hostKey(entry)}\0${entry.seq}`;
}

function gapError(path: string, entry: JournalEntry, before: number): FleetmendError {
  return new FleetmendError({ kind: 'journal', summary: `the journal ${path} has no entry ${before + 1} of ${entry.host}: entry ${entry.seq} cannot follow` });
}

function journalError(path: string, cause: unknown): FleetmendError {
  if (cause instanceof FleetmendError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new FleetmendError({ kind: 'journal', summary: `the journal ${path} cannot be written or read: ${message}` }, { cause });
}
