/** How often a jump host is tried again, by what it failed of. */
import { expect, it } from 'vitest';
import { isPassing, jumpPatience } from '../../src/ssh/jump-patience.js';

it.each([
  ['refusedConnection', 4, 5], ['dns', 1, 5], ['connectTimeout', 4, 5], ['connectionLost', 4, 5], ['lostBeforeHandshake', 5, 5], ['handshakeTimeout', 5, 5],
  ['authentication', 0, 0], ['hostKeyUnknown', 0, 0], ['hostKeyChanged', 0, 0], ['hostKeyRevoked', 0, 0], ['noCommonAlgorithm', 0, 0], ['badInput', 0, 0],
] as const)('%s: %d further tries for one that was never reached, %d for one that was', (kind, asNew, asKnown) => {
  expect((['new', 'known', 'givenUp'] as const).map((standing) => jumpPatience(kind, standing).waitsMs.length)).toEqual([asNew, asKnown, 0]);
  expect(isPassing(kind)).toBe(asNew > 0);
});

it.each([['known', 45_000, 60_000], ['new', 25_000, 30_000]] as const)('one that is %s is waited for more than %d ms, and no wait goes beyond %d', (standing, least, most) => {
  const { waitsMs, withinMs } = jumpPatience('refusedConnection', standing);
  const total = waitsMs.reduce((sum, waitMs) => sum + waitMs, 0);
  expect([total > least, total <= most, withinMs]).toEqual([true, true, most]);
});
