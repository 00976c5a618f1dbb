/**
 * Work that only reads, over a connection. What a jump host took with it, for no reason of the host, is done once more from its
 * beginning: nothing was changed by it. Never for work that may have changed something.
 */
import { FleetmendError } from '../core/failure.js';
import type { Waits } from './reach.js';

export interface Visit<S, T> {
  /** Not repeated by this: a patience (reach.ts) does that. */
  open(): Promise<S>;
  /** May be called twice, each time with a new session. */
  work(session: S): Promise<T>;
  /** Of the session that was carried off. */
  close(session: S): Promise<void>;
}

/** Rejects as `open` and `work` do. */
export async function onceMore<S, T>({ open, work, close }: Visit<S, T>, { signal, drain }: Pick<Waits, 'signal' | 'drain'>): Promise<T> {
  const session = await open();
  try {
    return await work(session);
  } catch (thrown) {
    if (!wasCarriedOff(thrown) || signal.aborted || drain?.aborted === true) throw thrown;
  }
  await close(session);
  return await work(await open());
}

function wasCarriedOff(thrown: unknown): boolean {
  return thrown instanceof FleetmendError && thrown.failure.kind === 'jumpHost';
}
