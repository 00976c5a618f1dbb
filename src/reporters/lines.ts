/** Plain lines with time and host, for logs and pipes. Never moves a cursor and never colours. */
import { cleanLine, cleanText } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { describeFailure } from '../core/failure.js';
import type { RunEvent } from '../core/journal.js';
import { isRunEntry } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';
import { journalText } from '../core/run-text.js';

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
      return [`${event.at} - ${event.stage}: ${cleanLine(event.playbook)} on ${countHosts(event.hosts.length)} (run ${event.run})`];
    case 'progress':
      // What matters of it comes as a fact; a log wants no ticking.
      return [];
    case 'surveyed':
      return [`${event.at} ${event.host} ${event.verdict ?? 'no answer'}: ${cleanLine(event.failure ? describeFailure(event.failure) : event.summary)}`];
    case 'entry':
      return [`${event.entry.at} ${isRunEntry(event.entry) ? '-' : event.entry.host} ${journalText(event.entry)}`];
    case 'rollout':
    case 'prompt':
      // For a screen only: what happened to the rollout comes as facts, and here is no keyboard.
      return [];
    case 'said':
      return cleanText(event.text).split('\n');
    case 'stageFinished':
      return [`${event.at} - ${event.stage}: finished`];
  }
}
