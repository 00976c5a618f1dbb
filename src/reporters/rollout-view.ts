/** What a screen tells of a rollout beside its hosts: where it stands, what was last heard of it, what the keyboard says. Pure; all text in it is clean. */
import { cleanLine } from '../core/clean-text.js';
import type { RunEvent } from '../core/journal.js';
import { isRunEntry } from '../core/journal.js';
import { runText } from '../core/run-text.js';

export interface RolloutView {
  /** `wave 2 of 4, 50 at once: ...`; empty before the first wave, and for a stage without rollout. */
  readonly standing: string;
  readonly lastWords: string;
  readonly prompt: string;
}

export const NO_ROLLOUT: RolloutView = { standing: '', lastWords: '', prompt: '' };

export function followRollout(view: RolloutView, event: RunEvent): RolloutView {
  switch (event.event) {
    case 'stageStarted':
      return NO_ROLLOUT;
    case 'rollout':
      return { ...view, standing: standingLine(event) };
    case 'prompt':
      return { ...view, prompt: cleanLine(event.text) };
    case 'entry':
      return isRunEntry(event.entry) ? { ...view, lastWords: runText(event.entry) } : view;
    default:
      return view;
  }
}

/** At most two. */
export function headLines({ standing, lastWords }: RolloutView): string[] {
  return [standing, lastWords].filter((line) => line !== '');
}

/** Behind the last wave nothing is at work any more. */
function standingLine({ paused, wave, of, within, text }: Extract<RunEvent, { event: 'rollout' }>): string {
  return cleanLine(`${paused ? 'PAUSED  ' : ''}wave ${wave} of ${of}${within > 0 ? `, ${within} at once` : ''}: ${text}`);
}
