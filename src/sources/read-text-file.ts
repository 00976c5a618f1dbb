/** Reads a small text file that a person named. Never waits on a pipe, never reads a device, never decodes with loss. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { decodeUtf8 } from '../core/bytes.js';
import { FleetmendError } from '../core/failure.js';
import { badInput } from '../core/input-error.js';

export const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The whole text. Rejects with FleetmendError (badInput) that names the file and what was expected of it. */
export async function readTextFile(file: string): Promise<string> {
  const bytes = await readBytes(file);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw badInput([{ file, path: '', expected: 'UTF-8 text', got: 'other bytes' }]);
  return text;
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    // O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw badInput([{ file, path: '', expected: 'a regular file' }]);
      if (stats.size > MAX_FILE_BYTES) throw badInput([{ file, path: '', expected: `at most ${MAX_FILE_BYTES} bytes`, got: String(stats.size) }]);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof FleetmendError) throw thrown;
    throw new FleetmendError(badInput([{ file, path: '', expected: 'a readable file', got: reasonOf(thrown) }]).failure, { cause: thrown });
  }
}

function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return 'no such file';
    case 'EACCES':
    case 'EPERM':
      return 'no permission to read it';
    default:
      return code === '' ? 'an error' : `error ${code}`;
  }
}
