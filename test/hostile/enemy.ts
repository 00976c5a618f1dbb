/** What an enemy is: a server that misbehaves in one way, as data, and what must become of the host it plays. */
import type { Socket } from 'node:net';
import type { FailureKind } from '../../src/core/failure.js';
import type { Verdict } from '../../src/core/finding.js';
import type { Answer, Query } from '../../src/core/query.js';
import type { Connection, ServerChannel } from '../../src/ssh/ssh2.js';
import type { SshTestServerOptions } from '../ssh/test-server.js';

export interface Enemy {
  /** The name of the host. */
  readonly name: string;
  /** More of its entry in the inventory: `, user: eve`. */
  readonly entry?: string;
  /** What the host may end as in an audit: one of these. */
  readonly ends: readonly (FailureKind | Verdict)[];
  /** Instead of everything below: raw TCP. */
  readonly tcp?: (socket: Socket) => void;
  readonly ssh?: Partial<SshTestServerOptions>;
  /** To the protocol of the server, before it has sent anything. */
  readonly onConnection?: (connection: Connection) => void;
  /** Instead of a node: what the shell of an accepted login does. */
  readonly shell?: (channel: ServerChannel, nonce: string, connection: Connection) => void;
  /** A node that works, and lies. */
  readonly lie?: Lie;
}

/** What the node says instead of the truth. */
export type Lie = (query: Query, honest: Answer) => Answer;

/** What may act on a terminal, reorder what a reader sees, or be taken for a line of ours. */
export const POISON = '\u0000\u0007\u001b[2J\u001b]0;owned\u0007\u009b31m\u202eevil\u2066\u200f\r\nfleetmend: all is well\n';
