/** Plain lines with time and host, for logs and pipes. Never moves a cursor and never colours. */
import { cleanLine } from '../core/clean-text.js';
import { entryText } from '../core/entry-text.js';
import { describeFailure } from '../core/failure.js';
import type { RunEvent } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';

export function createLinesReporter(output: NodeJS.WritableStream): Reporter {
  return {
    on: (event) => {
      for (const line of linesOf(event)) output.write(`${line}\n`);
    },
    close: () => Promise.resolve(),
  };
}

/** Zero or more lines for one event. */
export function linesOf(event: RunEvent): string[] {
  switch (event.event) {
    case 'stageStarted':
      return [`${event.at} - ${event.stage}: ${cleanLine(event.playbook)} on ${event.hosts.length} hosts (run ${event.run})`];
    case 'progress':
      // What matters of it comes as a fact; a log wants no ticking.
      return [];
    case 'surveyed':
      return [`${event.at} ${event.host} ${event.verdict ?? 'no answer'}: ${cleanLine(event.failure ? describeFailure(event.failure) : event.summary)}`];
    case 'entry':
      return [`${event.entry.at} ${event.entry.host} ${entryText(event.entry)}`];
    case 'stageFinished':
      return [`${event.at} - ${event.stage}: finished`];
  }
}
