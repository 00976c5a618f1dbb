/** Lists of algorithms as ssh_config(5) writes them: a whole list, or `+` `-` `^` and a change of the default. Pure. */
import { matchPatterns, matchWildcards } from './match-pattern.js';

export interface AlgorithmList {
  /** `set` replaces the default, `append` (+) adds to its end, `remove` (-) takes away, `head` (^) puts in front. */
  readonly mode: 'set' | 'append' | 'remove' | 'head';
  /** `*` and `?` are wildcards; of `remove`, a `!` in front keeps what it matches. */
  readonly patterns: readonly string[];
}

/** OpenSSH reads an appended list no further than an empty name. */
export function parseAlgorithmList(text: string): AlgorithmList {
  const mode = MODES[text.charAt(0)] ?? 'set';
  const names = (mode === 'set' ? text : text.slice(1)).split(',');
  const end = mode === 'append' && names.includes('') ? names.indexOf('') : names.length;
  return { mode, patterns: names.slice(0, end).filter((name) => name !== '') };
}

const MODES: Readonly<Record<string, AlgorithmList['mode']>> = { '+': 'append', '-': 'remove', '^': 'head' };

/**
 * The algorithms that result, best first. `ours` is the default; `all` is everything that can be done (legacy ones too):
 * an algorithm outside it is never in the result. May be empty.
 */
export function applyAlgorithmList(list: AlgorithmList | undefined, ours: readonly string[], all: readonly string[] = ours): string[] {
  if (list === undefined) return [...ours];
  const named = unique(list.patterns.flatMap((pattern) => all.filter((name) => matchWildcards(pattern, name))));
  switch (list.mode) {
    case 'set':
      return named;
    case 'append':
      return unique([...ours, ...named]);
    case 'head':
      return unique([...named, ...ours]);
    case 'remove':
      return ours.filter((name) => matchPatterns(list.patterns, name) !== 'match');
  }
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
