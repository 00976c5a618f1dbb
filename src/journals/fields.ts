/**
 * Checks values of a JSON document and collects every error with its key. For documents that fleetmend wrote itself, but that may
 * have come from another machine. Never fixes a value, never lets an unknown key through.
 */
import type { InputError } from '../core/input-error.js';
import { describeValue, quoteText } from '../core/input-error.js';

/** A checked value, or undefined after its errors were collected. */
export type Field<T> = (value: unknown, path: string, errors: InputError[]) => T | undefined;

export function field<T>(expected: string, accepts: (value: unknown) => value is T): Field<T> {
  return (value, path, errors) => {
    if (accepts(value)) return value;
    errors.push({ file: '', path, expected, got: describeValue(value) });
    return undefined;
  };
}

export const anyText = field('text', (value): value is string => typeof value === 'string');

/** Of one line, without control characters, not empty. */
export const lineText = field('a line of text without control characters', (value): value is string => {
  return typeof value === 'string' && value !== '' && value.length <= 4096 && !/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(value);
});

export function wholeNumber(from: number, to: number): Field<number> {
  return field(`a whole number from ${from} to ${to}`, (value): value is number => Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to);
}

export function oneOf<const T extends string>(...words: readonly T[]): Field<T> {
  return field(words.length === 1 ? `"${words[0]}"` : `one of ${words.join(', ')}`, (value): value is T => words.some((word) => word === value));
}

export function literally<const T extends boolean>(wanted: T): Field<T> {
  return field(String(wanted), (value): value is T => value === wanted);
}

/** The word none, or what `item` takes. */
export function noneOr<T>(item: Field<T>): Field<T | 'none'> {
  return (value, path, errors) => (value === 'none' ? value : item(value, path, errors));
}

/** Mappings that are told apart by the word that stands under `key`. */
export function eitherOf<M extends Members>(key: string, members: M): Field<Checked<M[keyof M]>> {
  return (value, path, errors) => {
    if (!isMapping(value)) return refuse(path, 'a mapping', value, errors);
    const word = value[key];
    const member = typeof word === 'string' && Object.hasOwn(members, word) ? members[word] : undefined;
    if (member === undefined) return refuse(join(path, key), `one of ${Object.keys(members).join(', ')}`, word, errors);
    return member(value, path, errors) as Checked<M[keyof M]> | undefined;
  };
}

export function listOf<T>(item: Field<T>): Field<readonly T[]> {
  return (value, path, errors) => {
    if (!Array.isArray(value)) return refuse(path, 'a list', value, errors);
    return value.flatMap((one: unknown, index) => item(one, `${path}/${index}`, errors) ?? []);
  };
}

export function mapOf(item: Field<string>): Field<Readonly<Record<string, string>>> {
  return (value, path, errors) => {
    if (!isMapping(value)) return refuse(path, 'a mapping', value, errors);
    return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => {
      const checked = item(member, `${path}/${key}`, errors);
      return checked === undefined ? [] : [[key, checked]];
    }));
  };
}

/** `optional` marks a member that may be absent. */
export function optional<T>(item: Field<T>): Field<T> & { readonly optional: true } {
  return Object.assign((value: unknown, path: string, errors: InputError[]) => item(value, path, errors), { optional: true as const });
}

type Members = Readonly<Record<string, Field<unknown>>>;
type Mapping<M extends Members> = { readonly [K in keyof M as M[K] extends { optional: true } ? never : K]: Checked<M[K]> } & {
  readonly [K in keyof M as M[K] extends { optional: true } ? K : never]?: Checked<M[K]>;
};
type Checked<F> = F extends Field<infer T> ? T : never;

export function mapping<M extends Members>(members: M): Field<Mapping<M>> {
  return (value, path, errors) => {
    if (!isMapping(value)) return refuse(path, 'a mapping', value, errors);
    for (const key of Object.keys(value).filter((one) => !Object.hasOwn(members, one))) {
      errors.push({ file: '', path: join(path, key), expected: `one of the keys ${Object.keys(members).join(', ')}`, got: quoteText(key) });
    }
    const checked = Object.entries(members).flatMap(([key, check]) => {
      if (!Object.hasOwn(value, key) && 'optional' in check) return [];
      return [[key, check(value[key], join(path, key), errors)] as const];
    });
    return Object.fromEntries(checked) as Mapping<M>;
  };
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}/${key}`;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(path: string, expected: string, value: unknown, errors: InputError[]): undefined {
  errors.push({ file: '', path, expected, got: describeValue(value) });
}
