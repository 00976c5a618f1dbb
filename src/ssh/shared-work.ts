/**
 * One piece of work for many who wait: it runs once, each waiter may leave, and it is given up when the last one has left before
 * it was done. Never repeats the work.
 */
import { setMaxListeners } from 'node:events';
import { untilAborted } from './abort.js';
import type { Hop } from './route.js';

export interface SharedWork<T> {
  /** Settles like the work, or rejects when the signal is aborted: `host` is who waits. */
  join(host: Hop, signal: AbortSignal): Promise<T>;
}

export function shareWork<T>(work: (signal: AbortSignal) => Promise<T>): SharedWork<T> {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  let waiting = 0;
  let isSettled = false;
  const settle = (): void => {
    isSettled = true;
  };
  const result = work(controller.signal);
  result.then(settle, settle);
  return {
    async join(host, signal) {
      waiting += 1;
      try {
        return await untilAborted(result, host, signal);
      } finally {
        waiting -= 1;
        if (waiting === 0 && !isSettled) controller.abort();
      }
    },
  };
}
