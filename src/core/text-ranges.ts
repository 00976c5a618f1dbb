/** Places in a text, as half-open ranges of its characters. Pure. */

export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** Sorted, not empty, and without overlap: what overlaps becomes one. */
export function mergeRanges(ranges: readonly TextRange[]): TextRange[] {
  const merged: TextRange[] = [];
  for (const range of [...ranges].sort((left, right) => left.start - right.start)) {
    if (range.end <= range.start) continue;
    const last = merged.at(-1);
    if (last === undefined || range.start >= last.end) merged.push(range);
    else if (range.end > last.end) merged[merged.length - 1] = { start: last.start, end: range.end };
  }
  return merged;
}

/** The ranges must be merged. */
export function replaceRanges(text: string, ranges: readonly TextRange[], replacement: (old: string) => string): string {
  const parts: string[] = [];
  let done = 0;
  for (const { start, end } of ranges) {
    parts.push(text.slice(done, start), replacement(text.slice(start, end)));
    done = end;
  }
  return parts.length === 0 ? text : `${parts.join('')}${text.slice(done)}`;
}
