/**
 * The files that decide a service's command line, read from a node, and what systemd would make of
 * them. Pure: yields questions. Never trusts that systemd has loaded what is on disk: it says whether it has.
 */
import { toByteText } from '../core/bytes.js';
import type { AnswerTo, FileAnswer, Query, Questions, UnitAnswer } from '../core/query.js';
import { ask } from '../core/query.js';
import { environmentFilesOf, predictCommandLine } from './index.js';
import type { Prediction, UnitSourceFile, UnitSources } from './sources.js';

export type PresentFile = Extract<FileAnswer, { exists: true }>;

export type PredictedService =
  | { readonly ok: false; readonly reason: string }
  | {
      readonly ok: true;
      readonly unit: UnitAnswer;
      readonly sources: UnitSources;
      readonly prediction: Prediction;
      /** NeedDaemonReload: systemd holds something else than the disk. */
      readonly reloadNeeded: boolean;
      /** Every file that was read, by the path it was asked for. */
      readonly files: ReadonlyMap<string, PresentFile>;
    };

export function* predictService(unitName: string): Questions<PredictedService> {
  const [unit] = yield* ask({ ask: 'unit', unit: unitName } as const);
  if (!unit.ok) return { ok: false, reason: unit.detail };
  return yield* predictUnit(unitName, unit.value);
}

/** The same for a caller that has asked for the unit already. */
export function* predictUnit(unitName: string, unit: UnitAnswer): Questions<PredictedService> {
  const fragmentPath = unit.properties['FragmentPath'] ?? '';
  if (fragmentPath === '') return { ok: false, reason: `${unitName} has no unit file` };
  const dropInPaths = (unit.properties['DropInPaths'] ?? '').split(' ').filter((path) => path !== '');
  const files = new Map<string, PresentFile>();
  const unread = yield* readFiles([fragmentPath, ...dropInPaths], files);
  if (unread !== undefined) return { ok: false, reason: unread };
  const fragment = sourceFile(fragmentPath, files);
  if (fragment === undefined) return { ok: false, reason: `${fragmentPath} is gone` };
  // A drop-in that is masked with /dev/null or was removed counts as empty.
  const dropIns = dropInPaths.map((path) => sourceFile(path, files) ?? { path, text: '' });
  const wanted = environmentFilesOf(fragment, dropIns, unitName).map((file) => file.path);
  const unreadEnvironment = yield* readFiles(wanted, files);
  if (unreadEnvironment !== undefined) return { ok: false, reason: unreadEnvironment };
  const environmentFiles = new Map(wanted.map((path) => [path, sourceFile(path, files)?.text]));
  const sources: UnitSources = { unit: unitName, fragment, dropIns, environmentFiles };
  return {
    ok: true, unit, sources, files,
    prediction: predictCommandLine(sources),
    reloadNeeded: unit.properties['NeedDaemonReload'] === 'yes',
  };
}

/** Reads files into `into`; missing ones are left out. Returns why when one could not be read. */
function* readFiles(paths: readonly string[], into: Map<string, PresentFile>): Questions<string | undefined> {
  if (paths.length === 0) return undefined;
  const queries = paths.map((path): Extract<Query, { ask: 'file' }> => ({ ask: 'file', path }));
  const answers = yield* askFiles(queries);
  for (const [index, answer] of answers.entries()) {
    const path = paths[index] ?? '';
    if (!answer.ok) return `${path} could not be read: ${answer.detail}`;
    if (answer.value.exists) into.set(path, answer.value);
  }
  return undefined;
}

function* askFiles(queries: readonly Extract<Query, { ask: 'file' }>[]): Questions<AnswerTo<{ ask: 'file'; path: string }>[]> {
  const answers = yield queries;
  return answers.filter((answer) => answer.ask === 'file');
}

function sourceFile(path: string, files: ReadonlyMap<string, PresentFile>): UnitSourceFile | undefined {
  const file = files.get(path);
  return file === undefined ? undefined : { path, text: toByteText(file.bytes) };
}
