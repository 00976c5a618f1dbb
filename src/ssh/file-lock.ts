/**
 * Holds a lock file while some work runs, against other processes. Waits a finite time; takes over the lock of a process
 * that is gone. Never leaves its own lock file behind.
 */
import { hostname } from 'node:os';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockTimes {
  readonly waitMs: number;
  readonly retryMs: number;
}

/** Who holds the lock file, as far as its text tells. */
export class LockedError extends Error {
  constructor(readonly lockFile: string, readonly holder: string) {
    super(`${lockFile} is held by ${holder}`);
  }
}

export async function withFileLock<T>(lockFile: string, work: () => Promise<T>, times: LockTimes = { waitMs: 10_000, retryMs: 25 }): Promise<T> {
  await acquire(lockFile, times);
  try {
    return await work();
  } finally {
    await unlink(lockFile);
  }
}

async function acquire(lockFile: string, times: LockTimes): Promise<void> {
  const deadline = performance.now() + times.waitMs;
  while (!(await tryCreate(lockFile))) {
    const holder = await readHolder(lockFile);
    if (holder !== undefined && isGone(holder)) {
      await takeAway(lockFile, holder);
    } else if (performance.now() >= deadline) {
      throw new LockedError(lockFile, holder ?? 'nobody any more');
    } else {
      await sleep(times.retryMs);
    }
  }
}

/** The lock appears whole or not at all: a name linked to a finished file. */
async function tryCreate(lockFile: string): Promise<boolean> {
  const draft = `${lockFile}.${randomUUID()}`;
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${process.pid} ${hostname()}\n`);
    await link(draft, lockFile);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await handle.close();
    await unlink(draft);
  }
}

async function readHolder(lockFile: string): Promise<string | undefined> {
  try {
    return (await readFile(lockFile, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Only a process of this machine can be known to be gone. */
function isGone(holder: string): boolean {
  const [pid, machine] = holder.split(' ');
  if (machine !== hostname() || pid === undefined || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

/** By rename, so that only one of several waiters takes it; a lock that changed hands meanwhile is put back. */
async function takeAway(lockFile: string, holder: string): Promise<void> {
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readHolder(aside)) !== holder) {
    await link(aside, lockFile).catch(() => undefined);
  }
  await unlink(aside);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
