/**
 * Text that knows, for every character, which bytes of a file it came from.
 * It never holds a file itself: ranges are half-open offsets into the byte text it was read from.
 */
import { decodeUtf8, fromByteText } from '../core/bytes.js';
import type { ByteText } from '../core/bytes.js';

/** `text[i]` was written at `[starts[i], ends[i])`; an escape such as `\x20` is one character over four bytes. */
export interface LocatedText {
  readonly text: ByteText;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export interface LocatedTextBuilder {
  /** Adds characters that all came from the same bytes. */
  put(chars: ByteText, start: number, end: number): void;
  append(part: LocatedText): void;
  readonly length: number;
  done(): LocatedText;
}

export function buildLocated(): LocatedTextBuilder {
  const pieces: string[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  return {
    put(chars, start, end) {
      pieces.push(chars);
      for (let i = 0; i < chars.length; i += 1) {
        starts.push(start);
        ends.push(end);
      }
    },
    append(part) {
      pieces.push(part.text);
      for (const start of part.starts) starts.push(start);
      for (const end of part.ends) ends.push(end);
    },
    get length() {
      return starts.length;
    },
    done: () => ({ text: pieces.join(''), starts, ends }),
  };
}

/** The characters of `text[from..to)`, one byte each, as they stand in the file. */
export function locate(text: ByteText, from: number, to: number): LocatedText {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let at = from; at < to; at += 1) {
    starts.push(at);
    ends.push(at + 1);
  }
  return { text: text.slice(from, to), starts, ends };
}

export function sliceLocated(part: LocatedText, from: number, to: number = part.text.length): LocatedText {
  return { text: part.text.slice(from, to), starts: part.starts.slice(from, to), ends: part.ends.slice(from, to) };
}

export function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

/** Without the blanks (space, tab, newline, carriage return) at both ends. */
export function trimLocated(part: LocatedText): LocatedText {
  let from = 0;
  let to = part.text.length;
  while (from < to && isBlank(part.text.charAt(from))) from += 1;
  while (to > from && isBlank(part.text.charAt(to - 1))) to -= 1;
  return sliceLocated(part, from, to);
}

/** The bytes from the first to the last character of `[from, to)`; empty at the end of the text when there are none. */
export function rangeOf(part: LocatedText, from = 0, to: number = part.text.length): [start: number, end: number] {
  const start = part.starts[from] ?? part.ends[from - 1] ?? 0;
  const end = to > from ? (part.ends[to - 1] ?? start) : start;
  return [start, end];
}

/** systemd's idea of valid UTF-8: strict, and without the code points that Unicode reserves as non-characters. */
export function isCleanUtf8(text: ByteText): boolean {
  if (!/[\x80-\xff]/.test(text)) return true;
  const decoded = decodeUtf8(fromByteText(text));
  return decoded !== undefined && !/[\uFDD0-\uFDEF]|\p{Noncharacter_Code_Point}/u.test(decoded);
}
