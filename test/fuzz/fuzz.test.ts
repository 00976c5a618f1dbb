/** Whatever is read is understood or refused, never a crash, a hang or a lie; searched for by coverage. `npm run fuzz` looks longer. */
import { describe, expect, it } from 'vitest';
import { countBlocks } from './coverage.js';
import { openDoors } from './doors.js';
import { explore } from './explore.js';
import type { Target } from './explore.js';
import { TARGETS } from './targets.js';

const RUNS = 400;

function search(target: Target, runs: number, seed: number): ReturnType<typeof explore> {
  return explore(target, runs, seed, countBlocks((url) => target.sources.some((part) => url.includes(part))));
}

describe('what others wrote is understood or refused', () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))('%s', (_, target) => {
    const found = search(target, RUNS, 1);
    expect(found.tried).toBe(RUNS);
    expect(found.accepted).toBeGreaterThan(0);
    expect(found.blocks).toBeGreaterThan(0);
  });
});

describe('the search itself', () => {
  /** Breaks behind four doors; each shows only in the blocks that ran, and blind luck would open all of them once in 256 ** 4. */
  const hidden: Target = {
    name: 'hidden', sources: ['/test/fuzz/doors.ts'], seeds: ['xxxx'], dictionary: ['f', 'l', 'e', 'm'],
    tryInput: (input) => openDoors(input.toString('latin1')),
  };
  it('gets through doors that blind luck would not open, by what the code shows of itself', () => {
    expect(() => search(hidden, 8_000, 1)).toThrow(/hidden: input \d+ of seed 1, base64 [\w+/=]+: found/);
  });
});
