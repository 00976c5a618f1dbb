/**
 * A clock for tests: sleeping costs no real time, and of several sleepers the earliest wakes first.
 * Never looks at the real time. Time moves only when everything that can run has run (setImmediate).
 */
import type { Clock } from '../../src/core/ports.js';

export interface VirtualClock extends Clock {
  /** Moves the time without waking sleepers that are not due yet. */
  advance(ms: number): void;
  /** The same time for one controller, which can die. */
  controller(): ControllerClock;
}

export interface ControllerClock extends Clock {
  /** The controller is dead: none of its sleepers ever wakes, and none moves the time of the others. */
  stop(): void;
}

interface Owner {
  stopped: boolean;
}

interface Sleeper {
  readonly owner: Owner;
  readonly at: number;
  readonly order: number;
  readonly wake: () => void;
}

/** `startMs`: milliseconds since the epoch. */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 15, 8, 0, 0)): VirtualClock {
  let nowMs = startMs;
  let order = 0;
  let sleepers: Sleeper[] = [];
  let armed = false;

  const wakeEarliest = (): void => {
    armed = false;
    const [next, ...rest] = [...sleepers].sort((a, b) => a.at - b.at || a.order - b.order);
    if (next === undefined) return;
    sleepers = rest;
    nowMs = Math.max(nowMs, next.at);
    next.wake();
    arm();
  };
  const arm = (): void => {
    if (armed || sleepers.length === 0) return;
    armed = true;
    setImmediate(wakeEarliest);
  };

  const sleep = (owner: Owner, ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      if (owner.stopped) return;
      if (signal?.aborted === true) {
        reject(abortError(signal));
        return;
      }
      const onAbort = (): void => {
        sleepers = sleepers.filter((sleeper) => sleeper !== self);
        if (!owner.stopped) reject(signal === undefined ? new Error('aborted') : abortError(signal));
      };
      const self: Sleeper = {
        owner,
        at: nowMs + ms,
        order: (order += 1),
        wake: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      sleepers.push(self);
      arm();
    });
  const time = { now: () => new Date(nowMs), monotonicMs: () => nowMs - startMs };
  const everybody: Owner = { stopped: false };
  return {
    ...time,
    advance: (ms) => {
      nowMs += ms;
    },
    sleep: (ms, signal) => sleep(everybody, ms, signal),
    controller: () => {
      const owner: Owner = { stopped: false };
      return {
        ...time,
        sleep: (ms, signal) => sleep(owner, ms, signal),
        stop: () => {
          owner.stopped = true;
          sleepers = sleepers.filter((sleeper) => sleeper.owner !== owner);
        },
      };
    },
  };
}

function abortError(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}
