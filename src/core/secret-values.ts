/**
 * Values that stand behind the name of a secret, in any text: `KEY=value`, `key: value`, `"key": "value"`, `--key value`.
 * Reads each character a bounded number of times, whatever the text is. Knows no file format: a value over several
 * lines is seen only in a file (`lines: 'file'`), and only by its indentation or its quotes.
 */
import { isSecretName, isSecretValue } from './secret-names.js';
import { nextIndexOf } from './secret-shapes.js';
import type { TextRange } from './text-ranges.js';

export interface ValueSearch {
  /** Normal forms of further names. */
  readonly names: readonly string[];
  /** `file`: as it is on disk. `message`: lines of ours and of logs, perhaps redacted before. */
  readonly lines: 'file' | 'message';
}

/** A quoted value that is longer than this has lost its end. */
const LONGEST_QUOTED = 8_192;
/** So has a list or an object of one secret over several lines. */
const LONGEST_FLOW = 65_536;
const WORD = /[A-Za-z0-9_.-]+/g;
/** What stands there already instead of a secret. */
export const MARK = /\[redacted(?: \d{1,6})?\](?![^\s"'`,;:&)\]}\\\u0000-\u001f])/y;
/** Words of our own sentences about a flag (`take --token off the command line`). */
const OWN_WORDS = new Set(['off', 'in', 'is', 'on', 'and', 'or', 'was', 'nothing']);

export function findValues(text: string, search: ValueSearch): TextRange[] {
  const reader: Reader = { text, search, quotes: { '"': nextIndexOf(text, '"'), "'": nextIndexOf(text, "'"), '`': nextIndexOf(text, '`') } };
  const isNamed = remembered((name) => isSecretName(name, search.names));
  const ranges: TextRange[] = [];
  let done = 0;
  for (const match of text.matchAll(WORD)) {
    if (match.index < done || !isNamed(match[0])) continue;
    const key = { name: match[0], start: match.index, end: match.index + match[0].length };
    const place = placeOfValue(reader, key);
    if (place === undefined) continue;
    const range = readValue(reader, key, place);
    if (range === undefined || (range.kind !== 'lines' && !isSecretValue(key.name, text.slice(range.start, range.end)))) continue;
    ranges.push(range);
    done = range.end;
  }
  return ranges;
}

/** The words of a text come again and again. */
function remembered(judge: (name: string) => boolean): (name: string) => boolean {
  const verdicts = new Map<string, boolean>();
  return (name) => {
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = judge(name);
    verdicts.set(name, verdict);
    return verdict;
  };
}

interface Reader {
  readonly text: string;
  readonly search: ValueSearch;
  readonly quotes: Readonly<Record<Quote, (from: number) => number>>;
}

type Quote = '"' | "'" | '`';

interface Key {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface Place {
  readonly kind: 'assigned' | 'mapped' | 'nextWord';
  readonly at: number;
}

const BLANKS = /[ \t]*/y;
const CLOSING = /\\*["'`]?/y;
const WORD_GAP = /["'`]?[ \t\0]*,?[ \t\0]+/y;

/** Behind the name: `=`, `:`, or for a flag the next word. */
function placeOfValue({ text }: Reader, key: Key): Place | undefined {
  const closed = skip(text, CLOSING, key.end);
  const at = skip(text, BLANKS, closed);
  const sign = text[at];
  if (sign === '=') return { kind: 'assigned', at: skip(text, BLANKS, text[at + 1] === '>' ? at + 2 : at + 1) };
  if (sign === ':' && !text.startsWith('://', at)) {
    return text[at + 1] === '=' ? { kind: 'assigned', at: skip(text, BLANKS, at + 2) } : { kind: 'mapped', at: skip(text, BLANKS, at + 1) };
  }
  if (!key.name.startsWith('-')) return undefined;
  const next = skip(text, WORD_GAP, key.end);
  return next === key.end || text[next] === '-' ? undefined : { kind: 'nextWord', at: next };
}

interface Found extends TextRange {
  readonly kind: 'value' | 'lines';
}

function readValue(reader: Reader, key: Key, place: Place): Found | undefined {
  const { text, search } = reader;
  const { at } = place;
  if (search.lines === 'message' && isLeft(text, at)) return undefined;
  if (place.kind === 'mapped' && search.lines === 'file') {
    const lines = readLinesBelow(text, key, at);
    if (lines !== undefined) return lines;
  }
  const quoted = readQuoted(reader, key, at);
  if (quoted !== undefined) return quoted;
  const first = text[at];
  if (first === '[' || first === '{') return readFlow(reader, at);
  if (place.kind === 'mapped') return value(at, endOfMapped(reader, key, at));
  if (place.kind === 'assigned' && startsLine(text, key.start)) return value(at, endOfLine(reader, at, 'joined'));
  const end = endOfWord(reader, at);
  return place.kind === 'nextWord' && OWN_WORDS.has(text.slice(at, end)) ? undefined : value(at, end);
}

/** A mark from before, or our own sentence about a bad value. */
function isLeft(text: string, at: number): boolean {
  const bare = text[at] === '"' || text[at] === "'" ? at + 1 : at;
  MARK.lastIndex = bare;
  return MARK.test(text) || text.startsWith('expected ', at);
}

function value(start: number, end: number): Found {
  return { kind: 'value', start, end };
}

/** In quotes, or begun before the name: `"PASSWORD=two words"`. */
function readQuoted(reader: Reader, key: Key, at: number): Found | undefined {
  const { text } = reader;
  const slashes = skip(text, /\\*/y, at);
  const own = quoteAt(text, slashes);
  if (own !== undefined) {
    const end = endOfQuoted(reader, own, slashes + 1, slashes - at);
    const behind = end === undefined ? 0 : skip(text, CLOSING, end);
    if (end !== undefined && !isWordGoingOn(text, behind)) return value(slashes + 1, end);
    if (end !== undefined) {
      const word = endOfWord(reader, behind);
      return value(slashes + 1, text[word - 1] === own ? word - 1 : word);
    }
    return value(slashes + 1, endOfLine(reader, slashes + 1, 'plain'));
  }
  const before = quoteAt(text, key.start - 1);
  // A quote that closes right behind the name holds the name alone.
  if (before === undefined || quoteAt(text, skip(text, /\\*/y, key.end)) === before) return undefined;
  const end = endOfQuoted(reader, before, at, slashesBefore(text, key.start - 1));
  return end === undefined ? undefined : value(at, end);
}

function quoteAt(text: string, at: number): Quote | undefined {
  const char = text[at];
  return char === '"' || char === "'" || char === '`' ? char : undefined;
}

/** Where the quote ends that was opened behind `depth` backslashes: behind no more of them, in pairs when there were none. */
function endOfQuoted({ quotes, text, search }: Reader, quote: Quote, from: number, depth: number): number | undefined {
  for (let at = quotes[quote](from); at !== -1 && at - from <= LONGEST_QUOTED; at = quotes[quote](at + 1)) {
    const slashes = Math.min(slashesBefore(text, at), at - from);
    const isEscaped = quote === '"' && (depth === 0 ? slashes % 2 === 1 : slashes > depth);
    if (isEscaped) continue;
    const end = at - (depth === 0 ? 0 : Math.min(slashes, depth));
    // A message is made of lines, and half a quote in one of them must not hide the next.
    return search.lines === 'message' && text.slice(from, end).includes('\n') ? undefined : end;
  }
  return undefined;
}

function slashesBefore(text: string, at: number): number {
  let count = 0;
  while (text[at - 1 - count] === '\\') count++;
  return count;
}

/** Behind a closing quote the same word goes on: `'a'b`. */
function isWordGoingOn(text: string, at: number): boolean {
  return /[A-Za-z0-9'"+/=_@!#$%^*?~-]/.test(text[at] ?? '');
}

const UNTIL_SPACE = /[^\s\\"'`\u0000-\u001f\u007f]+/y;

/** A word as a shell reads it: quotes within it may hold blanks, a backslash takes the next character with it. */
function endOfWord(reader: Reader, from: number): number {
  const { text } = reader;
  let at = from;
  for (;;) {
    at = skip(text, UNTIL_SPACE, at);
    const char = text[at];
    if (char === '\\' && !/[\r\n]/.test(text[at + 1] ?? '\n')) {
      at += 2;
      continue;
    }
    const quote = quoteAt(text, at);
    if (quote === undefined || !isWordGoingOn(text, at + 1)) return at;
    const close = endOfQuoted(reader, quote, at + 1, 0);
    at = close === undefined || text.slice(at, close).includes('\n') ? at + 1 : close + 1;
  }
}

function lineEnd(text: string, from: number): number {
  return skip(text, /[^\r\n\u0000-\u0008\u000b-\u001f]*/y, from);
}

/** `joined`: a backslash at the end of a line takes the next one with it, as in environment files. */
function endOfLine(reader: Reader, from: number, how: 'plain' | 'joined'): number {
  const { text } = reader;
  let end = lineEnd(text, from);
  while (how === 'joined' && reader.search.lines === 'file' && text[end - 1] === '\\' && end < text.length) end = lineEnd(text, end + (text.startsWith('\r\n', end) ? 2 : 1));
  return end;
}

/** A plain value of YAML, in `{...}` to the next member. Our own messages go on behind `; `. */
function endOfMapped(reader: Reader, key: Key, at: number): number {
  const { text, search } = reader;
  if (isInFlow(reader, key.start)) return skip(text, /[^\r\n,\]}]*/y, at);
  if (search.lines === 'file') return endOfLine(reader, at, 'plain');
  return skip(text, /(?:[^\r\n;\u0000-\u0008\u000b-\u001f]|;(?! ))*/y, at);
}

/** A comma in a sentence opens no member. */
function isInFlow({ text, search }: Reader, start: number): boolean {
  let at = start - 1;
  if (quoteAt(text, at) !== undefined) at--;
  for (let looked = 0; looked < 8 && (text[at] === ' ' || text[at] === '\t'); looked++) at--;
  return text[at] === '{' || text[at] === '[' || (text[at] === ',' && search.lines === 'file');
}

/** `[...]` or `{...}`: what stands in it is one secret. In a message it ends with its line. */
function readFlow({ text, search }: Reader, at: number): Found {
  const limit = Math.min(text.length, at + LONGEST_FLOW);
  let depth = 0;
  let quote: string | undefined;
  let index = at;
  for (; index < limit; index++) {
    const char = text[index];
    if (search.lines === 'message' && (char === '\n' || char === '\u001b')) break;
    if (quote !== undefined) {
      if (char === '\\') index++;
      else if (char === quote) quote = undefined;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    if (depth === 0) break;
  }
  return value(at + 1, Math.min(index, text.length));
}

const BLOCK_HEAD = /(?:[&!]\S{0,80}[ \t]{1,8}){0,2}(?:[|>][-+0-9]{0,3}[ \t]{0,8})?(?:#[^\r\n]{0,200})?(?=\r?\n)/y;

/** A block (`key: |`), a list or a value on lines of its own: all lines that are indented deeper, and items beside the key. */
function readLinesBelow(text: string, key: Key, at: number): Found | undefined {
  BLOCK_HEAD.lastIndex = at;
  const head = BLOCK_HEAD.exec(text);
  if (head === null) return undefined;
  const lineStart = text.lastIndexOf('\n', key.start - 1) + 1;
  const indent = skip(text, /[ \t]*(?:- +)*/y, lineStart) - lineStart;
  const start = text.indexOf('\n', at + head[0].length) + 1;
  let end = start;
  for (let line = start; line < text.length; line = nextLine(text, line)) {
    const first = skip(text, BLANKS, line);
    const isBlank = first >= text.length || text[first] === '\n' || text[first] === '\r';
    const isItem = first - line === indent && text[first] === '-' && text[first + 1] === ' ';
    if (!isBlank && first - line <= indent && !isItem) break;
    if (!isBlank) end = lineEnd(text, first);
  }
  const first = skip(text, /[ \t]*(?:- +)?/y, start);
  return end > first ? { kind: 'lines', start: first, end } : undefined;
}

function nextLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end + 1;
}

/** At the start of its line, behind what a diff or a shell puts there. */
function startsLine(text: string, start: number): boolean {
  const line = text.slice(Math.max(0, start - 40), start);
  return /(?:^|[\r\n])[ \t+-]*(?:export[ \t]+|set[ \t]+)?-{0,2}$/.test(start <= 40 ? line : line.includes('\n') ? line : `x${line}`);
}

function skip(text: string, pattern: RegExp, from: number): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}
