/** Wildcards of ssh_config and known_hosts, against regular expressions. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchPatterns, matchWildcards } from '../../src/ssh-config/match-pattern.js';

const letters = fc.stringMatching(/^[ab.]{0,8}$/);
const patterns = fc.stringMatching(/^[ab.*?]{0,8}$/);

it('wildcards match as the same regular expression would', () => {
  fc.assert(
    fc.property(patterns, letters, (pattern, text) => {
      const source = pattern.replace(/\./g, '\\.').replace(/\*/g, '.*').replace(/\?/g, '.');
      expect(matchWildcards(pattern, text)).toBe(new RegExp(`^${source}$`).test(text));
    }),
    { numRuns: 2000 },
  );
});

it('a pattern made to be slow is not', () => {
  expect(matchWildcards(`${'*a'.repeat(500)}b`, 'a'.repeat(5000))).toBe(false);
});

it.each([[['a*', '!*b'], 'ab'], [['!*b', 'a*'], 'ab'], [['!*b'], 'ab']])('a negated match refuses the list, wherever it stands: %j', (list, text) => {
  expect(matchPatterns(list, text)).toBe('negated');
});
