/** Plain lines with time and host, for logs and pipes. Never moves a cursor and never colours. */
import { cleanLine, cleanText } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import type { Failure } from '../core/failure.js';
import { describeFailure } from '../core/failure.js';
import type { RunEvent } from '../core/journal.js';
import { isRunEntry } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';
import { journalText } from '../core/run-text.js';

export function createLinesReporter(output: NodeJS.WritableStream): Reporter {
  const told = new Map<string, string>();
  return {
    on: (event) => {
      for (const line of linesOf(event, told)) output.write(`${line}\n`);
    },
    close: () => Promise.resolve(),
  };
}

/** Zero or more lines for one event. `told`: which host the reason of a jump host was told for; it is told once. */
export function linesOf(event: RunEvent, told = new Map<string, string>()): string[] {
  switch (event.event) {
    case 'stageStarted':
      return [`${event.at} - ${event.stage}: ${cleanLine(event.playbook)} on ${countHosts(event.hosts.length)} (run ${event.run})`];
    case 'progress':
      // What matters of it comes as a fact; a log wants no ticking.
      return [];
    case 'surveyed':
      return [`${event.at} ${event.host} ${event.verdict ?? 'no answer'}: ${cleanLine(event.failure ? reasonText(event.host, event.failure, told) : event.summary)}`];
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

/** All hosts behind a jump host that is gone have the same to say. */
function reasonText(host: string, failure: Failure, told: Map<string, string>): string {
  const reason = describeFailure(failure);
  if (failure.kind !== 'jumpHost') return reason;
  const first = told.get(reason);
  if (first !== undefined) return `as ${first}`;
  told.set(reason, host);
  return reason;
}
