/** The result of an audit of one host: what was expected, what is, where the value comes from, and on what evidence. */
import type { Answer, Query } from './query.js';

export type Verdict = 'pass' | 'fail' | 'unknown' | 'notApplicable';

/** One way to read the same node: the benchmark's text, the running process, the next start. */
export interface Reading {
  readonly name: 'literal' | 'effective' | 'nextStart';
  /** As a person would write it: `4h0m0s`, `0s`, `absent`, `does not load`. */
  readonly value: string;
  readonly verdict: Verdict;
  /** Where the value comes from, in words: `flag in /etc/.../10-kubelet-args.conf (KUBELET_ARGS)`. */
  readonly source: string;
}

export interface Finding {
  readonly verdict: Verdict;
  /** One line that says why. */
  readonly summary: string;
  readonly expected: string;
  readonly actual: string;
  readonly readings: readonly Reading[];
  /** Each line: how the disk differs from the running process. */
  readonly drift: readonly string[];
  /** Why the next start would fail; absent when it would not. */
  readonly latentCrash?: string;
  readonly notes: readonly string[];
}

/** One question as asked, with its raw answer, by the controller's clock. */
export interface Evidence {
  readonly askedAt: string;
  readonly query: Query;
  readonly answer: Answer;
}
