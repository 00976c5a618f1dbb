/** Ranges expand to exactly the names they stand for, and never to more than the limit. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { expandHostRange, MAX_RANGE_HOSTS } from '../../src/core/host-range.js';

interface Case {
  readonly text: string;
  readonly names?: readonly string[];
  readonly expected?: string;
  readonly got?: string;
}

const cases = parse(readFileSync(new URL('./host-range/cases.yaml', import.meta.url), 'utf8')) as Case[];

describe('expandHostRange', () => {
  it.each(cases)('$text', ({ text, names, expected, got }) => {
    expect(expandHostRange(text)).toEqual(names === undefined ? { ok: false, expected, got } : { ok: true, names });
  });

  it('makes exactly as many different names as the bounds and the step say', () => {
    const range = fc.record({ first: fc.nat(5000), more: fc.nat(3000), step: fc.integer({ min: 1, max: 50 }), width: fc.integer({ min: 5, max: 9 }) });
    fc.assert(fc.property(range, ({ first, more, step, width }) => {
      const pad = (value: number) => String(value).padStart(width, '0');
      const expanded = expandHostRange(`n[${pad(first)}:${pad(first + more)}:${step}]`);
      const names = expanded.ok ? expanded.names : [];
      expect(new Set(names).size).toBe(Math.floor(more / step) + 1);
      expect(names.every((name) => name.length === width + 1)).toBe(true);
      expect(names.at(-1)).toBe(`n${pad(first + more - (more % step))}`);
    }));
  });

  it('several ranges in one name multiply', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 5 }), (counts) => {
      const expanded = expandHostRange(counts.map((count) => `x[1:${count}]`).join(''));
      expect(expanded.ok && new Set(expanded.names).size).toBe(counts.reduce((product, count) => product * count, 1));
    }));
  });

  it('text from anywhere expands to at most the limit or is refused with words', () => {
    const bracketed = fc.array(fc.oneof(fc.constantFrom('[', ']', ':', '1', '9', '999999999', '0', 'a', 'z', '-'), fc.string({ maxLength: 3 })), { maxLength: 30 });
    fc.assert(fc.property(bracketed, (parts) => {
      const expanded = expandHostRange(parts.join(''), 1000);
      if (expanded.ok) expect(expanded.names.length).toBeLessThanOrEqual(1000);
      else expect(expanded.expected).not.toBe('');
    }));
  });

  it('the largest range that is allowed is still expanded', () => {
    const expanded = expandHostRange(`n[1:${MAX_RANGE_HOSTS}]`);
    expect(expanded.ok && expanded.names.length).toBe(MAX_RANGE_HOSTS);
  });
});
