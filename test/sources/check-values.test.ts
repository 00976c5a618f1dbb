/** Whatever schema a step kind brings, its errors come out in our words and with their place. */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { formatInputError } from '../../src/core/input-error.js';
import { makeChecker } from '../../src/sources/check-values.js';
import { parseYamlDocument } from '../../src/sources/yaml-document.js';

function check(schema: z.ZodType, text: string): string[] {
  const parsed = parseYamlDocument('f', text);
  if (!parsed.ok) throw new Error(parsed.errors.map(formatInputError).join('\n'));
  const checker = makeChecker(parsed.document);
  checker.check(schema, parsed.document.value, []);
  return checker.errors.map(formatInputError);
}

const form = z.union([z.string(), z.strictObject({ a: z.number(), b: z.number().optional() })]);

describe('check', () => {
  it.each([
    ['a default is filled in', z.strictObject({ a: z.number().default(1) }), 'b: 1', ['f:1:1: b: expected one of the keys a, got "b"']],
    ['keys inside an optional, a list and a record', z.strictObject({ a: z.array(z.record(z.string(), z.strictObject({ port: z.number() }))).optional() }), 'a: [{ x: { prot: 1, port: 2 } }]',
      ['f:1:12: a/0/x/prot: expected one of the keys port, got "prot" (did you mean "port"?)']],
    ['a mapping without any key', z.strictObject({}), 'a: 1', ['f:1:1: a: expected no other key, got "a"']],
    ['a union that nothing fits', form, '5', ['f:1:1: expected text or a mapping, got 5']],
    ['the member of a union that came nearest', z.strictObject({ x: form }), "x:\n  a: b\n  c: 1\n", ['f:2:6: x/a: expected a number, got "b"', 'f:3:3: x/c: expected no other key, got "c"']],
    ['a choice', z.enum(['literal', 'effective', 'both']), 'all', ['f:1:1: expected one of literal, effective, both, got "all"']],
    ['a single choice', z.literal(5), '6', ['f:1:1: expected 5, got 6']],
    ['bounds of numbers', z.number().gt(0).lt(9), '9', ['f:1:1: expected less than 9, got 9']],
    ['bounds of text and lists', z.strictObject({ a: z.string().min(2), b: z.array(z.unknown()).max(1) }), 'a: x\nb: [1, 2]',
      ['f:1:4: a: expected at least 2 characters, got "x"', 'f:2:4: b: expected at most 1 items, got a list']],
    ['whole numbers', z.int(), '1.5', ['f:1:1: expected a whole number, got 1.5']],
    ['multiples', z.number().multipleOf(5), '7', ['f:1:1: expected a multiple of 5, got 7']],
    ['numbers that are none', z.number(), '.nan', ['f:1:1: expected a number, got NaN']],
    ['patterns', z.string().regex(/^a+$/u), 'b', ['f:1:1: expected text that matches /^a+$/u, got "b"']],
    ['formats', z.strictObject({ u: z.url() }), 'u: x', ['f:1:4: u: expected text of the form url, got "x"']],
    ['a message of the kind itself', z.string().regex(/^a/u, 'expected a name that starts with a.'), 'b', ['f:1:1: expected a name that starts with a, got "b"']],
    ['a rule over several keys', z.strictObject({ for: z.number(), within: z.number() }).refine((it) => it.within > it.for, 'expected "within" to be longer than "for"'), '{ for: 2, within: 1 }',
      ['f:1:1: expected "within" to be longer than "for", got a mapping']],
    ['a rule without words', z.number().refine(() => false), '1', ['f:1:1: expected another value, got 1']],
    ['keys of a record', z.record(z.string().regex(/^[a-z]+$/u, 'small letters'), z.number()), 'Ab: 1', ['f:1:1: Ab: expected small letters, got "Ab"']],
  ] as const)('%s', (_, schema, text, errors) => {
    expect(check(schema, text)).toEqual(errors);
  });

  it('gives the checked value, with what the schema makes of it', () => {
    const parsed = parseYamlDocument('f', 'a: "5"');
    const checker = parsed.ok ? makeChecker(parsed.document) : undefined;
    expect(checker?.check(z.strictObject({ a: z.string().transform(Number), b: z.number().default(2) }), { a: '5' }, [])).toEqual({ a: 5, b: 2 });
    expect(checker?.errors).toEqual([]);
  });
});
