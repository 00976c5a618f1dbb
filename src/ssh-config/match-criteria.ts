/** The criteria of a Match line: read once, judged for each name. Never runs a command: `exec` is not judged. Pure. */
import type { InputError } from '../core/input-error.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import { findBadToken } from './expand-text.js';
import { matchPatterns } from './match-pattern.js';
import type { Word } from './split-line.js';

const WITH_ARGUMENT = ['host', 'originalhost', 'user', 'localuser', 'tagged', 'exec'] as const;
/** Newer than most, and about things that fleetmend does not know when it reads the file. */
const NOT_JUDGED = ['localnetwork', 'command', 'sessiontype', 'version'] as const;

export interface Criterion {
  readonly attribute: (typeof WITH_ARGUMENT)[number] | (typeof NOT_JUDGED)[number] | 'all' | 'final' | 'canonical';
  readonly negated: boolean;
  readonly argument: string;
}

/** What a criterion is compared with, as far as the lines above have settled it. */
export interface MatchSubject {
  readonly host: string;
  readonly originalHost: string;
  readonly user: string;
  readonly localUser: string;
  readonly tag: string;
  readonly isFinal: boolean;
}

export type MatchResult = 'applies' | 'not' | 'exec' | 'notJudged';

type Problem = Pick<InputError, 'column' | 'expected' | 'got'>;

export function parseCriteria(words: readonly Word[], column: number): { readonly criteria: Criterion[] } | { readonly problem: Problem } {
  const criteria: Criterion[] = [];
  const left = [...words];
  for (let word = left.shift(); word !== undefined && word.text !== ''; word = left.shift()) {
    const negated = word.text.startsWith('!');
    const attribute = word.text.slice(negated ? 1 : 0).toLowerCase();
    if (attribute === 'all') {
      const alone = criteria.length <= 1 && (left[0]?.text ?? '') === '';
      if (!alone) return { problem: { column: word.column, expected: '"all" to stand alone', got: quoteText(left[0]?.text ?? '') } };
      return { criteria: [...criteria, { attribute, negated, argument: '' }] };
    }
    if (attribute === 'final' || attribute === 'canonical') {
      criteria.push({ attribute, negated, argument: '' });
      continue;
    }
    const known = isOneOf(WITH_ARGUMENT, attribute) || isOneOf(NOT_JUDGED, attribute) ? attribute : undefined;
    const names = ['all', 'final', 'canonical', ...WITH_ARGUMENT, ...NOT_JUDGED];
    if (known === undefined) return { problem: { column: word.column, expected: `one of ${names.join(', ')}${suggestWord(attribute, names)}`, got: quoteText(attribute) } };
    const argument = left.shift();
    if (argument === undefined || argument.text === '') return { problem: { column: word.column, expected: `a value behind ${attribute}`, got: 'nothing' } };
    const bad = known === 'exec' ? findBadToken(argument.text, 'CLdhijklnpru') : undefined;
    if (bad !== undefined) return { problem: { column: argument.column, expected: 'a token of Match exec, or %% for a percent sign', got: quoteText(bad) } };
    criteria.push({ attribute: known, negated, argument: argument.text });
  }
  if (criteria.length === 0) return { problem: { column, expected: 'at least one criterion', got: 'nothing' } };
  const extra = left.find((word) => word.text !== '');
  return extra === undefined ? { criteria } : { problem: { column: extra.column, expected: 'the end of the line', got: quoteText(extra.text) } };
}

/** `exec` and `notJudged`: all else applies, so what is not judged decides, and the block is passed over. */
export function judgeCriteria(criteria: readonly Criterion[], subject: MatchSubject): MatchResult {
  let open: 'exec' | 'notJudged' | undefined;
  for (const criterion of criteria) {
    const applies = judgeOne(criterion, subject);
    if (applies === criterion.negated) return 'not';
    if (applies === undefined) open ??= criterion.attribute === 'exec' ? 'exec' : 'notJudged';
  }
  return open ?? 'applies';
}

function judgeOne({ attribute, argument }: Criterion, subject: MatchSubject): boolean | undefined {
  switch (attribute) {
    case 'all':
      return true;
    case 'final':
    case 'canonical':
      return subject.isFinal;
    case 'host':
      return matchesList(argument.toLowerCase(), subject.host.toLowerCase());
    case 'originalhost':
      return matchesList(argument.toLowerCase(), subject.originalHost.toLowerCase());
    case 'user':
      return matchesList(argument, subject.user);
    case 'localuser':
      return matchesList(argument, subject.localUser);
    case 'tagged':
      return matchesList(argument, subject.tag);
    default:
      return undefined;
  }
}

function matchesList(list: string, text: string): boolean {
  return matchPatterns(list.split(','), text) === 'match';
}

function isOneOf<T extends string>(list: readonly T[], word: string): word is T {
  return (list as readonly string[]).includes(word);
}
