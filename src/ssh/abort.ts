/** What an aborted signal means here. Never lets work go on waiting after the signal. */
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import { interruptedFailure } from './failures.js';

/** A caller that aborts with a FleetmendError (a deadline, say) gets it back. */
export function abortFailure(host: Hop, signal: AbortSignal): Failure {
  const reason: unknown = signal.reason;
  return reason instanceof FleetmendError ? reason.failure : interruptedFailure(host);
}

/** Settles like `work`, or rejects as soon as the signal is aborted. */
export async function untilAborted<T>(work: Promise<T>, host: Hop, signal: AbortSignal): Promise<T> {
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    const onAbort = (): void => reject(new FleetmendError(abortFailure(host, signal)));
    stop = () => signal.removeEventListener('abort', onAbort);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([aborted, work]);
  } finally {
    stop();
  }
}
