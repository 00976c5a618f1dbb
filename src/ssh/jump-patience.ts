/** How often one jump host is tried again, for all hosts behind it together. Pure: tries and waits nothing itself. */
import type { FailureKind } from '../core/failure.js';

/**
 * `new`: never reached. `known`: it was reached before, so it is probably coming back. `givenUp`: all tries were used up; others look
 * again now and then.
 */
export type Standing = 'new' | 'known' | 'givenUp';

export interface JumpPatience {
  /** Before each further try. */
  readonly waitsMs: readonly number[];
  /** No wait goes beyond it, counted from the first try. */
  readonly withinMs: number;
}

/** Six tries. */
const COME_BACK: JumpPatience = { waitsMs: [2_000, 5_000, 10_000, 20_000, 20_000], withinMs: 60_000 };
/** Five tries: it may just be restarting. */
const FIRST: JumpPatience = { waitsMs: [2_000, 5_000, 10_000, 10_000], withinMs: 30_000 };
/** A name that nobody knows seldom becomes known. */
const ONE_MORE: JumpPatience = { waitsMs: [2_000], withinMs: 30_000 };
const NONE: JumpPatience = { waitsMs: [], withinMs: 0 };

/** Trying these again may help; all others would only fail again, or lock somebody out. */
const PASSING: readonly FailureKind[] = [
  'dns', 'refusedConnection', 'connectTimeout', 'lostBeforeHandshake', 'handshakeTimeout', 'protocol', 'connectionLost', 'channelRefused', 'timeout',
];

export function isPassing(kind: FailureKind): boolean {
  return PASSING.includes(kind);
}

/** What a failure of this kind is worth. */
export function jumpPatience(kind: FailureKind, standing: Standing): JumpPatience {
  if (!isPassing(kind) || standing === 'givenUp') return NONE;
  // Turned away for having too much of us: the usual penalties of sshd end after 15 to 30 s (ssh.md 3.7).
  const isTurnedAway = kind === 'lostBeforeHandshake' || kind === 'handshakeTimeout';
  if (standing === 'known' || isTurnedAway) return COME_BACK;
  return kind === 'dns' ? ONE_MORE : FIRST;
}
