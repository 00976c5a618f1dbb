/** Words with machine specifiers are matched, and a hostile pair costs no more than its length. */
import { expect, it } from 'vitest';
import { matchesWord } from '../../src/systemd/matches-word.js';

it.each<[string, string, boolean]>([
  ['--a=1', '--a=1', true], ['--a=1', '--a=2', false], ['--n=host-7', '--n=%H', true], ['--n=host-7.x', '--n=%H.x', true], ['--n=host-7.y', '--n=%H.x', false],
  ['--n=a-b', '--n=%H-%m', true], ['--n=ab', '--n=%H-%m', false], ['--n=', '--n=%H', true], ['-', '%H--%m', false],
  [`--x=${'a'.repeat(5000)}`, `--x=${'%Ha'.repeat(2000)}Z`, false],
])('%s against %s is %s', (running, predicted, fits) => {
  expect(matchesWord(running, predicted)).toBe(fits);
});
