/**
 * A lock between processes that can't go stale: a child holds flock(2) on a file and lives only as
 * long as our end of its input. When the owner dies, however it dies, the lock is free.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Lock {
  release(): Promise<void>;
}

/** `undefined`: another process held the lock for all of `waitSeconds`. */
export async function holdLock(file: string, waitSeconds: number): Promise<Lock | undefined> {
  mkdirSync(dirname(file), { recursive: true });
  const child = spawn('flock', ['-w', String(waitSeconds), file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C goes to the whole foreground group; the lock must outlive the cleaning up that follows.
    detached: true,
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  const held = await Promise.race([
    new Promise<true>((resolve) => child.stdout.once('data', () => resolve(true))),
    ended.then(() => false as const),
  ]);
  if (!held) return undefined;
  child.unref();
  unrefStream(child.stdin);
  unrefStream(child.stdout);
  return {
    async release() {
      child.ref();
      child.stdin.end();
      await ended;
    },
  };
}

/** A waiting pipe keeps the process alive; ours must not. */
function unrefStream(stream: object): void {
  if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
}
