/** What comes in while a loop waits: one reader, many writers, a time at which it stops waiting. Never drops anything. */
import type { Clock } from '../core/ports.js';

export interface Mailbox<T> {
  post(item: T): void;
  /** What has come already. */
  poll(): T | undefined;
  /** The next one, or undefined at `untilMs` (milliseconds since the epoch); without it as long as it takes. */
  take(untilMs?: number): Promise<T | undefined>;
}

/** A timer that is further away than this is set anew: clocks are put right, and timers of a runtime have a limit. */
const LONGEST_SLEEP_MS = 60_000;

export function createMailbox<T>(clock: Clock): Mailbox<T> {
  const items: T[] = [];
  let wake: () => void = () => undefined;
  const sleepUntil = async (untilMs: number, signal: AbortSignal): Promise<void> => {
    const leftMs = Math.max(0, untilMs - clock.now().getTime());
    await clock.sleep(Math.min(leftMs, LONGEST_SLEEP_MS), signal);
  };
  return {
    post: (item) => {
      items.push(item);
      wake();
    },
    poll: () => items.shift(),
    take: async (untilMs) => {
      if (items.length > 0) return items.shift();
      const timer = new AbortController();
      const came = new Promise<void>((resolve) => { wake = resolve; });
      const waits = untilMs === undefined ? [came] : [came, sleepUntil(untilMs, timer.signal).catch(() => undefined)];
      await Promise.race(waits);
      timer.abort();
      return items.shift();
    },
  };
}
