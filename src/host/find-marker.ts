/**
 * Looks for a line of ours in what a login prints before it. Looks at every byte once, keeps the beginning for people, and copies
 * what it keeps: a node that sends single bytes must not cost more than one that sends blocks. Pure.
 */
export interface MarkerFinder {
  /** What follows the marker; `tooMuch`: it did not come within the limit; nothing: not yet. Of no more use after the first two. */
  push(chunk: Uint8Array): Buffer | 'tooMuch' | undefined;
  /** The beginning of what came before it. */
  before(): Buffer;
}

const KEPT_BYTES = 16 * 1024;

export function createMarkerFinder(marker: string, limitBytes: number): MarkerFinder {
  const kept = Buffer.alloc(KEPT_BYTES);
  let keptBytes = 0;
  let seenBytes = 0;
  let tail = Buffer.alloc(0);
  const keep = (bytes: Buffer): void => {
    keptBytes += bytes.copy(kept, keptBytes);
  };
  return {
    push(chunk) {
      const bytes = Buffer.concat([tail, chunk]);
      const at = bytes.indexOf(marker);
      if (at >= 0) {
        keep(bytes.subarray(0, at));
        tail = Buffer.alloc(0);
        return bytes.subarray(at + marker.length);
      }
      const passed = Math.max(0, bytes.length - marker.length + 1);
      keep(bytes.subarray(0, passed));
      seenBytes += passed;
      tail = Buffer.from(bytes.subarray(passed));
      return seenBytes > limitBytes ? 'tooMuch' : undefined;
    },
    before: () => Buffer.concat([kept.subarray(0, keptBytes), tail]).subarray(0, KEPT_BYTES),
  };
}
