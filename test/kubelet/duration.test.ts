import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/kubelet/duration.js';

/** Written by Go 1.26's time.ParseDuration and Duration.String; `ns` is an int64 as text. */
interface DurationCase {
  readonly text: string;
  readonly ns?: string;
  readonly shown?: string;
  readonly error?: string;
}

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };

describe('durations are Go durations', () => {
  const cases = JSON.parse(readFileSync(new URL('duration.cases.json', import.meta.url), 'utf8')) as readonly DurationCase[];
  it.each(cases)('$text', ({ text, ns, shown, error }) => {
    const parsed = parseDuration(text);
    expect(parsed).toEqual(ns === undefined ? { ok: false, error } : { ok: true, ns: BigInt(ns) });
    if (parsed.ok) expect(formatDuration(parsed.ns)).toBe(shown);
  });

  it('what is printed is read back as the same duration', () => {
    fc.assert(
      fc.property(fc.bigInt(INT64), (ns) => {
        const parsed = parseDuration(formatDuration(ns));
        expect(parsed).toEqual({ ok: true, ns });
      }),
    );
  });

  it('no text makes the parser throw, and an accepted one fits an int64', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('-', '.', '0', '9', '123456789', '9223372036854775807', 'h', 'm', 's', 'us', 'ns', 'd')).map((parts) => parts.join(''))), (text) => {
        const parsed = parseDuration(text);
        if (parsed.ok) expect(parsed.ns >= INT64.min && parsed.ns <= INT64.max).toBe(true);
        else expect(parsed.error).toMatch(/^time: /);
      }),
    );
  });
});
