/** What holds for any words in any legal spelling: predict gives them back, removal takes just them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { predictCommandLine, removeWords } from '../../src/systemd/index.js';
import type { PredictedWord, SourceChange } from '../../src/systemd/index.js';
import { sourcesFrom } from './case-files.js';
import { makeOracleCases, sourcesOf } from './oracle-cases.js';
import { renderedService } from './rendered.js';

/** Bytes that a removal may take along or leave behind: blanks, line ends and the backslash that continues a line. */
const withoutGaps = (text: string): string => text.replace(/\\x20|\\s|[ \t\r\n\\]/g, '');

function withoutRanges(text: string, ranges: readonly (readonly [number, number])[]): string {
  return [...ranges].sort((a, b) => b[0] - a[0]).reduce((rest, [start, end]) => rest.slice(0, start) + rest.slice(end), text);
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const char of whole) if (char === part.charAt(at)) at += 1;
  return at >= part.length;
}

function expectOnlyRangesGone({ path, before, after }: SourceChange, removed: readonly PredictedWord[]): void {
  const ranges = removed.flatMap(({ origin }) => (origin.path === path && origin.range !== undefined ? [origin.range] : []));
  const distinct = [...new Map(ranges.map((range) => [range.join('-'), range])).values()];
  expect(ranges.length).toBeGreaterThan(0);
  expect(isSubsequence(after, before)).toBe(true);
  const lines = (text: string): number => text.split('\n').length;
  expect(lines(before) - lines(after)).toBeLessThanOrEqual(lines(distinct.map((range) => before.slice(...range)).join('')) - 1 + distinct.length);
  // Quotes that open before a word and close behind it stand between its characters and stay.
  const strip = (text: string): string => withoutGaps(text).replace(/["']/g, '');
  expect(strip(after)).toBe(strip(withoutRanges(before, distinct)));
}

describe('any words in any legal spelling', () => {
  it('are predicted as they were meant', () => {
    fc.assert(
      fc.property(renderedService, ({ texts, words }) => {
        const prediction = predictCommandLine(sourcesFrom(texts));
        expect(prediction.wouldNotStart).toBeUndefined();
        expect(prediction.words.map(({ value }) => value)).toEqual(['/k', ...words]);
      }),
      { numRuns: 200 },
    );
  });

  it('can be removed in any selection, and nothing else goes', () => {
    fc.assert(
      fc.property(renderedService, fc.infiniteStream(fc.boolean()), ({ texts, words }, picks) => {
        const sources = sourcesFrom(texts);
        const chosen = words.flatMap((_, i) => (picks.next().value === true ? [i + 1] : []));
        const result = removeWords(sources, chosen);
        expect(result).toMatchObject({ ok: true });
        if (!result.ok) return;
        const predicted = predictCommandLine(sources).words;
        for (const change of result.changes) expectOnlyRangesGone(change, chosen.flatMap((i) => predicted[i] ?? []));
        const textAfter = (path: string, text: string): string => result.changes.find((change) => change.path === path)?.after ?? text;
        const edited = {
          ...sources,
          fragment: { ...sources.fragment, text: textAfter(sources.fragment.path, sources.fragment.text) },
          dropIns: sources.dropIns.map(({ path, text }) => ({ path, text: textAfter(path, text) })),
          environmentFiles: new Map([...sources.environmentFiles].map(([path, text]) => [path, text === undefined ? text : textAfter(path, text)])),
        };
        const left = ['/k', ...words.filter((_, i) => !chosen.includes(i + 1))];
        expect(predictCommandLine(edited).words.map(({ value }) => value)).toEqual(left);
      }),
      { numRuns: 200 },
    );
  });
});

describe('any files, however odd', () => {
  it('are read without an error, and a removal takes the chosen words or refuses', () => {
    fc.assert(
      fc.property(fc.nat(), fc.infiniteStream(fc.boolean()), (seed, picks) => {
        for (const test of makeOracleCases(1, seed)) {
          const sources = sourcesOf(test);
          const { words } = predictCommandLine(sources);
          const chosen = words.flatMap((_, i) => (i > 0 && picks.next().value === true ? [i] : []));
          const result = removeWords(sources, chosen);
          if (!result.ok) continue;
          for (const { before, after } of result.changes) expect(isSubsequence(after, before)).toBe(true);
        }
      }),
      { numRuns: 150 },
    );
  });
});
