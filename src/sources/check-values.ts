/**
 * Checks values of a YAML document against zod schemas and collects every error with its place.
 * A schema's own message continues the word "expected" (`a port from 1 to 65535`). Never stops at the first error.
 */
import { z } from 'zod';
import { describeValue, type InputError, quoteText, suggestWord } from '../core/input-error.js';
import type { ValuePath, YamlDocument } from './yaml-document.js';

type Issue = z.core.$ZodIssue;

export interface Checker {
  readonly document: YamlDocument;
  readonly errors: readonly InputError[];
  /** The checked value, or undefined after its errors were collected. */
  check<T>(schema: z.ZodType<T>, value: unknown, path: ValuePath): T | undefined;
  refuse(path: ValuePath, expected: string, got?: string, part?: 'key' | 'value'): void;
  /** For what a person wrote elsewhere, such as an option. */
  refuseElsewhere(error: InputError): void;
  /** Values that no error from now on may show. */
  hide(values: readonly string[]): void;
}

export function makeChecker(document: YamlDocument): Checker {
  const errors: InputError[] = [];
  const hidden: string[] = [];
  const refuse: Checker['refuse'] = (path, expected, got, part = 'value') => {
    errors.push({ file: document.file, ...document.positionOf(path, part), path: path.join('/'), expected, ...(got === undefined ? {} : { got: withoutHidden(got, hidden) }) });
  };
  return {
    document,
    errors,
    refuse,
    refuseElsewhere: (error) => errors.push(error.got === undefined ? error : { ...error, got: withoutHidden(error.got, hidden) }),
    hide: (values) => hidden.push(...values),
    check: (schema, value, path) => checkValue(schema, value, path, refuse),
  };
}

/** A short value may stand in many a text: it is hidden where it is all that is shown. */
function withoutHidden(got: string, hidden: readonly string[]): string {
  const isShown = hidden.some((value) => got === quoteText(value) || (value.length >= 6 && got.includes(quoteText(value).slice(1, -1))));
  return isShown ? '[redacted]' : got;
}

/** The checked value, or undefined after `refuse` was told every error; for values that stand in no document. */
export function checkValue<T>(schema: z.ZodType<T>, value: unknown, path: ValuePath, refuse: Checker['refuse']): T | undefined {
  const result = schema.safeParse(value, { error: (issue) => expectationOf(issue) });
  if (result.success) return result.data;
  for (const issue of flatten(result.error.issues)) report(refuse, schema, value, path, issue);
  return undefined;
}

function report(refuse: Checker['refuse'], schema: z.ZodType, value: unknown, base: ValuePath, issue: Issue): void {
  const inner = issue.path.map((segment) => (typeof segment === 'symbol' ? String(segment) : segment));
  const path = [...base, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(schemaAt(schema, inner));
    const expected = known.length === 0 ? 'no other key' : `one of the keys ${known.join(', ')}`;
    for (const key of issue.keys) refuse([...path, key], expected, `${quoteText(key)}${suggestWord(key, known)}`, 'key');
    return;
  }
  if (issue.code === 'invalid_key') {
    refuse(path, messageOf(issue.issues[0] ?? issue), quoteText(String(inner.at(-1) ?? '')), 'key');
    return;
  }
  refuse(path, messageOf(issue), describeValue(valueAt(value, inner)));
}

/** A foreign schema may write "expected" itself. */
function messageOf(issue: Issue): string {
  return issue.message.replace(/^expected /iu, '').replace(/(?<!\.)\.$/u, '');
}

/** A union's errors are those of the member that came nearest: the one whose errors lie deepest. */
function flatten(issues: readonly Issue[]): Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
    const members = issue.errors.map((errors) => flatten(errors));
    const nearest = members.find((errors) => !errors.some((error) => error.code === 'invalid_type' && error.path.length === 0));
    if (nearest !== undefined) return nearest.map((error) => ({ ...error, path: [...issue.path, ...error.path] }) as Issue);
    const message = [...new Set(members.map((errors) => (errors[0] === undefined ? '' : messageOf(errors[0]))))].filter((part) => part !== '').join(' or ');
    return [{ ...issue, message }];
  });
}

/** What zod would say, as a continuation of "expected". */
function expectationOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return nounOf(issue.expected);
    case 'invalid_value':
      return issue.values.length === 1 ? describeValue(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.pattern === undefined ? `text of the form ${issue.format}` : `text that matches ${issue.pattern}`;
    case 'unrecognized_keys':
      return 'no other key';
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
    default:
      return 'another value';
  }
}

function nounOf(type: string): string {
  switch (type) {
    case 'object':
    case 'record':
      return 'a mapping';
    case 'array':
      return 'a list';
    case 'int':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'string':
      return 'text';
    default:
      return `a ${type}`;
  }
}

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';
}

function valueAt(value: unknown, path: ValuePath): unknown {
  let current = value;
  for (const segment of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, segment)) return undefined;
    current = (current as Record<string | number, unknown>)[segment];
  }
  return current;
}

function keysOf(schema: unknown): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape as object) : [];
}

function schemaAt(schema: unknown, path: ValuePath): unknown {
  let current = unwrap(schema);
  for (const segment of path) {
    if (current instanceof z.ZodObject) current = unwrap((current.shape as Record<string, unknown>)[segment]);
    else if (current instanceof z.ZodArray) current = unwrap(current.element);
    else if (current instanceof z.ZodRecord) current = unwrap(current.valueType);
    else return undefined;
  }
  return current;
}

function unwrap(schema: unknown): unknown {
  let current = schema;
  while (current instanceof z.ZodOptional || current instanceof z.ZodDefault || current instanceof z.ZodNullable) current = current.unwrap();
  return current;
}
