/**
 * Coverage-guided search: an input that reaches a block that none before it reached is kept and changed further. Stops at the
 * first input that breaks the target's promise, and names it so that it can be had again.
 */
import type { BlockCounter } from './coverage.js';
import { mutate, pick, seededRandom } from './mutate.js';

export interface Target {
  readonly name: string;
  /** Parts of the paths of the sources whose blocks are counted. */
  readonly sources: readonly string[];
  readonly seeds: readonly (string | Buffer)[];
  readonly dictionary: readonly string[];
  /** Throws when the promise does not hold. `accepted`: the input was good, so that a run in which nothing is good is seen. */
  tryInput(input: Buffer): 'accepted' | 'refused';
}

export interface Exploration {
  readonly tried: number;
  readonly accepted: number;
  readonly blocks: number;
  readonly kept: number;
}

/** Slower than this is a promise broken too: no input of 64 KiB may hold up a whole fleet. */
const SLOW_MS = 2_000;

export function explore(target: Target, runs: number, seed: number, counter: BlockCounter): Exploration {
  const random = seededRandom(seed);
  const corpus: Buffer[] = target.seeds.map((text) => Buffer.from(text));
  const seen = new Set<string>();
  let accepted = 0;
  let tried = 0;
  counter.take();
  const attempt = (input: Buffer): void => {
    tried += 1;
    const beganMs = performance.now();
    try {
      if (target.tryInput(input) === 'accepted') accepted += 1;
    } catch (thrown) {
      throw new Error(`${target.name}: input ${tried} of seed ${seed}, base64 ${input.toString('base64')}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
    }
    if (performance.now() - beganMs > SLOW_MS) throw new Error(`${target.name}: slower than ${SLOW_MS} ms, base64 ${input.toString('base64')}`);
    const fresh = counter.take().filter((block) => !seen.has(block));
    for (const block of fresh) seen.add(block);
    if (fresh.length > 0 && tried > target.seeds.length) corpus.push(input);
  };
  for (const input of [...corpus]) attempt(input);
  while (tried < runs) attempt(mutate(pick(corpus, random), corpus, target.dictionary, random));
  return { tried, accepted, blocks: seen.size, kept: corpus.length };
}
