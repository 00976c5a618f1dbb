/** Chance that can be repeated: the same seed throws the same numbers. */
export interface Dice {
  /** From 0 up to 1. */
  next(): number;
  /** True in so many cases of 1. */
  chance(share: number): boolean;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<T>(of: readonly [T, ...T[]]): T;
}

/** mulberry32. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return { next, between, chance: (share) => next() < share, pick: ([first, ...rest]) => [first, ...rest][between(0, rest.length)] ?? first };
}
