/** Text of a node on a line of ours: harmless, one line, and cheap to make so. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanLine } from '../../src/core/clean-text.js';

describe('cleanLine', () => {
  it.each([
    ['blanks around a newline are one blank', 'a \t\n  b', 'a b'],
    ['several newlines in one run are one blank', 'a\n \n\n\tb', 'a b'],
    ['blanks without a newline stay', 'a  \t b', 'a  \t b'],
    ['a newline at an end is a blank', '\na\n', ' a '],
    ['control codes do not hide a newline', 'a\u001b\n\u0007b', 'a b'],
  ])('%s', (_, text, line) => {
    expect(cleanLine(text)).toBe(line);
  });

  it('a MiB of blanks is made one line in no noticeable time', () => {
    const blanks = ' '.repeat(1024 * 1024);
    expect(cleanLine(blanks)).toBe(blanks);
    expect(cleanLine(`${blanks}\n${blanks}x`)).toBe(' x');
  });

  it('no text of any kind keeps a newline', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r', 'x', '\u2028', '\u00a0') }), (text) => {
      const line = cleanLine(text);
      expect(line).not.toContain('\n');
      expect(line.replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
    }));
  });
});
