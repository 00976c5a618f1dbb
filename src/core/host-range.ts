/**
 * Host ranges: `node-[001:200].pool-a`, `[01:20:2]`, `rack-[a:f]-node-[1:9]`; the leftmost range turns slowest.
 * Never makes more names than the limit: the count is known before the first name is.
 */
import { quoteText } from './input-error.js';

export const MAX_RANGE_HOSTS = 100_000;

/** `expected` and `got` are the two halves of an InputError. */
export type RangeFault = { readonly ok: false; readonly expected: string; readonly got: string };
export type ExpandedRange = { readonly ok: true; readonly names: readonly string[] } | RangeFault;

interface Range {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  readonly show: (value: number) => string;
}

type ParsedRange = { readonly ok: true; readonly range: Range } | RangeFault;

const FORM = 'a range such as [001:200], [01:20:2] or [a:f]';

/** Every name that `text` stands for: at least one, at most `limit`. Text without brackets stands for itself. */
export function expandHostRange(text: string, limit: number = MAX_RANGE_HOSTS): ExpandedRange {
  const pieces = text.split(/(\[[^[\]]*\])/u);
  const ranges: Range[] = [];
  const literals: string[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (index % 2 === 0) {
      if (/[[\]]/u.test(piece)) return refuse('every [ closed by its own ]', text);
      literals.push(piece);
      continue;
    }
    const parsed = parseRange(piece);
    if (!parsed.ok) return parsed;
    ranges.push(parsed.range);
  }
  const count = ranges.reduce((product, range) => product * range.count, 1);
  if (count > limit) return refuse(`a range of at most ${limit} hosts`, text);
  return { ok: true, names: combine(literals, ranges) };
}

function parseRange(piece: string): ParsedRange {
  const parts = piece.slice(1, -1).split(':');
  const [first = '', last = '', step = '1'] = parts;
  if (parts.length < 2 || parts.length > 3) return refuse(FORM, piece);
  if (!/^\d{1,9}$/u.test(step) || Number(step) === 0) return refuse('a step from 1 to 999999999', piece);
  if (/^\d+$/u.test(first) && /^\d+$/u.test(last)) return numericRange(piece, first, last, Number(step));
  if (/^[a-z]$/u.test(first) && /^[a-z]$/u.test(last)) return letterRange(piece, first, last, Number(step));
  if (/^[A-Z]$/u.test(first) && /^[A-Z]$/u.test(last)) return letterRange(piece, first, last, Number(step));
  const words = [first, last].every((bound) => /^[\da-zA-Z]+$/u.test(bound));
  return refuse(words ? 'two numbers, two small letters or two capital letters' : FORM, piece);
}

function numericRange(piece: string, first: string, last: string, step: number): ParsedRange {
  if (Math.max(first.length, last.length) > 9) return refuse('numbers of at most 9 digits', piece);
  const padded = [first, last].some((bound) => bound.length > 1 && bound.startsWith('0'));
  if (padded && first.length !== last.length) return refuse('both ends padded to the same width', piece);
  const width = padded ? first.length : 0;
  return makeRange(piece, Number(first), Number(last), step, (value) => String(value).padStart(width, '0'));
}

function letterRange(piece: string, first: string, last: string, step: number): ParsedRange {
  return makeRange(piece, first.charCodeAt(0), last.charCodeAt(0), step, (value) => String.fromCharCode(value));
}

function makeRange(piece: string, first: number, last: number, step: number, show: Range['show']): ParsedRange {
  if (last < first) return refuse('a range that goes up', piece);
  return { ok: true, range: { first, step, count: Math.floor((last - first) / step) + 1, show } };
}

function combine(literals: readonly string[], ranges: readonly Range[]): string[] {
  let names = [literals[0] ?? ''];
  for (const [index, range] of ranges.entries()) {
    const values = Array.from({ length: range.count }, (_, turn) => range.show(range.first + turn * range.step));
    const after = literals[index + 1] ?? '';
    names = names.flatMap((name) => values.map((value) => `${name}${value}${after}`));
  }
  return names;
}

function refuse(expected: string, got: string): RangeFault {
  return { ok: false, expected, got: quoteText(got) };
}
