/**
 * Opens a session, trying again only where trying again is known to help. Never repeats a login that was refused, nor one whose
 * host key is not right. What a try waits for its turn (ramp.ts) is not counted here.
 */
import { digestOf } from '../core/bytes.js';
import type { FailureKind } from '../core/failure.js';
import { FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Clock } from '../core/ports.js';

export interface Patience {
  /** Waits before each further try; up to half of each more, by host, so that hosts do not come back at once. */
  readonly waitsMs: readonly number[];
  /** How many further tries a failure of this kind is worth. */
  readonly tries: Readonly<Partial<Record<FailureKind, number>>>;
  /** What happens to a wait when no new host is to be begun any more. */
  readonly onDrain: 'giveUp' | 'goOn';
}

const FIRST_WAITS_MS = [2_000, 5_000, 10_000, 20_000, 30_000];
const COME_BACK_WAITS_MS = [1_000, 3_000, 10_000, 20_000, 30_000, 30_000];
const ALL = Number.POSITIVE_INFINITY;

/**
 * Nothing of this host is in our hands yet: six tries in 67 to 100 s for one whose server turns us away, longer than the usual
 * penalties of sshd (15 to 30 s). One more for a server that was silent for its whole time limit, and for a host that lost its jump host on
 * the way in: for a jump host that is away the transport waits, for all hosts together, and that one more hears what came of it. Nothing else is tried again.
 */
export const FIRST_CONTACT: Patience = {
  waitsMs: FIRST_WAITS_MS, tries: { lostBeforeHandshake: ALL, handshakeTimeout: 1, jumpHost: 1 }, onDrain: 'giveUp',
};

/** After a connection was lost in the middle of a host: the way back needs one, so seven tries in 94 to 141 s. */
export const COME_BACK: Patience = {
  waitsMs: COME_BACK_WAITS_MS,
  tries: {
    dns: ALL, protocol: ALL, lostBeforeHandshake: ALL, refusedConnection: ALL, connectTimeout: ALL, handshakeTimeout: ALL,
    connectionLost: ALL, channelRefused: ALL, noShell: ALL, timeout: ALL, jumpHost: ALL,
  },
  onDrain: 'goOn',
};

/** A node that an earlier process left untouched, perhaps with a guard: as COME_BACK, but a name that cannot be resolved is soon given up. */
export const TAKE_UP: Patience = { ...COME_BACK, tries: { ...COME_BACK.tries, dns: 1 }, onDrain: 'giveUp' };

export interface Waits {
  readonly clock: Clock;
  /** Ends a wait at once. */
  readonly signal: AbortSignal;
  /** No new host is begun once this is aborted: a patience that gives up then ends its wait with the failure before it. */
  readonly drain?: AbortSignal | undefined;
}

export async function reach<S>(host: Host, open: () => Promise<S>, patience: Patience, waits: Waits): Promise<S> {
  const tried = new Map<FailureKind, number>();
  const drain = patience.onDrain === 'giveUp' ? waits.drain : undefined;
  for (const waitMs of [...patience.waitsMs, undefined]) {
    try {
      return await open();
    } catch (thrown) {
      if (!(thrown instanceof FleetmendError) || waitMs === undefined || waits.signal.aborted) throw thrown;
      const { kind } = thrown.failure;
      const before = tried.get(kind) ?? 0;
      tried.set(kind, before + 1);
      if (before >= (patience.tries[kind] ?? 0) || !(await mayTryAgain(waitMs + spread(host.name, waitMs), { ...waits, drain }))) throw thrown;
    }
  }
  throw new Error('unreachable: the last try returns or throws');
}

/** False when the wait ended because nothing more is to be begun. */
async function mayTryAgain(waitMs: number, { clock, signal, drain }: Waits): Promise<boolean> {
  const mayBegin = (): boolean => drain?.aborted !== true;
  if (!mayBegin()) return false;
  try {
    await clock.sleep(waitMs, drain === undefined ? signal : AbortSignal.any([signal, drain]));
    return true;
  } catch (thrown) {
    if (!mayBegin() && !signal.aborted) return false;
    throw thrown;
  }
}

/** Up to half of the wait more, the same for the same host: no randomness needed. */
function spread(name: string, waitMs: number): number {
  return Math.round((Number.parseInt(digestOf(Buffer.from(name)).slice(0, 4), 16) / 0xffff) * (waitMs / 2));
}
