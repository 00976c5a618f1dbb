/**
 * Lines into words, quote for quote as OpenSSH does it: the keyword and Match with one set of rules, all other words with
 * another (its strdelim and argv_split). Pure.
 */

/** One word of a line, quotes and escapes taken off. */
export interface Word {
  readonly text: string;
  /** Counts from 1, where the word (or its quote) begins. */
  readonly column: number;
}

const BLANK = ' \t\r\n';

export interface SplitLine {
  /** In lower case. */
  readonly keyword: string;
  readonly column: number;
  /** Behind the keyword and its `=`, blanks at both ends taken off. */
  readonly rest: string;
  /** Of `rest`; counts from 1. */
  readonly restColumn: number;
}

/** Undefined for a line that says nothing: empty, a comment, or (as in OpenSSH) a quote in its keyword that nobody closes. */
export function splitLine(line: string): SplitLine | undefined {
  // A form feed counts as a blank at the end of a line only. OpenSSH reads no further than a NUL.
  const text = (line.split('\0', 1)[0] ?? '').replace(/[ \t\r\n\f]+$/, '');
  let token = nextToken(text, 0);
  if (token?.text === '') token = nextToken(text, token.next);
  if (token === undefined || token.text === '' || token.text.startsWith('#')) return undefined;
  const start = skipBlanks(text, token.next);
  return { keyword: token.text.toLowerCase(), column: token.start + 1, rest: text.slice(start), restColumn: start + 1 };
}

interface Token {
  readonly text: string;
  readonly start: number;
  readonly next: number;
}

/** Up to a blank or one `=`; a quote ends the token that it is in. Undefined: a quote that nobody closes. */
function nextToken(line: string, start: number): Token | undefined {
  let end = start;
  while (end < line.length && !`${BLANK}"=`.includes(line.charAt(end))) end += 1;
  if (line.charAt(end) === '"') {
    const close = line.indexOf('"', end + 1);
    if (close < 0) return undefined;
    return { text: line.slice(start, end) + line.slice(end + 1, close), start, next: skipBlanks(line, close + 1) };
  }
  let next = skipBlanks(line, end + 1);
  if (line.charAt(end) !== '=' && line.charAt(next) === '=') next = skipBlanks(line, next + 1);
  return { text: line.slice(start, end), start, next };
}

function skipBlanks(line: string, from: number): number {
  let at = from;
  while (at < line.length && BLANK.includes(line.charAt(at))) at += 1;
  return Math.min(at, line.length);
}

/** Words with `'` and `"` quotes and `\` escapes; a `#` that begins a word ends the line. Undefined: a quote that nobody closes. */
export function splitWords(text: string, column: number): Word[] | undefined {
  const words: Word[] = [];
  for (let at = 0; at < text.length; at++) {
    if (isGap(text.charAt(at))) continue;
    if (text.charAt(at) === '#') break;
    const start = at;
    let word = '';
    let quote = '';
    for (; at < text.length; at++) {
      const character = text.charAt(at);
      const next = text.charAt(at + 1);
      if (character === '\\' && next !== '' && (`'"\\`.includes(next) || (quote === '' && next === ' '))) {
        word += next;
        at += 1;
      } else if (quote === '' && isGap(character)) break;
      else if (quote === '' && (character === '"' || character === "'")) quote = character;
      else if (character === quote) quote = '';
      else word += character;
    }
    if (quote !== '') return undefined;
    words.push({ text: word, column: column + start });
  }
  return words;
}

function isGap(character: string): boolean {
  return character === ' ' || character === '\t';
}

/**
 * The words behind Match. OpenSSH before 9.8 splits them as it splits keywords, and knows neither `'` nor `\` there; where
 * one of those stands, the newer rules count.
 */
export function splitMatch(text: string, column: number): Word[] {
  if (/['\\]/.test(text)) {
    return (splitWords(text, column) ?? []).flatMap((word) => {
      const [name = '', ...value] = word.text.split('=');
      return /^!?[a-z]+$/i.test(name) && value.length > 0 ? [{ ...word, text: name }, { ...word, text: value.join('=') }] : [word];
    });
  }
  const words: Word[] = [];
  for (let at = 0; at < text.length; ) {
    const token = nextToken(text, at);
    if (token === undefined || token.text.startsWith('#')) break;
    words.push({ text: token.text, column: column + token.start });
    at = token.next;
  }
  return words;
}
