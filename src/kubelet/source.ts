/** Which words of which files put a flag on a kubelet's command line, for the step that takes it away. Changes nothing. */
import { readableText } from '../core/bytes.js';
import type { WordOrigin } from '../systemd/index.js';
import { flagUses } from './flags.js';
import type { NextStart, RunningKubelet, StoppedKubelet } from './survey-types.js';
import { predictedOrigin, unitFilesMoved } from './word-origin.js';

export interface FlagSource {
  /** As given, `0` of `--flag=0` or `--flag 0`. */
  readonly value: string;
  /** Indexes into `prediction.words`: the word with the flag, and its value when that is a word of its own. */
  readonly indexes: readonly number[];
  readonly origin: WordOrigin;
}

export interface FlagSources {
  /** Every occurrence in the predicted command line, in order; the last one counts. */
  readonly occurrences: readonly FlagSource[];
  /** The running command line has the flag and no known file puts it there: why nothing can be done about it here. */
  readonly unknownSource?: string;
  /** The running command line has the flag, but the files have been changed and no longer set it: a restart takes it away. */
  readonly goesAtRestart: boolean;
  /** Files whose text names the flag although it does not reach the command line from there. */
  readonly mentions: readonly string[];
}

export function flagSources(survey: RunningKubelet | StoppedKubelet, flag: string): FlagSources {
  const { next } = survey;
  const occurrences = predictedUses(next, flag);
  const running = survey.state === 'running' && flagUses(survey.command.flags, flag).length > 0;
  const unexplained = running && occurrences.length === 0;
  const goesAtRestart = unexplained && next.predicted && survey.state === 'running' && unitFilesMoved(survey);
  return {
    occurrences,
    goesAtRestart,
    mentions: mentionsOf(next, flag, occurrences),
    ...(unexplained && !goesAtRestart ? { unknownSource: whyUnexplained(next, flag) } : {}),
  };
}

function predictedUses(next: NextStart, flag: string): FlagSource[] {
  if (!next.predicted || next.command === undefined) return [];
  const { skip, flags } = next.command;
  return flagUses(flags, flag).flatMap((use) => {
    const origin = predictedOrigin(next, use);
    const first = skip + use.at;
    return origin === undefined ? [] : [{ value: use.value, origin, indexes: use.words === 2 ? [first, first + 1] : [first] }];
  });
}

function whyUnexplained(next: NextStart, flag: string): string {
  if (!next.predicted) return `--${flag} is on the running command line; where it comes from is not known: ${next.reason}`;
  if (next.command === undefined) return `--${flag} is on the running command line; the unit files would not start at all: ${next.prediction.wouldNotStart ?? ''}`;
  return `--${flag} is on the running command line, but no unit file, drop-in or environment file of the unit puts it there`;
}

/** A word put together from several places does not tell all of its files, so then no file is called useless. */
function mentionsOf(next: NextStart, flag: string, occurrences: readonly FlagSource[]): string[] {
  if (!next.predicted || occurrences.some(({ origin }) => origin.range === undefined)) return [];
  const spelling = new RegExp(`--${flag.replaceAll(/[-_]/g, '[-_]')}(?![-_\\w])`);
  const { fragment, dropIns, environmentFiles } = next.sources;
  const environment = [...environmentFiles].map(([path, text]) => ({ path, text: text ?? '' }));
  const used = new Set(occurrences.map(({ origin }) => origin.path));
  return [fragment, ...dropIns, ...environment]
    .filter(({ path, text }) => !used.has(path) && spelling.test(readableText(text)))
    .map(({ path }) => `${path} names --${flag}, but it does not reach the kubelet's command line from there`);
}
