/** Writes down the facts of a run as a whole, durable first, shown second; fenced like those of a host. Never decides anything. */
import type { Failure } from '../core/failure.js';
import type { RunEntry } from '../core/journal.js';
import type { RunFact } from '../core/rollout.js';
import { WHOLE_RUN } from '../core/rollout.js';
import { createDurableAppend } from './durable-append.js';
import type { RecorderPorts } from './recorder.js';

export interface RunRecorder {
  /** Resolves when the fact is durable, or with the reason why it is not. Rejects when another process took this run over. */
  record(fact: RunFact): Promise<Failure | undefined>;
}

/** `before`: the run's own entries of earlier processes. */
export function createRunRecorder(before: readonly RunEntry[], ports: RecorderPorts): RunRecorder {
  let seq = before.reduce((last, entry) => Math.max(last, entry.seq), 0);
  const append = createDurableAppend(ports.journal);
  // One after the other: a fact must not become durable before an earlier one.
  let last: Promise<unknown> = Promise.resolve();
  const write = async (fact: RunFact): Promise<Failure | undefined> => {
    const entry: RunEntry = { ...fact, run: ports.run, host: WHOLE_RUN, seq: (seq += 1), at: ports.clock.now().toISOString() };
    const undurable = await append(entry);
    ports.emit({ event: 'entry', entry });
    return undurable;
  };
  return {
    record: (fact) => {
      const next = last.then(() => write(fact), () => write(fact));
      last = next.catch(() => undefined);
      return next;
    },
  };
}
