/** What moved on a node between two looks, by name; and whether a plan that was shown may still be done. Pure. */
import { cleanLine } from './clean-text.js';
import type { Failure } from './failure.js';
import { samePlan } from './group-plans.js';
import type { Observed } from './observed.js';
import { SETTINGS_MARK } from './observed.js';
import type { HostPlan } from './plan.js';
import { redactCommandLines } from './redact-words.js';

/** Why the plan that was shown must not be done, now that a fresh one was made; undefined when it may, or nothing is left to do. */
export function movedFailure(shown: HostPlan, fresh: HostPlan): Failure | undefined {
  const key = movedKey(shown.observed?.hostKey, fresh.observed?.hostKey);
  if (key !== undefined) return key;
  if (fresh.refusal === undefined && fresh.steps.length === 0) return undefined;
  const moved = differencesOf(shown, fresh);
  if (fresh.refusal !== undefined) return moved.length === 0 ? fresh.refusal : alsoMoved(fresh.refusal, moved);
  if (moved.length === 0 && samePlan(shown, fresh)) return undefined;
  if (moved.length > 0) return drift(`changed since the plan was shown: ${briefly(moved)}`, moved);
  return drift('the same files now make for another plan than was shown', []);
}

/** To be asked before a node is asked anything else. */
export function movedKey(shown: string | undefined, fresh: string | undefined): Failure | undefined {
  if (shown === undefined || fresh === undefined || shown === fresh) return undefined;
  return {
    kind: 'hostKeyChanged', summary: `this host proved another key than when the plan was made: ${cleanLine(fresh)}, not ${cleanLine(shown)}`,
    done: 'nothing was touched', next: 'find out whether it is the same host, then plan again',
  };
}

function drift(summary: string, moved: readonly string[]): Failure {
  return { kind: 'drift', summary, ...(moved.length > SHOWN ? { detail: moved.join('\n') } : {}), done: 'nothing was touched', next: 'plan again' };
}

function alsoMoved(refusal: Failure, moved: readonly string[]): Failure {
  const detail = [...(refusal.detail === undefined ? [] : [refusal.detail]), ...(moved.length > SHOWN ? moved : [])];
  return {
    ...refusal, summary: `${refusal.summary}; changed since the plan was shown: ${briefly(moved)}`,
    ...(detail.length > 0 ? { detail: detail.join('\n') } : {}), done: refusal.done ?? 'nothing was touched',
  };
}

const SHOWN = 3;

function briefly(moved: readonly string[]): string {
  const rest = moved.length - SHOWN;
  return [...moved.slice(0, SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])].join('; ');
}

/** One line for each thing that is not what it was. A plan that was cut short by its refusal asked less: only what both saw is compared. */
function differencesOf(shown: HostPlan, fresh: HostPlan): string[] {
  if (shown.observed === undefined || fresh.observed === undefined) return [];
  return differences(shown.observed, fresh.observed, fresh.refusal === undefined && shown.refusal === undefined ? 'all' : 'common');
}

/** `common`: what only one of the two looked at is no difference. */
export function differences(then: Observed, now: Observed, which: 'all' | 'common'): string[] {
  const between = <T>(left: Readonly<Record<string, T>>, right: Readonly<Record<string, T>>, tell: (name: string, then: T, now: T) => string): string[] => {
    const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort();
    return names.flatMap((name) => {
      const [before, after] = [valueOf(left, name), valueOf(right, name)];
      if (before === undefined || after === undefined) return which === 'common' ? [] : [`${cleanLine(name)}: ${before === undefined ? 'it had no part in the plan' : 'it has no part any more'}`];
      return JSON.stringify(before) === JSON.stringify(after) ? [] : [`${cleanLine(name)}: ${tell(name, before, after)}`];
    });
  };
  return [
    ...between(then.files, now.files, (_, before, after) => tellFile(before, after)),
    ...between(then.directories, now.directories, (_, before, after) => tellDirectory(before, after)),
    ...between(then.units, now.units, (_, before, after) => tellUnit(before, after)),
    ...between(then.commandLines, now.commandLines, (_, before, after) => tellWords(before, after)),
    ...between(then.versions, now.versions, (_, before, after) => `${cleanLine(before)}, now ${cleanLine(after)}`),
  ];
}

function valueOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function tellFile(before: string, after: string): string {
  if (before === 'absent') return `there now (${shortly(after)})`;
  if (after === 'absent') return 'gone';
  const [[was, wasAt], [is, isAt]] = [before.split(' at '), after.split(' at ')];
  if (was === is) return `leads to ${cleanLine(isAt ?? 'itself')}, not to ${cleanLine(wasAt ?? 'itself')} any more`;
  return `other content (${shortly(before)}, now ${shortly(after)})`;
}

function tellDirectory(before: string, after: string): string {
  if (before === 'absent') return 'the directory is there now';
  if (after === 'absent') return 'the directory is gone';
  if (before === 'unread' || after === 'unread') return before === 'unread' ? 'the directory can be read now' : 'the directory cannot be read any more';
  return 'other names in the directory';
}

function tellUnit(before: string, after: string): string {
  const [[was = ''], [is = '']] = [before.split(SETTINGS_MARK), after.split(SETTINGS_MARK)];
  return was === is ? 'systemd has loaded other settings of it' : `${cleanLine(was)}, now ${cleanLine(is)}`;
}

const SHOWN_WORDS = 6;

function tellWords(then: readonly string[], now: readonly string[]): string {
  const [before = [], after = []] = redactCommandLines([then, now]);
  const [was, is] = [withValues(before), withValues(after)];
  const [gone, added] = [without(was, is), without(is, was)];
  const words = [...gone.map((word) => `-${word}`), ...added.map((word) => `+${word}`)];
  if (words.length === 0) return 'the same words of the command line in another order';
  const rest = words.length - SHOWN_WORDS;
  return `command line ${words.slice(0, SHOWN_WORDS).map(clip).join(' ')}${rest > 0 ? ` and ${rest} more words` : ''}`;
}

/** A flag and its value in the next word stay together: what is secret is known by its flag. */
function withValues(words: readonly string[]): string[] {
  const isFlag = (word: string | undefined): boolean => word?.startsWith('-') === true;
  return words.flatMap((word, index) => {
    const next = words[index + 1];
    if (isFlag(word) && !word.includes('=') && next !== undefined && !isFlag(next)) return [`${word} ${next}`];
    const before = words[index - 1];
    return !isFlag(word) && before !== undefined && isFlag(before) && !before.includes('=') ? [] : [word];
  });
}

/** As often as a word stands in `words` more than in `others`. */
function without(words: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return words.filter((word) => {
    const count = left.get(word) ?? 0;
    left.set(word, count - 1);
    return count <= 0;
  });
}

const SHOWN_CHARACTERS = 120;

function clip(word: string): string {
  const clean = cleanLine(word);
  return clean.length > SHOWN_CHARACTERS ? `${clean.slice(0, SHOWN_CHARACTERS)}...` : clean;
}

function shortly(word: string): string {
  return /^[0-9a-f]{32}/.test(word) ? word.slice(0, 12) : cleanLine(word);
}
