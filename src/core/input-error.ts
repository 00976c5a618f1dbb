/**
 * What is wrong in a text that a person wrote, with its place: `FILE:LINE:COLUMN: PATH: expected X, got Y`.
 * Never shows more than a few characters of a value, and never a control code.
 */
import { FleetmendError } from './failure.js';

export interface InputError {
  /** A file as the person named it, or an option such as `--set timeout=0s`. */
  readonly file: string;
  /** Both count from 1; absent for what has no lines. */
  readonly line?: number;
  readonly column?: number;
  /** `groups/workers/hosts/3`; empty for the whole file. */
  readonly path: string;
  /** Continues the word "expected". */
  readonly expected: string;
  /** Continues the word "got"; absent when there is nothing to show. */
  readonly got?: string;
}

const SHOWN_CHARACTERS = 40;
/** The detail of one failure stays readable; a file with more errors than this has one cause. */
const SHOWN_ERRORS = 1000;

export function formatInputError(error: InputError): string {
  const place = [error.file, error.line, error.column].filter((part) => part !== undefined).join(':');
  const expectation = `expected ${error.expected}${error.got === undefined ? '' : `, got ${error.got}`}`;
  return escapeControls([place, error.path, expectation].filter((part) => part !== '').join(': '));
}

/** One error for all that is wrong in a file, by position. One line in `summary` when there is one, else all in `detail`. */
export function badInput(errors: readonly InputError[]): FleetmendError {
  const lines = [...errors].sort(byPosition).map(formatInputError);
  const [first = 'bad input'] = lines;
  if (lines.length <= 1) return new FleetmendError({ kind: 'badInput', summary: first });
  const hidden = lines.length - SHOWN_ERRORS;
  const detail = [...lines.slice(0, SHOWN_ERRORS), ...(hidden > 0 ? [`and ${hidden} more`] : [])].join('\n');
  const files = [...new Set(errors.map((error) => error.file))].map(escapeControls).join(', ');
  return new FleetmendError({ kind: 'badInput', summary: `${files}: ${lines.length} errors`, detail });
}

/** A value from a file as it appears after "got": short, quoted, harmless for a terminal. */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty mapping' : 'a mapping';
  return typeof value === 'string' ? quoteText(value) : String(value);
}

export function quoteText(text: string): string {
  const characters = [...text.slice(0, 2 * SHOWN_CHARACTERS)];
  const short = characters.length > SHOWN_CHARACTERS ? `${characters.slice(0, SHOWN_CHARACTERS).join('')}...` : text;
  return escapeControls(JSON.stringify(short));
}

/** The candidate that was probably meant; undefined when none is near. */
export function nearestWord(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 100) return undefined;
  const limit = Math.min(word.length - 1, Math.max(1, Math.floor(word.length / 3)));
  let nearest: { candidate: string; distance: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit && distance < (nearest?.distance ?? Infinity)) nearest = { candidate, distance };
  }
  return nearest?.candidate;
}

/** ` (did you mean "x"?)`, or nothing. */
export function suggestWord(word: string, candidates: readonly string[]): string {
  const nearest = nearestWord(word, candidates);
  return nearest === undefined ? '' : ` (did you mean ${quoteText(nearest)}?)`;
}

function byPosition(a: InputError, b: InputError): number {
  return (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? Infinity) - (b.column ?? Infinity) || 0;
}

/** Control codes, and the characters that reorder or hide what a reader sees, as `\uXXXX`. */
function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwap ? (before[column - 2] ?? 0) + 1 : Infinity;
      current.push(Math.min(replaced, swapped, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    [before, previous] = [previous, current];
  }
  return previous[b.length] ?? 0;
}
