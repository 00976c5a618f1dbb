/**
 * Opens a session, trying again only where trying again is known to help: a server that dropped us
 * before the handshake (MaxStartups, penalties). Never repeats a login that was refused.
 */
import { digestOf } from '../core/bytes.js';
import type { FailureKind } from '../core/failure.js';
import { FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';

/** Waits before each further try; a share of each wait differs by host, so that hosts do not come back at once. */
const OPEN_RETRY_MS: readonly number[] = [5_000, 20_000];
/** After a connection was lost in the middle of a host: the way back needs one, so more patience. */
const REOPEN_RETRY_MS: readonly number[] = [1_000, 3_000, 10_000, 20_000, 30_000, 30_000];

export interface Patience {
  readonly waitsMs: readonly number[];
  readonly kinds: readonly FailureKind[];
}

export const FIRST_CONTACT: Patience = { waitsMs: OPEN_RETRY_MS, kinds: ['lostBeforeHandshake'] };
export const COME_BACK: Patience = {
  waitsMs: REOPEN_RETRY_MS,
  kinds: ['dns', 'protocol', 'lostBeforeHandshake', 'refusedConnection', 'connectTimeout', 'handshakeTimeout', 'connectionLost', 'channelRefused', 'noShell', 'timeout'],
};

export async function reach<S>(
  host: Host,
  open: () => Promise<S>,
  patience: Patience,
  clock: Clock,
  signal: AbortSignal,
): Promise<S> {
  for (const waitMs of [...patience.waitsMs, undefined]) {
    try {
      return await open();
    } catch (thrown) {
      const worthIt = thrown instanceof FleetmendError && patience.kinds.includes(thrown.failure.kind);
      if (!worthIt || waitMs === undefined || signal.aborted) throw thrown;
      await clock.sleep(waitMs + spread(host.name, waitMs), signal);
    }
  }
  throw new Error('unreachable: the last try returns or throws');
}

/** Up to half of the wait more, the same for the same host: no randomness needed. */
function spread(name: string, waitMs: number): number {
  return Math.round((Number.parseInt(digestOf(Buffer.from(name)).slice(0, 4), 16) / 0xffff) * (waitMs / 2));
}
