/** How the disk differs from a running kubelet and from what systemd has loaded. Compares only times and words of the node itself. */
import type { FileReading, ProcessFacts, UnitAnswer } from '../core/query.js';
import type { KubeletCommand } from './command.js';
import type { ConfigFiles, NextStart } from './survey-types.js';
import { matchesWord } from '../systemd/matches-word.js';
import { needsReload } from '../systemd/unit-sources.js';

export interface Drift {
  readonly drift: readonly string[];
  readonly staleConfig: readonly string[];
  readonly staleUnitFiles: readonly string[];
}

interface Seen {
  readonly unit: string;
  readonly answer: UnitAnswer;
  readonly process: ProcessFacts;
  readonly command: KubeletCommand;
  readonly files: ConfigFiles;
  readonly next: NextStart;
  readonly unitFiles: ReadonlyMap<string, FileReading>;
}

/**
 * A process's start is known to the second only (the kernel's boot time is whole seconds), and provisioning writes
 * files right before the start: a file counts as changed later only beyond that second.
 */
const START_UNCERTAINTY_S = 1;
const WORDS_SHOWN = 6;
/** Of words that are not equal; real command lines differ in a few. */
const MAX_COMPARISONS = 10_000;

export function findDrift(seen: Seen): Drift {
  const { unit, answer, process, files, unitFiles } = seen;
  const staleConfig = configReadings(files).filter(([, file]) => changedSince(file, process)).map(([path]) => path);
  const staleUnitFiles = [...unitFiles].filter(([, file]) => changedSince(file, process)).map(([path]) => path);
  return {
    staleConfig,
    staleUnitFiles,
    drift: [
      ...(needsReload(answer) ? [`${unit} was changed on disk and systemd has not reloaded it (NeedDaemonReload=yes)`] : []),
      ...commandLineDrift(seen),
      ...[...staleConfig, ...staleUnitFiles].map((path) => `${path} was changed after the kubelet had started`),
    ],
  };
}

/** A directory whose drop-ins are not loaded does not count. */
function configReadings({ config, directory }: ConfigFiles): (readonly [path: string, file: FileReading])[] {
  const self = directory?.state === 'walked' ? directory.self : undefined;
  return [
    ...[...(config === undefined ? [] : [config]), ...(directory?.dropIns ?? [])].map(({ path, file }) => [path, file] as const),
    ...(directory === undefined || self === undefined ? [] : [[directory.path, self] as const]),
  ];
}

function changedSince(file: FileReading, process: ProcessFacts): boolean {
  return file.ok && file.value.exists && file.value.modifiedAt > process.startedAt + START_UNCERTAINTY_S;
}

function commandLineDrift({ command, next }: Seen): string[] {
  if (!next.predicted || next.command === undefined) return [];
  const [now, then] = [command.argv, next.command.argv];
  if (now.length === then.length && now.every((word, index) => matchesWord(word, then[index] ?? ''))) return [];
  const lost = withoutThose(now, then, matchesWord);
  const added = withoutThose(then, now, (word, other) => matchesWord(other, word));
  if (lost.length === 0 && added.length === 0) return ['the next start would use the same words in another order'];
  const changes = [...(added.length > 0 ? [`with ${shown(added)}`] : []), ...(lost.length > 0 ? [`without ${shown(lost)}`] : [])];
  return [`the next start would use another command line: ${changes.join(', ')}`];
}

function withoutThose(words: readonly string[], others: readonly string[], isSame: (word: string, other: string) => boolean): string[] {
  const gone = withoutEqual(words, others);
  const left = withoutEqual(others, words);
  // Only to say it more nicely, and a node may be hostile: that they differ is known already.
  if (gone.length * left.length > MAX_COMPARISONS) return gone;
  return gone.filter((word) => {
    const index = left.findIndex((other) => isSame(word, other));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
}

/** Each word of `others` takes one equal word away. */
function withoutEqual(words: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const other of others) counts.set(other, (counts.get(other) ?? 0) + 1);
  return words.filter((word) => {
    const count = counts.get(word) ?? 0;
    counts.set(word, count - 1);
    return count <= 0;
  });
}

function shown(words: readonly string[]): string {
  const text = words.slice(0, WORDS_SHOWN).map((word) => (word === '' ? "''" : word)).join(' ');
  return words.length > WORDS_SHOWN ? `${text} and ${words.length - WORDS_SHOWN} more words` : text;
}
