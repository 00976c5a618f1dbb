import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeConfig } from '../../src/kubelet/config-file.js';
import { setStringMember } from '../../src/kubelet/config-edit.js';

const KEY = 'streamingConnectionIdleTimeout';
const LITERAL = '"4h0m0s"';

/** A file as its generator put it together: `old` is the text of our member's value, absent when the file has none. */
interface Sample {
  readonly before: string;
  readonly old?: string;
  readonly after: string;
}

const blank = fc.constantFrom('', '', ' ', '  ', '\n', '\r\n  ', '\t', '\n\n');
const jsonValue = fc.oneof(fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)), fc.constantFrom('1.0', '-0', '1E400', '12345678901234567890', '"\\u0041"', '""', '{ }', '[ ]', '[1 , 2]', '{"streamingConnectionIdleTimeout":"0s"}'));
const jsonKey = fc.oneof(fc.string().map((text) => JSON.stringify(text)), fc.constantFrom('"__proto__"', '"1"', '"a"', '"\\u0061"', '"constructor"'));
const identity = ['"apiVersion": "kubelet.config.k8s.io/v1beta1"', '"kind":"KubeletConfiguration"'];

function shuffled<T>(items: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> {
  return items.chain((list) => fc.shuffledSubarray(list, { minLength: list.length }));
}

/** `{...}` of these members around our own, and what must become of it when our value is there. */
const jsonWithKey: fc.Arbitrary<Sample> = fc
  .tuple(shuffled(fc.array(fc.tuple(jsonKey, blank, jsonValue).map((parts) => `${parts[0]}${parts[1]}:${parts[1]}${parts[2]}`)).map((list) => [...identity, ...list])), fc.nat(), jsonValue, blank, blank)
  .map(([members, position, old, outer, inner]) => {
    const at = position % (members.length + 1);
    const build = (value: string): string => `${outer}{${inner}${[...members.slice(0, at), `"${KEY}"${inner}:${inner}${value}`, ...members.slice(at)].join(`${inner},${inner}`)}${inner}}${outer}`;
    return { before: build(old), old, after: build(LITERAL) };
  });

const comment = fc.constantFrom('', '', ' # c', '   # "x": {y', '\t# tab');
const scalar = fc.constantFrom('0s', '0', '~', '"0s"', "'it''s'", '[1, 2]', '{a: 1}', 'no', '010', '1.0', '12345678901234567890', '!!str 0', '2024-01-01', 'a#b', '"a\\nb"');
const yamlMember = fc.oneof(
  fc.tuple(fc.constantFrom('a', 'b', '"c d"', 'yes', '1', '__proto__', '? e\n'), scalar, comment).map(([key, value, note]) => `${key}: ${value}${note}`),
  fc.constantFrom('nested:\n  streamingConnectionIdleTimeout: 0s # deep\n  list:\n  - x\n  # - y', 'text: |\n  streamingConnectionIdleTimeout: 0s\n  # no comment', 'folded: >-\n  a\n\n  b', 'empty:', 'list:\n- a\n- b: c', 'multi: one\n  two', '# a comment line', '#streamingConnectionIdleTimeout: 5m', '', 'anchored: &t 1s', 'flow: {a: [1,\n  2]}'),
);
const yamlMembers = shuffled(fc.array(yamlMember).map((list) => ['apiVersion: kubelet.config.k8s.io/v1beta1', 'kind: KubeletConfiguration', ...list]));

/** Block mapping with our member somewhere in it. */
const yamlWithKey: fc.Arbitrary<Sample> = fc
  .tuple(yamlMembers, fc.nat(), scalar, comment, fc.constantFrom('\n', '\r\n'), fc.constantFrom('', '---\n', '# top\n', '\ufeff'), fc.constantFrom('', '\n', '\n...\n', '\n---\nb: 1\n', '\n# end'))
  .map(([members, position, old, note, eol, top, bottom]) => {
    const at = position % (members.length + 1);
    const build = (value: string): string => `${top}${[...members.slice(0, at), `${KEY}:  ${value}${note}`, ...members.slice(at)].join('\n')}${bottom}`.replaceAll('\n', eol);
    const tagged = old.startsWith('!!str') ? `!!str ${LITERAL}` : LITERAL;
    return { before: build(old), old, after: build(tagged) };
  });

/** The same without our member: the edit is one more line, and taking it out again gives the file back. */
const yamlWithoutKey = fc
  .tuple(yamlMembers, fc.constantFrom('\n', '\r\n'), fc.constantFrom('', '---\n', '\ufeff'), fc.constantFrom('', '\n', '\n...\n', '\n---\nb: 1\n', '\n# end'))
  .map(([members, eol, top, bottom]) => `${top}${members.join('\n')}${bottom}`.replaceAll('\n', eol));

const jsonWithoutKey = fc
  .tuple(shuffled(fc.array(fc.tuple(jsonKey, jsonValue).map((parts) => parts.join(':'))).map((list) => [...identity, ...list])), blank, blank)
  .map(([members, outer, inner]) => `${outer}{${inner}${members.join(`,${inner}`)}${inner}}${outer}`);

function set(text: string): string {
  const result = setStringMember(Buffer.from(text), KEY, '4h0m0s');
  if (!result.ok) throw new Error(`${result.reason} in ${JSON.stringify(text)}`);
  const again = setStringMember(result.bytes, KEY, '4h0m0s');
  expect(again).toEqual({ ok: true, bytes: result.bytes });
  return Buffer.from(result.bytes).toString();
}

function members(text: string): Record<string, unknown> {
  const decoded = decodeConfig(Buffer.from(text));
  if (!decoded.ok) throw new Error(decoded.error);
  return { ...decoded.value, [KEY]: undefined };
}

/** Taking the inserted text out again gives the file back. */
function expectOneInsertion(before: string, after: string): void {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  const length = after.length - before.length;
  expect(length).toBeGreaterThan(0);
  expect(after.slice(0, start) + after.slice(start + length)).toBe(before);
  expect(after).toContain(KEY);
}

describe('setting a member leaves every other byte and every other member alone', () => {
  it.each([
    ['JSON', jsonWithKey],
    ['YAML', yamlWithKey],
  ] as const)('a value that is there is replaced in place (%s)', (_format, samples) => {
    fc.assert(
      fc.property(samples, ({ before, after }) => {
        expect(set(before)).toBe(after);
        expect(members(after)).toEqual(members(before));
      }),
    );
  });

  it.each([
    ['JSON', jsonWithoutKey],
    ['YAML', yamlWithoutKey],
  ] as const)('a new member is one insertion (%s)', (_format, texts) => {
    fc.assert(
      fc.property(texts, (before) => {
        // A block scalar cut off at the end of the file would gain a line break: that edit is refused.
        fc.pre(!/# no comment$/.test(before));
        const after = set(before);
        expectOneInsertion(before, after);
        expect(members(after)).toEqual(members(before));
        expect(decodeConfig(Buffer.from(after))).toMatchObject({ value: { [KEY]: '4h0m0s' } });
      }),
    );
  });

  it('any bytes at all are edited soundly or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (noise, json) => {
        const head = json ? `{${identity.join(',')}` : 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n';
        const file = Buffer.concat([Buffer.from(head), noise]);
        const result = setStringMember(file, KEY, '4h0m0s');
        expect(result.ok ? decodeConfig(result.bytes).ok : result.reason !== '').toBe(true);
      }),
    );
  });
});
