/** Appends to a journal until it fails once; from then on the run goes on in memory, so that touched nodes can still be brought back. */
import type { Failure } from '../core/failure.js';
import { FleetmendError, failureOf } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { Journal } from '../core/ports.js';

/** Resolves when the entry is durable, or with the reason why none is any more. Rejects when another process took this place. */
export type DurableAppend = (entry: JournalEntry) => Promise<Failure | undefined>;

export function createDurableAppend(journal: Journal): DurableAppend {
  let journalFailure: Failure | undefined;
  return async (entry) => {
    if (journalFailure !== undefined) return journalFailure;
    try {
      await journal.append(entry);
    } catch (thrown) {
      journalFailure = failureOf(thrown);
      if (thrown instanceof FleetmendError && thrown.failure.kind === 'fenced') throw thrown;
    }
    return journalFailure;
  };
}
