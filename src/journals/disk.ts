/** Small acts on the controller's disk, durable and wary: folders and files of a run may have come from another machine. */
import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { link, lstat, open, readFile, readlink, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Opens a regular file that lies right here: never what a link leads to, never a pipe that would wait for a writer. */
export async function openRegular(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  try {
    if (!(await handle.stat()).isFile()) throw new Error('not a regular file');
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

export async function readRegular(path: string): Promise<Buffer> {
  const handle = await openRegular(path, constants.O_RDONLY);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** A new file, whole and on the disk, or none. Rejects with EEXIST when the name is taken. */
export async function createDurably(path: string, chunks: Iterable<string>): Promise<void> {
  await withDraft(path, chunks, (draft) => link(draft, path));
}

/** The same, in place of whatever has the name. */
export async function replaceDurably(path: string, chunks: Iterable<string>): Promise<void> {
  await withDraft(path, chunks, (draft) => rename(draft, path));
}

async function withDraft(path: string, chunks: Iterable<string>, place: (draft: string) => Promise<void>): Promise<void> {
  const draft = `${path}.${randomUUID()}.draft`;
  try {
    const handle = await open(draft, 'wx', 0o600);
    try {
      for (const chunk of chunks) await handle.appendFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(draft);
    await syncDirectory(dirname(path));
  } finally {
    await unlinkIfThere(draft);
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Why this folder must not be used: others could have written what lies in it. Undefined when it is ours alone. */
export async function exposureOf(directory: string): Promise<string | undefined> {
  return exposureOfFacts(await lstat(directory));
}

export function exposureOfFacts(facts: Stats): string | undefined {
  if (!facts.isDirectory()) return 'it is not a folder';
  const self = process.geteuid?.();
  if (self !== undefined && facts.uid !== self) return `it belongs to user ${facts.uid}, not to you (${self})`;
  return (facts.mode & 0o022) === 0 ? undefined : `others can write into it (mode ${(facts.mode & 0o777).toString(8).padStart(4, '0')})`;
}

/** A small text of /proc; undefined where there is none. */
export async function readSystemText(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').then((text) => text.trim(), () => undefined);
}

export async function readLinkText(path: string): Promise<string | undefined> {
  return await readlink(path).catch(() => undefined);
}

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
