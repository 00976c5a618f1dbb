/** A journal that lives as long as the process: for tests and for runs that change nothing. */
import { FleetmendError } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { Journal } from '../core/ports.js';

export function createMemoryJournal(): Journal {
  const entries: JournalEntry[] = [];
  const taken = new Set<string>();
  return {
    append: (entry) => {
      const key = `${entry.run}\0${entry.host}\0${entry.seq}`;
      if (taken.has(key)) return Promise.reject(takenError(entry));
      taken.add(key);
      entries.push(entry);
      return Promise.resolve();
    },
    read: (run) => Promise.resolve(entries.filter((entry) => entry.run === run)),
    close: () => Promise.resolve(),
  };
}

export function takenError(entry: JournalEntry): FleetmendError {
  return new FleetmendError({
    kind: 'fenced',
    summary: `${entry.host}: entry ${entry.seq} of run ${entry.run} is already taken`,
    next: 'another process continues this run: leave it to it',
  });
}
