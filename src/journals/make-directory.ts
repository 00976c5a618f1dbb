/**
 * Makes a directory and what is missing above it, durably, or says at once why not. In place of Node's recursive mkdir:
 * where a file system answers "no such file" for a new name in a directory that exists (/proc does), that one asks
 * for the parent and the name in turn, for ever. Never changes a directory that is there already.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import { syncDirectory } from './disk.js';

/** `mode` is that of every directory it makes, before the umask. Throws FleetmendError (journal) that names the directory to blame. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  for (const directory of withParents(resolve(path))) {
    if (await isDirectory(directory)) continue;
    await mkdir(directory, { mode }).catch(async (cause: unknown) => {
      // Another process may have made it in the same moment.
      if (!(await isDirectory(directory))) throw refusal(path, directory, cause);
    });
    await syncDirectory(dirname(directory)).catch((cause: unknown) => { throw refusal(path, directory, cause); });
  }
}

/** From the root down. */
function withParents(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...withParents(parent), path];
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isDirectory(), () => false);
}

function refusal(wanted: string, directory: string, cause: unknown): FleetmendError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  return new FleetmendError(
    {
      kind: 'journal',
      summary: `the directory ${wanted} cannot be made: ${reasonOf(code, directory)}`,
      next: 'name a place that can be written in XDG_STATE_HOME',
    },
    { cause },
  );
}

function reasonOf(code: string, directory: string): string {
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return `${directory} is not a directory`;
    case 'ENOENT':
      return `${dirname(directory)} takes no new directories`;
    case 'EACCES':
    case 'EPERM':
      return `no permission to make ${directory}`;
    case 'EROFS':
      return `${dirname(directory)} is read-only`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `no space for ${directory}`;
    default:
      return `${directory}: ${code}`;
  }
}
