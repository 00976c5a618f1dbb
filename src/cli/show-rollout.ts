/** The rollout of a run as text: where it stands, and its waves, gates, hooks and acts of people with their times. Pure. */
import { cleanLine } from '../core/clean-text.js';
import type { RunEntry } from '../core/journal.js';
import type { RolloutStanding } from '../core/rollout-standing.js';
import { runText, stopText, throughText, timeText } from '../core/run-text.js';
import type { Paint } from './paint.js';

/** Hooks of thousands of hosts can fail: the latest facts are shown, all of them stand in the JSON. */
const SHOWN_FACTS = 60;

const STAGES: Readonly<Record<NonNullable<RolloutStanding['wave']>['stage'], string>> = {
  hosts: '', soak: ', in its soak', gateFailed: ', its gate failed', passed: ', passed',
};

/** One short line: `wave 2 of 4 (20 hosts), in its soak; paused by bob@desk`. */
export function standingText(standing: RolloutStanding): string {
  const { wave, paused, waiting, within, stopped, ended } = standing;
  const parts = [
    ...(wave === undefined ? ['no wave begun'] : [`wave ${wave.wave} of ${wave.of} (${wave.hosts} ${wave.hosts === 1 ? 'host' : 'hosts'})${STAGES[wave.stage]}${wave.stage === 'passed' ? throughText(wave) : ''}`]),
    ...(stopped === undefined ? [] : [stopText(stopped)]),
    ...(paused === undefined ? [] : [`paused by ${paused.by} since ${timeText(paused.at)}`]),
    ...(waiting === undefined ? [] : [waitingText(waiting)]),
    ...(within === undefined ? [] : [`${within} at once`]),
    ...(ended ? ['ended'] : []),
  ];
  return cleanLine(parts.join('; '));
}

function waitingText(waiting: NonNullable<RolloutStanding['waiting']>): string {
  return waiting.for === 'window' ? `waits for its window until ${timeText(waiting.until)}` : `waits for a person to say continue, until ${timeText(waiting.until)} at most`;
}

/** Empty for a run without rollout. */
export function rolloutLines(entries: readonly RunEntry[], paint: Paint): string[] {
  if (entries.length === 0) return [];
  const shown = entries.slice(-SHOWN_FACTS);
  const hidden = entries.length - shown.length;
  return [
    'rollout',
    ...(hidden > 0 ? [`  ... ${hidden} earlier facts: fleetmend show RUN -o json has all`] : []),
    ...shown.map((entry) => `  ${timeText(entry.at)}  ${isTrouble(entry) ? paint('red', runText(entry)) : runText(entry)}`),
  ];
}

function isTrouble(entry: RunEntry): boolean {
  return entry.type === 'gateFailed' || entry.type === 'hookFailed' || (entry.type === 'stopped' && entry.reason !== 'person');
}
