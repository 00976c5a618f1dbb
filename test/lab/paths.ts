/** Where the lab keeps its things: all below one directory outside the repository. */
import { join } from 'node:path';

/** Bases and running labs; on a file system that can hold the upper side of an overlay. */
export function cacheDir(): string {
  return process.env['FLEETMEND_LAB_CACHE'] ?? '/var/cache/fleetmend-lab';
}

export function labsDir(): string {
  return join(cacheDir(), 'labs');
}

export function labDir(prefix: string): string {
  return join(labsDir(), prefix);
}

/** Held by the process that owns the lab, so that a dead owner is known for certain. */
export function labLockFile(prefix: string): string {
  return join(labsDir(), `${prefix}.lock`);
}
