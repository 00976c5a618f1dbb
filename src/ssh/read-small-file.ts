/** Reads a key or known_hosts file. Never waits on a pipe, never reads a device, never more than fits. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { codeOf } from './failures.js';

const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Links are followed. Rejects with the system's error, or with code EINVAL or EFBIG. */
export async function readSmallFile(file: string): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw coded('EINVAL', `${file} is no regular file`);
    if (stats.size > MAX_FILE_BYTES) throw coded('EFBIG', `${file} is larger than ${MAX_FILE_BYTES} bytes`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Why `readSmallFile` rejected, in words where these are ours. */
export function reasonUnread(error: unknown): string {
  const code = codeOf(error);
  if (code === 'EINVAL') return 'not a regular file';
  return code === 'EFBIG' ? `larger than ${MAX_FILE_BYTES} bytes` : code;
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
