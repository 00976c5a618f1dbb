/** systemd's splitting of text into words with quotes and backslashes; never interprets what a word means. */
import { decodeEscape } from './c-escape.js';
import { buildLocated, isBlank } from './located-text.js';
import type { LocatedText, LocatedTextBuilder } from './located-text.js';

/**
 * How backslashes are read, and what happens at an open quote:
 * `strict` C escapes, an unknown one makes the rest invalid (Environment=);
 * `lenient` C escapes, a word with an unknown one keeps its backslash (ExecStart=);
 * `plain` a backslash takes the next character as it is (PassEnvironment=);
 * `variable` like plain, and an open quote ends with the text (the value of `$VAR`).
 */
export type WordSyntax = 'strict' | 'lenient' | 'plain' | 'variable';

export interface QuotedWord {
  /** Without quotes, escapes decoded. */
  readonly text: LocatedText;
  /** Indexes into the text that was split; quotes included. */
  readonly from: number;
  readonly to: number;
}

export type WordReading =
  | { readonly kind: 'word'; readonly word: QuotedWord; readonly next: number; readonly keptBackslash: boolean }
  | { readonly kind: 'end' }
  | { readonly kind: 'invalid' };

export function skipBlanks(text: string, at: number): number {
  let next = at;
  while (next < text.length && isBlank(text.charAt(next))) next += 1;
  return next;
}

/** Decodes the escape whose backslash is at `at`; gives the index behind it, or `undefined` when it is invalid. */
function takeEscape(input: LocatedText, at: number, syntax: WordSyntax, keepUnknown: boolean, out: LocatedTextBuilder): number | undefined {
  const start = input.starts[at] ?? 0;
  if (syntax === 'plain' || syntax === 'variable') {
    out.put(input.text.charAt(at + 1), start, input.ends[at + 1] ?? start);
    return at + 2;
  }
  const escape = decodeEscape(input.text, at + 1);
  if (escape !== undefined) {
    out.put(escape.chars, start, input.ends[at + escape.length] ?? start);
    return at + 1 + escape.length;
  }
  if (!keepUnknown) return undefined;
  out.put('\\', start, input.ends[at] ?? start);
  out.put(input.text.charAt(at + 1), input.starts[at + 1] ?? start, input.ends[at + 1] ?? start);
  return at + 2;
}

function readWord(input: LocatedText, from: number, syntax: WordSyntax, keepUnknown: boolean): QuotedWord | undefined {
  const { text } = input;
  const out = buildLocated();
  let quote = '';
  let at = from;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char === '\\') {
      if (at + 1 === text.length) {
        if (syntax !== 'variable' && (!keepUnknown || quote !== '')) return undefined;
        if (keepUnknown) out.put('\\', input.starts[at] ?? 0, input.ends[at] ?? 0);
        return { text: out.done(), from, to: at + 1 };
      }
      const next = takeEscape(input, at, syntax, keepUnknown, out);
      if (next === undefined) return undefined;
      at = next;
      continue;
    }
    if (quote === '' && isBlank(char)) break;
    if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else out.put(char, input.starts[at] ?? 0, input.ends[at] ?? 0);
    at += 1;
  }
  if (quote !== '' && syntax !== 'variable') return undefined;
  return { text: out.done(), from, to: at };
}

/** The first word at or after `at`. `next` is where the following word starts (kubelet.md 4.3, 4.5). */
export function takeWord(input: LocatedText, at: number, syntax: WordSyntax): WordReading {
  const from = skipBlanks(input.text, at);
  if (from >= input.text.length) return { kind: 'end' };
  const first = readWord(input, from, syntax, false);
  const word = first ?? (syntax === 'lenient' ? readWord(input, from, syntax, true) : undefined);
  if (word === undefined) return { kind: 'invalid' };
  return { kind: 'word', word, next: skipBlanks(input.text, word.to), keptBackslash: first === undefined };
}

/** All words up to the end or to the first invalid one. */
export function takeWords(input: LocatedText, syntax: WordSyntax): { readonly words: readonly QuotedWord[]; readonly valid: boolean } {
  const words: QuotedWord[] = [];
  let at = 0;
  for (;;) {
    const reading = takeWord(input, at, syntax);
    if (reading.kind !== 'word') return { words, valid: reading.kind === 'end' };
    words.push(reading.word);
    at = reading.next;
  }
}
