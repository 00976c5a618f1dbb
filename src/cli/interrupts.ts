/** What Ctrl-C means: the first lets the hosts in progress finish, the second stops at once, and so does an error that nobody caught. */
import { setMaxListeners } from 'node:events';
import { listenForCrash } from './listen-for-crash.js';

export interface Interrupts {
  /** Aborted by the first: no new host is begun. */
  readonly drain: AbortSignal;
  /** Aborted by the second. */
  readonly stop: AbortSignal;
  dispose(): void;
}

/** `resume`: the command that goes on later, if there is one; printed with both. */
export function listenForInterrupts(say: (text: string) => void, resume: () => string | undefined = () => undefined): Interrupts {
  const later = (): string => {
    const command = resume();
    return command === undefined ? '' : `\nto go on later: ${command}`;
  };
  const drain = new AbortController();
  const stop = new AbortController();
  // Every open connection listens: that many are no leak.
  for (const { signal } of [drain, stop]) setMaxListeners(0, signal);
  const onSignal = (): void => {
    if (!drain.signal.aborted) {
      drain.abort();
      say(`interrupted: no new host is begun, hosts in progress are finished; press Ctrl-C again to stop at once${later()}`);
      return;
    }
    stop.abort();
    say(`stopping at once: hosts in the middle are named in the summary${later()}`);
  };
  // A terminal that goes away must not leave hosts in the middle.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const endCrashWatch = listenForCrash({
    say, resume,
    stop: () => {
      drain.abort();
      stop.abort();
    },
  });
  return {
    drain: drain.signal,
    stop: stop.signal,
    dispose: () => {
      endCrashWatch();
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}
