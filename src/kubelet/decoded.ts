/** The common result of the two readers of a kubelet config file. Objects have no prototype: `__proto__` is a key like any other. */

export type Decoded = { readonly ok: true; readonly value: unknown; readonly warnings: readonly string[] } | { readonly ok: false; readonly error: string };

export function emptyObject(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `line 3, column 5` of an offset, for people. */
export function placeOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

/** A recursive reader that ran out of stack: the file is nested deeper than any real config. Other errors go on. */
export function guardDepth<T>(read: () => T, tooDeep: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return tooDeep;
    throw error;
  }
}
