/** Streams without end from one fixed buffer, as fast as the reader takes it. Never holds more than that buffer. */
import type { Writable } from 'node:stream';

export const TEN_GIGABYTES = 10 * 1024 ** 3;

export function pour(into: Writable, block: Buffer, totalBytes = TEN_GIGABYTES): void {
  let left = totalBytes;
  const more = (): void => {
    while (left > 0 && into.writable && !into.destroyed) {
      left -= block.length;
      if (!into.write(block)) return;
    }
    if (left <= 0) into.end();
  };
  into.on('error', () => undefined);
  into.on('drain', more);
  more();
}

export const block = (content: string, bytes = 64 * 1024): Buffer => Buffer.alloc(bytes, content);
