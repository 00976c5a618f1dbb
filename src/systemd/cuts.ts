/** Proposes the bytes to delete so that one word goes; the neatest first. It does not know whether a cut is right: who cuts, proves. */
import type { ByteText } from '../core/bytes.js';
import { isBlank, rangeOf } from './located-text.js';
import type { LocatedText } from './located-text.js';

/** Half-open byte ranges of one file, ascending, not overlapping. */
export type Cut = readonly (readonly [start: number, end: number])[];

export interface WordPlace {
  /** The value or line that the word stands in. */
  readonly around: LocatedText;
  /** Indexes into it; quotes included. */
  readonly from: number;
  readonly to: number;
}

/** The bytes of these characters and nothing between them: quotes that belong to no character stay. */
function cutOf({ starts, ends }: LocatedText, from: number, to: number): Cut {
  const ranges: [number, number][] = [];
  for (let i = from; i < to; i += 1) {
    const start = starts[i] ?? 0;
    const end = ends[i] ?? start;
    const last = ranges.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else ranges.push([start, end]);
  }
  return ranges;
}

function hasWord(text: string, from: number, to: number): boolean {
  return /[^ \t\r\n]/.test(text.slice(from, to));
}

/** The physical line, when nothing but the word stands on it and the value goes on before and after it. */
function wholeLine(file: ByteText, { around, from, to }: WordPlace): Cut | undefined {
  const [start, end] = rangeOf(around, from, to);
  const lineStart = file.lastIndexOf('\n', start - 1) + 1;
  const rest = /^[ \t]*\\?\r?\n/.exec(file.slice(end));
  const isAlone = /^[ \t]*$/.test(file.slice(lineStart, start)) && !file.slice(start, end).includes('\n');
  if (rest === null || !isAlone || lineStart <= (around.starts[0] ?? 0) || !hasWord(around.text, to, around.text.length)) return undefined;
  return [[lineStart, end + rest[0].length]];
}

/** From the end of the word before, over the line end, when the last word of a value stands alone on its line. */
function backOverLineEnd(file: ByteText, { around, from, to }: WordPlace): Cut | undefined {
  if (hasWord(around.text, to, around.text.length) || !hasWord(around.text, 0, from)) return undefined;
  let before = from;
  while (before > 0 && isBlank(around.text.charAt(before - 1))) before -= 1;
  const gapStart = around.ends[before - 1] ?? 0;
  const [start, end] = rangeOf(around, from, to);
  const gap = file.slice(gapStart, start);
  return gap.includes('\n') && /^[ \t\r\n\\]*$/.test(gap) ? [[gapStart, end]] : undefined;
}

/** A blank on the same line: one that is not a continuation. */
function isPlainBlank(file: ByteText, around: LocatedText, at: number): boolean {
  if (!isBlank(around.text.charAt(at))) return false;
  return !file.slice(around.starts[at], around.ends[at]).includes('\n');
}

/** All cuts worth trying for one word, the neatest first; the last takes the word alone. */
export function proposeCuts(file: ByteText, place: WordPlace): readonly Cut[] {
  const { around, from, to } = place;
  const word = cutOf(around, from, to);
  const withNext = isPlainBlank(file, around, to) ? cutOf(around, from, to + 1) : undefined;
  const withPrevious = from > 0 && isPlainBlank(file, around, from - 1) ? cutOf(around, from - 1, to) : undefined;
  const isLast = !hasWord(around.text, to, around.text.length);
  const onLine = isLast ? [withPrevious, withNext] : [withNext, withPrevious];
  return [wholeLine(file, place), backOverLineEnd(file, place), ...onLine, word].filter((cut) => cut !== undefined);
}
