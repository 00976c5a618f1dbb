/**
 * What the bytes of a journal file mean: which entry holds each place. The first line of a place wins, later ones of the
 * same place are of a process that was too late, and count for nothing. Reads no file; what was taken in is never looked at again.
 */
import { FleetmendError } from '../core/failure.js';
import type { JournalEntry } from '../core/journal.js';
import type { Line } from './journal-line.js';
import { parseLine } from './journal-line.js';

const NEW_LINE = 0x0a;

/** An entry that holds its place, and which journal wrote it. */
export interface Won {
  readonly entry: JournalEntry;
  readonly writer: string;
}

export interface Ledger {
  /** Takes in the next bytes of the file. A last line without line end waits for more. Throws FleetmendError with `path:line`. */
  take(bytes: Buffer): Won[];
  /** What waits, if the file ends here: a whole entry, or what a crash left. The file may still grow. */
  end(): Won[];
  /** The last place of a host that is held; 0 when none is. */
  lastOf(entry: Pick<JournalEntry, 'run' | 'host'>): number;
}

export function createLedger(path: string): Ledger {
  const last = new Map<string, number>();
  let waiting: Buffer[] = [];
  let complete = 0;

  const judge = (line: Line, number: number): Won[] => {
    switch (line.kind) {
      case 'blank':
      case 'torn':
        return [];
      case 'otherVersion':
        throw unreadable(path, number, `written in version ${line.version} of the journal's format, which this fleetmend cannot read`);
      case 'corrupt':
        throw unreadable(path, number, `corrupt: ${line.why}`);
      case 'entry':
        return place(line, number);
    }
  };
  const place = ({ entry, writer }: Won, number: number): Won[] => {
    const before = last.get(hostKey(entry)) ?? 0;
    if (entry.seq <= before) return [];
    // A line that is missing in the middle was once acknowledged: what follows must not be read as if it had never been.
    if (entry.seq > before + 1) throw unreadable(path, number, `corrupt: entry ${entry.seq} of ${entry.host} without entry ${before + 1} before it`);
    last.set(hostKey(entry), entry.seq);
    return [{ entry, writer }];
  };
  return {
    take: (bytes) => {
      const won: Won[] = [];
      let start = 0;
      for (let end = bytes.indexOf(NEW_LINE); end !== -1; end = bytes.indexOf(NEW_LINE, start)) {
        const piece = bytes.subarray(start, end);
        complete++;
        won.push(...judge(parseLine(waiting.length === 0 ? piece : Buffer.concat([...waiting, piece])), complete));
        waiting = [];
        start = end + 1;
      }
      if (start < bytes.length) waiting.push(Buffer.from(bytes.subarray(start)));
      return won;
    },
    end: () => judge(parseLine(Buffer.concat(waiting)), complete + 1),
    lastOf: (entry) => last.get(hostKey(entry)) ?? 0,
  };
}

export function hostKey({ run, host }: Pick<JournalEntry, 'run' | 'host'>): string {
  return `${run}\0${host}`;
}

function unreadable(path: string, line: number, what: string): FleetmendError {
  return new FleetmendError({
    kind: 'journal', summary: `${path}:${line}: ${what}`,
    next: 'nothing is done with this run: look at its hosts by hand, or bring the file back from a copy',
  });
}
