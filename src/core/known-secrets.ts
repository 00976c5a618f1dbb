/**
 * Hides values that are known to be secret, in any text of a peer or of ours: whole, and the beginning that a cut left of one. Knows
 * no names and no shapes (redact.ts does). Pure.
 */
import { cleanLine, cleanText, CUT_MARK } from './clean-text.js';
import type { TextRange } from './text-ranges.js';
import { mergeRanges, replaceRanges } from './text-ranges.js';

export const REDACTED = '[redacted]';

/** Shorter values are hidden only where they stand alone: `0s` is in many a word. */
const SHORT_CHARACTERS = 6;
/** Fewer characters before a cut tell nothing, and may be the beginning of any word. */
const CUT_CHARACTERS = 3;

/** How a secret may read in a text that was cleaned, put on one line, or decoded byte by byte on its way. */
export function shownForms(secret: string): string[] {
  const decoded = [secret, Buffer.from(secret).toString('latin1')];
  const forms = decoded.flatMap((text) => [text, cleanText(text), cleanLine(text), cleanText(text).replaceAll(/\s+/g, ' ')]);
  return [...new Set(forms.flatMap((text) => [text, text.trim()]))].filter((text) => text !== '');
}

/** Also where `cutText` left the beginning of a value only: the rest of it is then where nobody sees it, and so shall be the beginning. */
export function* findKnown(text: string, values: Iterable<string>): Generator<TextRange> {
  for (const value of values) {
    if (value.length < SHORT_CHARACTERS) yield* findAlone(text, value);
    else yield* findBeginnings(text, value);
  }
}

export function hideKnown(text: string, values: Iterable<string>): string {
  return replaceRanges(text, mergeRanges([...findKnown(text, values)]), () => REDACTED);
}

function* findAlone(text: string, value: string): Generator<TextRange> {
  if (value === '') return;
  for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + value.length)) {
    const end = at + value.length;
    if (!(isWordy(text[at - 1]) || isWordy(text[end]))) yield { start: at, end };
  }
}

function* findBeginnings(text: string, value: string): Generator<TextRange> {
  const head = value.slice(0, CUT_CHARACTERS);
  for (let at = text.indexOf(head); at !== -1; at = text.indexOf(head, at + 1)) {
    let end = at + head.length;
    while (end - at < value.length && text[end] === value[end - at]) end += 1;
    // Characters of the mark may be those of the value.
    if (end - at === value.length || text.slice(at + head.length, end + CUT_MARK.length).includes(CUT_MARK)) yield { start: at, end };
  }
}

function isWordy(char: string | undefined): boolean {
  return char !== undefined && /[A-Za-z0-9_]/.test(char);
}
