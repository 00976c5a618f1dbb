/** Removes the labs whose owner is dead. A lab that is in use, or was left up on purpose, is never touched. */
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdLock } from './lock.js';
import { labDir, labLockFile, labsDir } from './paths.js';
import { sweepLab } from './sweep.js';

/** Returns the prefixes that were removed. */
export async function sweepDeadLabs(): Promise<string[]> {
  const names = existsSync(labsDir()) ? readdirSync(labsDir(), { withFileTypes: true }) : [];
  const swept: string[] = [];
  for (const { name: prefix } of names.filter((entry) => entry.isDirectory())) {
    const lock = await holdLock(labLockFile(prefix), 0);
    if (!lock) continue;
    if (!isDetached(prefix)) {
      sweepLab(prefix);
      swept.push(prefix);
    }
    await lock.release();
  }
  return swept;
}

export function isDetached(prefix: string): boolean {
  return existsSync(join(labDir(prefix), 'detached'));
}

export async function markDetached(prefix: string): Promise<void> {
  await writeFile(join(labDir(prefix), 'detached'), '');
}
