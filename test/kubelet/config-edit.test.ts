import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { setStringMember } from '../../src/kubelet/config-edit.js';
import { withHead, type Head } from './case-file.js';

const KEY = 'streamingConnectionIdleTimeout';
const VALUE = '4h0m0s';

interface EditCase {
  readonly name: string;
  readonly before: string;
  readonly head?: Head;
  readonly after?: string;
  readonly refuses?: string;
}

function fill(text: string, head: Head | undefined): string {
  return withHead(text, head).replaceAll('KEY', KEY);
}

describe('setting one member changes that member and not one byte more', () => {
  const cases = parse(readFileSync(new URL('config-edit.cases.yaml', import.meta.url), 'utf8')) as readonly EditCase[];
  for (const row of cases) {
    it(row.name, () => {
      const result = setStringMember(Buffer.from(fill(row.before, row.head)), KEY, VALUE);
      if (row.refuses !== undefined) {
        expect(result).toEqual({ ok: false, reason: expect.stringContaining(row.refuses) as string });
        return;
      }
      expect(result).toMatchObject({ ok: true });
      if (!result.ok) return;
      expect(Buffer.from(result.bytes).toString()).toBe(fill(row.after ?? '', row.head));
      expect(setStringMember(result.bytes, KEY, VALUE)).toEqual({ ok: true, bytes: result.bytes });
    });
  }

  it('a file that is not UTF-8 is left alone', () => {
    const file = Buffer.concat([Buffer.from(withHead('{HEAD,"a":"')), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(setStringMember(file, KEY, VALUE)).toEqual({ ok: false, reason: 'the file is not valid UTF-8' });
  });

  it.each(['no', '', '0', '~', '{', '"', 'a: b # c', '\\n', '\n', '\u0085', '\u00e9', '* a', '\u2028'])('the value %j is read back as text in both formats', (value) => {
    for (const text of ['{HEAD}', 'HEAD\n', '# c\n{HEAD}']) {
      const result = setStringMember(Buffer.from(withHead(text, text.includes('{') ? 'json' : undefined)), KEY, value);
      expect(result).toMatchObject({ ok: true });
    }
  });

  it.each(['yes', '1', 'a b', '#', 'x: y', '__proto__', '"'])('the key %j is quoted where it has to be', (key) => {
    for (const text of ['{HEAD}', 'HEAD\n', '# c\n{HEAD}']) {
      const result = setStringMember(Buffer.from(withHead(text, text.includes('{') ? 'json' : undefined)), key, 'x');
      expect(result).toMatchObject({ ok: true });
      if (result.ok) expect(setStringMember(result.bytes, key, 'x')).toEqual(result);
    }
  });
});
