/** Numbers that look random and are the same for the same seed. `FUZZ_SEED` as for the property tests: a number, or `random`. */

export function seedOf(environment: NodeJS.ProcessEnv = process.env): number {
  const wanted = environment['FUZZ_SEED'] ?? '20260101';
  return wanted === 'random' ? Date.now() % 2 ** 31 : Number(wanted);
}

/** From 0 to 1, 1 excluded (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
