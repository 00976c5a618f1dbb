/** The words of `fleetmend ctl` as an act. Pure; throws FleetmendError (badInput) with what was expected. */
import { quoteText, suggestWord } from '../core/input-error.js';
import type { ControlAct } from '../core/rollout.js';
import { badInput } from './bad-input.js';

export const CONTROL_WORDS: readonly string[] = ['pause', 'continue', 'within', 'skip', 'stop', 'undo', 'status'];

const MOST_AT_ONCE = 1_000;

export function parseControl(act: string, what: string | undefined): ControlAct | 'status' {
  switch (act) {
    case 'pause':
    case 'continue':
    case 'stop':
      refuseMore(act, what);
      return { do: act };
    case 'status':
      refuseMore(act, what);
      return 'status';
    case 'within':
      return { do: 'within', count: countOf(what) };
    case 'skip':
      if (what === undefined || what === '') throw badInput('ctl skip: expected the name of a host');
      return { do: 'skip', host: what };
    case 'undo':
      if (what === undefined || what === 'wave' || what === 'run') return { do: 'undo', scope: what ?? 'wave' };
      throw badInput(`ctl undo: expected wave or run, got ${quoteText(what)}`);
    default:
      throw badInput(`ctl: expected one of ${CONTROL_WORDS.join(', ')}, got ${quoteText(act)}${suggestWord(act, CONTROL_WORDS)}`);
  }
}

function countOf(what: string | undefined): number {
  const count = what !== undefined && /^\d{1,5}$/.test(what) ? Number(what) : 0;
  if (count >= 1 && count <= MOST_AT_ONCE) return count;
  throw badInput(`ctl within: expected a whole number of hosts from 1 to ${MOST_AT_ONCE}${what === undefined ? '' : `, got ${quoteText(what)}`}`);
}

function refuseMore(act: string, what: string | undefined): void {
  if (what !== undefined) throw badInput(`ctl ${act}: nothing is expected after it, got ${quoteText(what)}`);
}
