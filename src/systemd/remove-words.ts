/**
 * Takes words of the predicted command line out of the files where they were written; every other byte stays.
 * It trusts no edit of its own: each one is predicted again, and refused unless exactly the wanted words are gone.
 */
import type { ByteText } from '../core/bytes.js';
import { parseEnvironmentFile } from './environment-file.js';
import { proposeCuts } from './cuts.js';
import type { Cut } from './cuts.js';
import { predictPlaced } from './predict.js';
import type { PlacedPrediction, PlacedWord } from './predict.js';
import type { RemovalResult, SourceChange, UnitSourceFile, UnitSources } from './sources.js';
import { parseUnitFile } from './unit-file.js';

type Refusal = Extract<RemovalResult, { ok: false }>;

const refuse = (path: string, reason: string): Refusal => ({ ok: false, path, reason });

function textOf(sources: UnitSources, path: string): ByteText | undefined {
  const unitFile = [sources.fragment, ...sources.dropIns].find((file) => file.path === path);
  return unitFile?.text ?? sources.environmentFiles.get(path);
}

function withText(sources: UnitSources, path: string, text: ByteText): UnitSources {
  const replace = (file: UnitSourceFile): UnitSourceFile => (file.path === path ? { path, text } : file);
  const environmentFiles = new Map(sources.environmentFiles);
  if (environmentFiles.has(path)) environmentFiles.set(path, text);
  return { ...sources, fragment: replace(sources.fragment), dropIns: sources.dropIns.map(replace), environmentFiles };
}

function applyCut(text: ByteText, cut: Cut): ByteText {
  let kept = '';
  let at = 0;
  for (const [start, end] of cut) {
    kept += text.slice(at, start);
    at = end;
  }
  return kept + text.slice(at);
}

/** Every assignment of the file in order, unit file or environment file, as far as systemd reads it. */
function assignmentsOf(isUnitFile: boolean, text: ByteText): string[] {
  if (!isUnitFile) return parseEnvironmentFile(text).assignments.map(({ name, value }) => `${name}=${value.text}`);
  return parseUnitFile(text).assignments.map(({ section, key, value }) => `[${section}]${key}=${value.text}`);
}

/** An edit may change one assignment's value; it may not add, lose or alter another. */
function changesOneAssignment(isUnitFile: boolean, before: ByteText, after: ByteText): boolean {
  const old = assignmentsOf(isUnitFile, before);
  const now = assignmentsOf(isUnitFile, after);
  return old.length === now.length && old.filter((line, i) => line !== now[i]).length === 1;
}

function isPrediction(prediction: PlacedPrediction, expected: readonly PlacedWord[]): boolean {
  if (prediction.wouldNotStart !== undefined || prediction.unbounded !== undefined || prediction.words.length !== expected.length) return false;
  return prediction.words.every((word, i) => word.predicted.value === expected[i]?.predicted.value);
}

const placeKey = ({ predicted: { origin } }: PlacedWord): string => `${origin.path}\0${origin.range?.join('-') ?? ''}`;

/** Removes one written word, which may stand for several predicted ones, by the first cut that proves right. */
function removeOne(sources: UnitSources, words: readonly PlacedWord[], target: PlacedWord): UnitSources | Refusal {
  const { path, directive } = target.predicted.origin;
  const text = textOf(sources, path);
  if (text === undefined || target.place === undefined) return refuse(path, `${target.predicted.value} stands in no single place`);
  const key = placeKey(target);
  const rest = words.filter((word) => placeKey(word) !== key);
  const isUnitFile = directive !== 'EnvironmentFile';
  for (const cut of proposeCuts(text, target.place)) {
    const after = applyCut(text, cut);
    const edited = withText(sources, path, after);
    if (changesOneAssignment(isUnitFile, text, after) && isPrediction(predictPlaced(edited), rest)) return edited;
  }
  return refuse(path, `${target.predicted.value} cannot be cut out without changing another word`);
}

function refusalFor(word: PlacedWord, words: readonly PlacedWord[], chosen: ReadonlySet<number>): Refusal | undefined {
  const { value, origin } = word.predicted;
  if (word.place === undefined) {
    const variable = origin.variable === undefined ? '' : ` with \${${origin.variable}}`;
    return refuse(origin.path, `${value} is put together from several places${variable}`);
  }
  const key = placeKey(word);
  const shared = words.some((other, i) => !chosen.has(i) && placeKey(other) === key);
  if (shared) return refuse(origin.path, `${value} is written once and used more than once on the command line`);
  return undefined;
}

function changesBetween(before: UnitSources, after: UnitSources): SourceChange[] {
  const paths = [before.fragment.path, ...before.dropIns.map(({ path }) => path), ...before.environmentFiles.keys()];
  return [...new Set(paths)].flatMap((path) => {
    const old = textOf(before, path);
    const now = textOf(after, path);
    return old === undefined || now === undefined || old === now ? [] : [{ path, before: old, after: now }];
  });
}

/** From the last word to the first, so that an edit never moves a word that is still to be removed. */
function removeAll(sources: UnitSources, words: readonly PlacedWord[], chosen: ReadonlySet<number>): UnitSources | Refusal {
  let edited = sources;
  let left = words.map((_, index) => index);
  for (const index of [...chosen].sort((a, b) => b - a)) {
    const current = predictPlaced(edited).words;
    const target = current[left.indexOf(index)];
    if (target === undefined) continue;
    const result = removeOne(edited, current, target);
    if ('ok' in result) return result;
    edited = result;
    left = left.filter((_, i) => current[i] !== undefined && placeKey(current[i]) !== placeKey(target));
  }
  const expected = words.filter((_, index) => !chosen.has(index));
  if (isPrediction(predictPlaced(edited), expected)) return edited;
  return refuse(sources.fragment.path, 'the edited files do not give the wanted command line');
}

/** Each word costs several predictions, and a node may be hostile. Real command lines say a flag once or twice. */
const MAX_WORDS = 20;

/**
 * Takes the words at these indexes of the predicted command line out of their files, with one blank beside each, or with
 * the whole line of a continued value. A variable that loses its only word keeps an empty value. Refuses, with the file
 * and the reason, rather than change anything else. Indexes count from argv[0], which cannot be removed.
 */
export function removeWords(sources: UnitSources, indexes: readonly number[]): RemovalResult {
  const start = predictPlaced(sources);
  if (start.wouldNotStart !== undefined) return refuse(sources.fragment.path, `the unit would not start: ${start.wouldNotStart}`);
  if (start.commandCount > 1) return refuse(sources.fragment.path, 'the unit has several commands');
  const chosen = new Set(indexes);
  if (chosen.size > MAX_WORDS) return refuse(sources.fragment.path, `${chosen.size} words would have to be taken out; more than ${MAX_WORDS} are left to a person`);
  for (const index of chosen) {
    const word = start.words[index];
    if (word === undefined) return refuse(sources.fragment.path, `the command line has no word ${index}`);
    if (index === 0) return refuse(word.predicted.origin.path, 'the name of the program cannot be removed');
    const refusal = refusalFor(word, start.words, chosen);
    if (refusal !== undefined) return refusal;
  }
  const edited = removeAll(sources, start.words, chosen);
  if ('ok' in edited) return edited;
  return { ok: true, changes: changesBetween(sources, edited) };
}
