/**
 * Secrets that are known by their own shape, whatever their name: PEM blocks (also encoded in base64), JSON web tokens,
 * the password in a URL, what follows `Bearer`. Each pattern is tried where a fixed word stands, and reads on only once.
 */
import type { TextRange } from './text-ranges.js';

export function findShapes(text: string): TextRange[] {
  return [...pemBlocks(text), ...encodedPem(text), ...webTokens(text), ...urlPasswords(text), ...bearers(text), ...authorizations(text)];
}

const PEM_BEGIN = /-----BEGIN [A-Z0-9 ]{1,60}-----/g;
/** A block whose end was cut off: as far as it looks like one. */
const PEM_BODY = /(?:[A-Za-z0-9+/=\s\\]+|(?:Proc-Type|DEK-Info|Comment|Version): ?[^\r\n]*)*/y;

function* pemBlocks(text: string): Generator<TextRange> {
  const ends = nextIndexOf(text, '-----END ');
  let done = 0;
  for (const match of text.matchAll(PEM_BEGIN)) {
    if (match.index < done) continue;
    const bodyStart = match.index + match[0].length;
    const close = ends(bodyStart);
    const next = text.indexOf('-----BEGIN ', bodyStart);
    const closed = close !== -1 && (next === -1 || close < next);
    const end = closed ? endOfDashes(text, close + '-----END '.length) : bodyEnd(text, bodyStart);
    done = end;
    yield { start: match.index, end };
  }
}

function endOfDashes(text: string, from: number): number {
  const rest = /[A-Z0-9 ]{0,60}-{0,5}/y;
  rest.lastIndex = from;
  return from + (rest.exec(text)?.[0].length ?? 0);
}

function bodyEnd(text: string, from: number): number {
  PEM_BODY.lastIndex = from;
  return from + (PEM_BODY.exec(text)?.[0].trimEnd().length ?? 0);
}

/** Base64 of `-----BEGIN `, at each of the three places where it can start within four characters. */
const ENCODED_PEM = /(?:LS0tLS1CRUdJTi|0tLS0tQkVHSU4g|tLS0tLUJFR0lOI)[A-Za-z0-9+/_-]*={0,2}/g;

function encodedPem(text: string): TextRange[] {
  return rangesOf(text, ENCODED_PEM);
}

/** Header and payload are JSON objects. */
const WEB_TOKEN = /\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*/g;

function webTokens(text: string): TextRange[] {
  return rangesOf(text, WEB_TOKEN);
}

/** `//user:` and the password up to the last `@` before the path. */
function* urlPasswords(text: string): Generator<TextRange> {
  const authority = /[^\s/?#"'`<>]*/y;
  for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', Math.max(at + 3, authority.lastIndex))) {
    authority.lastIndex = at + 3;
    const found = authority.exec(text)?.[0] ?? '';
    const colon = found.indexOf(':');
    const sign = found.lastIndexOf('@');
    if (colon !== -1 && colon + 1 < sign) yield { start: at + 3 + colon + 1, end: at + 3 + sign };
  }
}

const BEARER = /\bBearer[ \t]{1,8}([A-Za-z0-9._~+/=-]{16,})/gi;

/** A word after `bearer` in a sentence has no digit in it. */
function* bearers(text: string): Generator<TextRange> {
  for (const match of text.matchAll(BEARER)) {
    const word = match[1] ?? '';
    if (/\d/.test(word)) yield { start: match.index + match[0].length - word.length, end: match.index + match[0].length };
  }
}

const AUTHORIZATION = /\bAuthorization\\{0,9}["']?[ \t]{0,8}[:=][ \t]{0,8}\\{0,9}["']?/gi;

/** A header holds a scheme and what proves it; a setting of that name holds one word or an object, and ends its line. */
function* authorizations(text: string): Generator<TextRange> {
  const value = /[A-Za-z][\w-]{0,30}[ \t]{1,8}[^\s"'\\][^\r\n"'\\]*|[^\s"'\\{}[\]]{12,}/y;
  for (const match of text.matchAll(AUTHORIZATION)) {
    value.lastIndex = match.index + match[0].length;
    const found = value.exec(text);
    if (found !== null) yield { start: found.index, end: found.index + found[0].length };
  }
}

function rangesOf(text: string, pattern: RegExp): TextRange[] {
  return Array.from(text.matchAll(pattern), (match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** `indexOf` that remembers: asked for places that mostly go forward, it looks at each character about once. */
export function nextIndexOf(text: string, word: string): (from: number) => number {
  let since = Infinity;
  let known = -1;
  return (from) => {
    if (from < since || (known !== -1 && from > known)) {
      since = from;
      known = text.indexOf(word, from);
    }
    return known;
  };
}
