/**
 * Every file that has a say in the next start of a service: unit file, drop-ins, environment files, and for a kubelet its
 * config file and config drop-ins. Knows their bytes, not what they mean; leaves none out that could not be read.
 */
import { digestOf } from '../core/bytes.js';
import type { SourceFile } from '../core/check.js';
import { gather, Known } from '../core/gather.js';
import type { FileReading, Query, Questions, UnitAnswer } from '../core/query.js';
import type { PredictedService } from '../systemd/predict-service.js';
import { predictService } from '../systemd/predict-service.js';
import { readCommand } from './command.js';
import { configPaths, configQueries, readConfigFiles } from './config-files.js';
import type { ConfigFiles } from './survey-types.js';
import { workingDirectory } from './working-directory.js';

export type PredictedStart =
  | { readonly ok: false; readonly reason: string }
  | (Extract<PredictedService, { ok: true }> & {
      /** Each real file once, by path. */
      readonly startSources: readonly SourceFile[];
    });

/** What systemd would start for the unit, and all that decides it. Not `ok` when any of it could not be read. */
export function* predictStart(unit: string): Questions<PredictedStart> {
  const service = yield* predictService(unit);
  if (!service.ok) return service;
  const config = yield* askConfig(service.unit, service.prediction.words.map((word) => word.value));
  const { directory } = config;
  if (directory?.state === 'unread') return { ok: false, reason: `${directory.path} could not be listed: ${directory.detail ?? 'no answer'}` };
  const files = new Map<string, FileReading>(service.files);
  for (const { path, file } of [...(config.config === undefined ? [] : [config.config]), ...(directory?.dropIns ?? [])]) files.set(path, file);
  const sources = new Map<string, SourceFile>();
  for (const [path, file] of files) {
    if (!file.ok) return { ok: false, reason: `${path} could not be read: ${file.detail}` };
    const source = sourceOf(path, file);
    sources.set(source.path, source);
  }
  return { ...service, startSources: [...sources.values()].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** Nothing for a service that is no kubelet. */
function* askConfig(answer: UnitAnswer, argv: readonly string[]): Questions<ConfigFiles> {
  const command = readCommand(argv);
  if (command === undefined) return {};
  const paths = configPaths(command, workingDirectory(answer), argv[0] ?? '');
  const known = new Known();
  // The version tells what the files mean, not what is in them.
  yield* gather(known, () => configQueries(paths, known).filter((query: Query) => query.ask !== 'version'));
  return readConfigFiles(paths, known);
}

function sourceOf(path: string, file: Extract<FileReading, { ok: true }>): SourceFile {
  return file.value.exists ? { path: file.value.realPath, digest: digestOf(file.value.bytes) } : { path, digest: 'absent' };
}
