/** Errors of a file are told all at once, in the order of the file, without anything that a terminal would obey. */
import { describe, expect, it } from 'vitest';
import { badInput, describeValue, formatInputError, nearestWord, quoteText } from '../../src/core/input-error.js';

const error = { file: 'inventories/x.yaml', line: 12, column: 7, path: 'groups/workers/hosts/3', expected: 'a port from 1 to 65535', got: '"abc"' };

describe('input errors', () => {
  it('name file, line, column, path, what was expected and what was there', () => {
    expect(formatInputError(error)).toBe('inventories/x.yaml:12:7: groups/workers/hosts/3: expected a port from 1 to 65535, got "abc"');
  });

  it('do without what is not known', () => {
    expect(formatInputError({ file: '--set timeout=0s', path: '', expected: 'more' })).toBe('--set timeout=0s: expected more');
  });

  it('are all told at once, by position, options last', () => {
    const option = { file: '--set a=b', path: '', expected: 'c' };
    const { failure } = badInput([option, { ...error, line: 13 }, { ...error, column: 9 }, error]);
    expect(failure.kind).toBe('badInput');
    expect(failure.summary).toBe('--set a=b, inventories/x.yaml: 4 errors');
    expect(failure.detail?.split('\n').map((line) => line.split(': ')[0])).toEqual([
      'inventories/x.yaml:12:7', 'inventories/x.yaml:12:9', 'inventories/x.yaml:13:7', '--set a=b',
    ]);
  });

  it('fit one line when there is one', () => {
    expect(badInput([error]).failure).toEqual({ kind: 'badInput', summary: formatInputError(error) });
  });

  it('do not fill the screen without end', () => {
    const lines = badInput(Array.from({ length: 1500 }, () => error)).failure.detail?.split('\n') ?? [];
    expect([lines.length, lines.at(-1)]).toEqual([1001, 'and 500 more']);
  });

  it('never carry a control code or a character that reorders text', () => {
    const evil = '\u001b[2J\u0007\u009b31m\u202e\u2028\u0000\ud800';
    const shown = formatInputError({ file: evil, path: evil, expected: 'x', got: quoteText(evil) });
    expect(shown).not.toMatch(/[\p{Cc}\p{Cs}\p{Zl}\u202e]/u);
    expect(shown).toContain('\\u001b[2J');
  });

  it('show only the start of a long value', () => {
    expect(quoteText('x'.repeat(1000))).toBe(`"${'x'.repeat(40)}..."`);
    expect([undefined, null, [], [1], {}, { a: 1 }, 5, true, 'a"b'].map(describeValue)).toEqual([
      'nothing', 'nothing', 'an empty list', 'a list', 'an empty mapping', 'a mapping', '5', 'true', '"a\\"b"',
    ]);
  });
});

describe('nearestWord', () => {
  it.each([
    ['prot', 'port'], ['usr', 'user'], ['conectTimeout', 'connectTimeout'], ['LABELS', 'labels'], ['zzzz', undefined], ['', undefined], ['x'.repeat(200), undefined],
  ])('%s: %s', (word, nearest) => {
    expect(nearestWord(word, ['user', 'port', 'connectTimeout', 'labels'])).toBe(nearest);
  });
});
