/**
 * At most so many at a time, first come first served. Keeps a burst of handshakes from blocking the event loop
 * (ssh.md 3.5). Never starts work whose signal was aborted while it waited.
 */
export interface Gate {
  /** Runs `work` when there is room. `leave`: its place is free from then on, however long it goes on. Rejects with the signal's reason when aborted while waiting. */
  run<T>(work: (leave: () => void) => Promise<T>, signal: AbortSignal): Promise<T>;
}

export function createGate(limit: number): Gate {
  const waiting = new Set<() => void>();
  let running = 0;

  const admitNext = (): void => {
    const [next] = waiting;
    if (next === undefined || running >= limit) return;
    waiting.delete(next);
    running += 1;
    next();
  };

  const admission = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        waiting.delete(enter);
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.add(enter);
      admitNext();
    });

  return {
    async run(work, signal) {
      await admission(signal);
      let isInside = true;
      const leave = (): void => {
        if (!isInside) return;
        isInside = false;
        running -= 1;
        admitNext();
      };
      try {
        return await work(leave);
      } finally {
        leave();
      }
    },
  };
}
