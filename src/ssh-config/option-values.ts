/** Values of options, each read as OpenSSH reads it. Pure. */
import type { InputError } from '../core/input-error.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import type { AlgorithmFamily } from './algorithm-names.js';
import { findBadAlgorithm } from './algorithm-names.js';
import type { AlgorithmList } from './algorithm-list.js';
import { parseAlgorithmList } from './algorithm-list.js';
import type { JumpHost } from './proxy-jump.js';
import { parsePort, parseProxyJump } from './proxy-jump.js';
import type { Word } from './split-line.js';

export interface OptionText {
  readonly words: readonly Word[];
  /** All behind the keyword, quotes and comments included. */
  readonly rest: string;
  readonly restColumn: number;
}

export type Problem = Pick<InputError, 'column' | 'expected' | 'got'>;
/** `nothing`: a value that leaves the option unset. */
export type Read<T> = { readonly value: T } | { readonly nothing: true } | { readonly problem: Problem };
export type Reader<T> = (text: OptionText) => Read<T>;

const MAX_INTEGER = 2_147_483_647;
/** OpenSSH's own limit. */
const MAX_KNOWN_HOSTS_FILES = 32;

/** Exactly one word, not empty. */
function oneWord<T>(expected: string, read: (word: string) => Read<T> | undefined): Reader<T> {
  return (text) => {
    const [word, extra] = text.words;
    if (word === undefined || word.text === '') return { problem: { column: word?.column ?? text.restColumn, expected, got: 'nothing' } };
    if (extra !== undefined) return { problem: { column: extra.column, expected: 'the end of the line', got: quoteText(extra.text) } };
    return read(word.text) ?? { problem: { column: word.column, expected, got: quoteText(word.text) } };
  };
}

export const readText: Reader<string> = oneWord('a value', (value) => ({ value }));

export function readChoice<T extends string | number | boolean>(choices: Readonly<Record<string, T>>): Reader<T> {
  const names = Object.keys(choices);
  return (text) => oneWord(`one of ${names.join(', ')}${suggestWord(text.words[0]?.text ?? '', names)}`, (word) => {
    const value = Object.hasOwn(choices, word.toLowerCase()) ? choices[word.toLowerCase()] : undefined;
    return value === undefined ? undefined : { value };
  })(text);
}

export const readFlag: Reader<boolean> = readChoice({ yes: true, no: false, true: true, false: false });

export const readPort: Reader<number> = oneWord('a port from 1 to 65535', (word) => {
  const value = parsePort(word);
  return value === undefined ? undefined : { value };
});

export const readInteger: Reader<number> = oneWord('a whole number', (word) => {
  const value = /^[ \t\n\v\f\r]*[+-]?[0-9]+$/.test(word) ? Number(word.trim()) : -1;
  return value < 0 || value > MAX_INTEGER ? undefined : { value: value + 0 };
});

/** `90`, `90s`, `1h30m`: in ms. `none` leaves it unset. */
export const readTime: Reader<number> = oneWord('a time such as 30 or 1m30s', (word) => {
  if (word === 'none') return { nothing: true };
  const seconds = parseSeconds(word);
  return seconds === undefined ? undefined : { value: seconds * 1000 };
});

const UNIT_SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

function parseSeconds(text: string): number | undefined {
  if (!/^(?:[ \t\n\v\f\r]*[+-]?[0-9]+[smhdw])*(?:[ \t\n\v\f\r]*[+-]?[0-9]+)?$/i.test(text) || text === '') return undefined;
  let total = 0;
  for (const [, digits = '', unit = ''] of text.matchAll(/([+-]?[0-9]+)([smhdw]?)/gi)) {
    const seconds = Number(digits) * (UNIT_SECONDS[unit.toLowerCase()] ?? 1);
    if (seconds < 0 || (total += seconds) > MAX_INTEGER) return undefined;
  }
  return total;
}

/** One or more words; `none` stands alone and means an empty list. */
export const readFiles: Reader<readonly string[]> = ({ words, restColumn }) => {
  const bad = words.find((word, index) => word.text === '' || (word.text.toLowerCase() === 'none' && (index > 0 || words.length > 1)));
  if (bad !== undefined) return { problem: { column: bad.column, expected: 'file names, or "none" alone', got: quoteText(bad.text) } };
  if (words.length > MAX_KNOWN_HOSTS_FILES) return { problem: { column: restColumn, expected: `at most ${MAX_KNOWN_HOSTS_FILES} files`, got: String(words.length) } };
  if (words.length === 0) return { nothing: true };
  return { value: words.length === 1 && words[0]?.text.toLowerCase() === 'none' ? [] : words.map((word) => word.text) };
};

/** The rest of the line as it stands: comments and quotes belong to it. */
export const readCommand: Reader<string> = ({ rest }) => ({ value: rest.replace(/^[ \t\r\n=]+/, '') });

export const readProxyJump: Reader<readonly JumpHost[] | 'none'> = ({ rest, restColumn }) => {
  const text = rest.replace(/^[ \t\r\n=]+/, '');
  const value = parseProxyJump(text);
  return value === undefined ? { problem: { column: restColumn, expected: 'hosts as [user@]host[:port] by commas, or none', got: quoteText(text) } } : { value };
};

/** `$NAME`, `${NAME}`, a path, `none` or `SSH_AUTH_SOCK`. Variables that are not set are found when they are replaced. */
export const readAgent: Reader<string> = oneWord('a socket path, none, SSH_AUTH_SOCK or $NAME', (word) =>
  (word.startsWith('$') && !word.startsWith('${') && !/^\$[A-Za-z0-9_]+$/.test(word) ? undefined : { value: word }));

export function readAlgorithms(family: AlgorithmFamily): Reader<AlgorithmList> {
  return (text) => {
    const read = oneWord('a list of algorithms', (word) => ({ value: word }))(text);
    if (!('value' in read)) return read;
    const list = parseAlgorithmList(read.value);
    const bad = findBadAlgorithm(list, read.value, family);
    return bad === undefined ? { value: list } : { problem: { column: text.words[0]?.column ?? text.restColumn, ...bad } };
  };
}

/** At least one word, whatever they are: for options that are not used, so that a typing error in their name is found. */
export const readAnything: Reader<string> = ({ words, restColumn }) => {
  const [word] = words;
  return word === undefined ? { problem: { column: restColumn, expected: 'a value', got: 'nothing' } } : { value: word.text };
};
