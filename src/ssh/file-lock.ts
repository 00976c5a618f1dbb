/**
 * Holds a lock file while some work runs, against other processes. Waits a finite time; takes over the lock of a process
 * that is gone. Never leaves its own lock file behind, never removes that of somebody else.
 */
import { hostname } from 'node:os';
import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LockWait {
  /** Default 10 000. */
  readonly waitMs?: number;
  /** Default 25. */
  readonly retryMs?: number;
  /** Who was waited for in vain before is not waited for again. */
  readonly givenUp?: string | undefined;
  /** Asked between tries: whether anybody still wants it. */
  isWanted?(): boolean;
}

/** `holder`: the text of the lock file, `PID MACHINE ...` where it is one of ours. */
export class LockedError extends Error {
  constructor(readonly lockFile: string, readonly holder: string) {
    super(`${lockFile} is held by ${nameOf(holder)}`);
  }
}

export async function withFileLock<T>(lockFile: string, work: () => Promise<T>, wait: LockWait = {}): Promise<T> {
  const own = `${process.pid} ${hostname()} ${randomUUID()}`;
  await acquire(lockFile, own, wait);
  try {
    return await work();
  } finally {
    // A person may have removed it.
    if ((await readHolder(lockFile).catch(() => undefined)) === own) await unlink(lockFile).catch(() => undefined);
  }
}

/** Completes "remove FILE ...": when a person may do that. */
export function whenToRemove(holder: string): string {
  const [pid, machine] = holder.split(' ');
  if (machine === undefined || pid === undefined || !/^\d+$/.test(pid)) return 'if no fleetmend runs';
  return machine === hostname() ? `if process ${pid} is no fleetmend` : `if process ${pid} of ${machine} is no fleetmend`;
}

function nameOf(holder: string): string {
  const [pid, machine] = holder.split(' ');
  return machine === undefined ? 'somebody' : `process ${pid} of ${machine}`;
}

async function acquire(lockFile: string, own: string, { waitMs = 10_000, retryMs = 25, givenUp, isWanted = () => true }: LockWait): Promise<void> {
  const deadline = performance.now() + waitMs;
  const draft = `${lockFile}.${randomUUID()}`;
  await writeDraft(draft, own);
  try {
    while (!(await tryLink(draft, lockFile))) {
      const holder = await readHolder(lockFile);
      if (holder === undefined) continue;
      if (isGone(holder) && (await takeOver(lockFile, holder, draft))) return;
      if (performance.now() >= deadline || holder === givenUp || !isWanted()) throw new LockedError(lockFile, holder);
      await sleep(retryMs);
    }
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

async function writeDraft(draft: string, text: string): Promise<void> {
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
  } finally {
    await handle.close();
  }
}

/** The lock appears whole or not at all: a name linked to a finished file. */
async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
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

/**
 * One of all who wait claims the very lock that was left, by a name made of its text; what was linked shows whether it still was that
 * one. Until the claim is gone nobody else may replace it, so the lock of a living process is never touched.
 */
async function takeOver(lockFile: string, holder: string, draft: string): Promise<boolean> {
  const claim = `${lockFile}.${createHash('sha256').update(holder).digest('hex').slice(0, 16)}`;
  try {
    if (!(await tryLink(lockFile, claim))) return false;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  try {
    if ((await readHolder(claim)) !== holder) return false;
    await rename(draft, lockFile);
    return true;
  } finally {
    await unlink(claim);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
