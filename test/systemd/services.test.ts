/** Whole services, as platforms and people write them: what would run, and what goes when a word is taken out. */
import { describe, expect, it } from 'vitest';
import { predictCommandLine, removeWords } from '../../src/systemd/index.js';
import type { ServiceTexts } from './case-files.js';
import { asByteText, loadCases, sourcesFrom } from './case-files.js';

interface ServiceCase extends ServiceTexts { name: string; words?: string[]; refused?: string; ignored?: string[] }
interface RemovalCase extends ServiceTexts {
  name: string;
  /** Every word with one of these values, in order. */
  remove?: string[];
  indexes?: number[];
  after?: Record<string, string>;
  afterBytes?: Record<string, string>;
  refused?: { path: string; reason: string };
}

describe('the predicted command line', () => {
  for (const test of loadCases<ServiceCase>('services.yaml')) {
    it(test.name, () => {
      const { words, wouldNotStart, ignored } = predictCommandLine(sourcesFrom(test));
      if (test.refused === undefined) expect(wouldNotStart).toBeUndefined();
      else expect(wouldNotStart).toContain(test.refused);
      expect(words.map(({ value }) => value)).toEqual(test.words ?? []);
      expect(ignored).toEqual((test.ignored ?? []).map((part) => expect.stringContaining(part) as string));
    });
  }

  it('says for every word where it was written', () => {
    const dropIn = '[Service]\nEnvironment="A=--a \\x2d-b=\'c d\'"\n';
    const file = 'B=--e\n';
    const sources = sourcesFrom({
      fragment: '[Service]\nEnvironmentFile=/etc/e\nExecStart=/k "--f" $A $B ${B} --g=${B}${A}\n',
      dropIns: { 'd.conf': dropIn },
      files: { '/etc/e': file },
    });
    const texts = new Map([[sources.fragment.path, sources.fragment.text], ['d.conf', dropIn], ['/etc/e', file]]);
    const seen = predictCommandLine(sources).words.map(({ value, origin }) => ({
      value, path: origin.path, directive: origin.directive, variable: origin.variable,
      written: origin.range && texts.get(origin.path)?.slice(...origin.range),
    }));
    const exec = { path: 'kubelet.service', directive: 'ExecStart' };
    expect(seen).toEqual([
      { value: '/k', ...exec, variable: undefined, written: '/k' },
      { value: '--f', ...exec, variable: undefined, written: '"--f"' },
      { value: '--a', path: 'd.conf', directive: 'Environment', variable: 'A', written: '--a' },
      { value: '--b=c d', path: 'd.conf', directive: 'Environment', variable: 'A', written: "\\x2d-b='c d'" },
      { value: '--e', path: '/etc/e', directive: 'EnvironmentFile', variable: 'B', written: '--e' },
      { value: '--e', ...exec, variable: 'B', written: undefined },
      { value: "--g=--e--a --b='c d'", ...exec, variable: 'B', written: undefined },
    ]);
  });
});

describe('removing words', () => {
  for (const test of loadCases<RemovalCase>('removals.yaml')) {
    it(test.name, () => {
      const sources = sourcesFrom(test);
      const before = predictCommandLine(sources).words;
      const indexes = test.indexes ?? before.flatMap(({ value }, index) => (test.remove?.includes(value) === true ? [index] : []));
      if (test.remove !== undefined) expect(indexes).toHaveLength(test.remove.length);
      const result = removeWords(sources, indexes);
      if (test.refused !== undefined) {
        expect(result).toEqual({ ok: false, path: test.refused.path, reason: expect.stringContaining(test.refused.reason) as string });
        return;
      }
      expect(result).toMatchObject({ ok: true });
      if (!result.ok) return;
      const written = Object.entries(test.after ?? {}).map(([path, text]) => [path, asByteText(text)]);
      const expected = Object.fromEntries([...written, ...Object.entries(test.afterBytes ?? {})]) as Record<string, string>;
      expect(Object.fromEntries(result.changes.map(({ path, after }) => [path, after]))).toEqual(expected);
    });
  }
});
