/** The fields of the lock and of a guard in an answer, both directions. Pure. */
import { isRunName } from '../core/run-name.js';
import { cleanText, cutText } from '../core/clean-text.js';
import type { GuardAnswer, GuardState, LockAnswer } from '../core/query.js';
import { isPersonName, isSessionName } from './names.js';
import { malformed } from './words.js';

/** Some lines for each file and activation of one run. */
const MAX_REPORT_CHARACTERS = 65_536;

const STATES: readonly string[] = ['none', 'armed', 'firing', 'fired', 'disarmed'] satisfies GuardState[];

/**
 * One field of lines. The first: another run whose guard is armed, or nothing. No more lines: nobody holds the node. Else
 * the holder, its name last. A name that is none is left out: it would go onto screens and into commands.
 */
export function takeLock(text: string): LockAnswer {
  const [other = '', ...held] = text.split('\n');
  const armed = isRunName(other) ? { armed: other } : {};
  if (held.length === 0) return { held: false, ...armed };
  const [run = '', session = '', heldFor = '', silentFor = '', stale = '', touched = '', guard = '', verdict = '', who = ''] = held;
  return {
    held: true, ...armed,
    run: isRunName(run) ? run : '', who: isPersonName(who) ? who : '', session: isSessionName(session) ? session : '',
    heldForMs: count(heldFor), silentForMs: count(silentFor), staleAfterMs: count(stale), touched: touched === 'touched', guard: stateOf(guard),
    ...(verdict === '' ? {} : { guardOk: verdict === 'ok' }),
  };
}

export function encodeLock(lock: LockAnswer): string {
  const armed = lock.armed ?? '';
  if (!lock.held) return armed;
  const { run, session, heldForMs, silentForMs, staleAfterMs, touched, guard, guardOk, who } = lock;
  return [armed, run, session, heldForMs, silentForMs, staleAfterMs, touched ? 'touched' : '', guard, encodeVerdict(guardOk), who].join('\n');
}

function encodeVerdict(ok: boolean | undefined): string {
  return ok === undefined ? '' : ok ? 'ok' : 'failed';
}

/** Two fields: state, milliseconds until it fires (empty: not known) and its verdict in one line; then what it did. */
export function takeGuard(head: string, report: string): GuardAnswer {
  const [state = '', fires = '', verdict = ''] = head.split(' ');
  return {
    state: stateOf(state),
    ...(fires === '' ? {} : { firesInMs: count(fires) }),
    ...(verdict === '' ? {} : { ok: verdict === 'ok' }),
    ...(report === '' ? {} : { report: cleanText(cutText(report, MAX_REPORT_CHARACTERS)).trim() }),
  };
}

export function encodeGuard({ state, firesInMs, ok, report }: GuardAnswer): [string, string] {
  return [`${state} ${firesInMs ?? ''} ${encodeVerdict(ok)}`, report ?? ''];
}

function stateOf(text: string): GuardState {
  if (!STATES.includes(text)) throw malformed('it gives an unknown state of a guard');
  return text as GuardState;
}

function count(text: string): number {
  if (!/^[0-9]{1,15}$/.test(text)) throw malformed('a time is not a number');
  return Number(text);
}
