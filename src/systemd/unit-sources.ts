/**
 * The unit file, drop-ins and environment files of a service: which questions to ask, and what systemd would start
 * from the answers. Reads what is on disk, not what the manager has loaded. Never changes a thing.
 */
import { toByteText } from '../core/bytes.js';
import type { ByteText } from '../core/bytes.js';
import type { Known } from '../core/gather.js';
import type { FileReading, Query, UnitAnswer } from '../core/query.js';
import { environmentFilesOf, predictCommandLine } from './index.js';
import type { Prediction, UnitSourceFile, UnitSources } from './index.js';
import { dropInDirectories, dropInsOnDisk } from './drop-in-search.js';

export type UnitStart =
  | { readonly ok: true; readonly sources: UnitSources; readonly prediction: Prediction }
  | { readonly ok: false; readonly reason: string };

export function unitFileQueries(unit: string, answer: UnitAnswer, known: Known): Query[] {
  const fragment = answer.properties['FragmentPath'] ?? '';
  if (fragment === '') return [];
  const listings: Query[] = needsReload(answer) ? dropInDirectories(unit).map((path) => ({ ask: 'directory', path })) : [];
  const dropIns = dropInPaths(unit, answer, known);
  const sources = readSources(unit, answer, known);
  const environment = sources.ok ? [...sources.sources.environmentFiles.keys()] : [];
  return [...[fragment, ...dropIns, ...environment].map((path): Query => ({ ask: 'file', path })), ...listings];
}

/** Call it when all of `unitFileQueries` is answered. */
export function readUnitStart(unit: string, answer: UnitAnswer, known: Known): UnitStart {
  return known.conclude(`start of ${unit}`, () => predictStart(unit, answer, known));
}

function predictStart(unit: string, answer: UnitAnswer, known: Known): UnitStart {
  const read = readSources(unit, answer, known);
  if (!read.ok) return read;
  const { sources } = read;
  const prediction = predictCommandLine(sources);
  if (prediction.unbounded !== undefined) return { ok: false, reason: prediction.unbounded };
  for (const path of sources.environmentFiles.keys()) {
    if (/[*?[]/.test(path)) return { ok: false, reason: `EnvironmentFile=${path} is a pattern; the files behind it were not read` };
    const file = known.file(path);
    if (file !== undefined && !file.ok) return { ok: false, reason: `${path} could not be read: ${file.detail}` };
  }
  return { ok: true, sources, prediction };
}

export function unitFilesRead(unit: string, answer: UnitAnswer, known: Known): ReadonlyMap<string, FileReading> {
  const files = new Map<string, FileReading>();
  for (const query of unitFileQueries(unit, answer, known)) {
    const file = query.ask === 'file' ? known.file(query.path) : undefined;
    if (query.ask === 'file' && file !== undefined) files.set(query.path, file);
  }
  return files;
}

export function needsReload(answer: UnitAnswer): boolean {
  return answer.properties['NeedDaemonReload'] === 'yes';
}

function dropInPaths(unit: string, answer: UnitAnswer, known: Known): string[] {
  const loaded = (answer.properties['DropInPaths'] ?? '').split(' ').filter((path) => path !== '');
  return needsReload(answer) ? dropInsOnDisk(unit, loaded, known) : loaded;
}

type SourcesRead = { readonly ok: true; readonly sources: UnitSources } | { readonly ok: false; readonly reason: string };

function readSources(unit: string, answer: UnitAnswer, known: Known): SourcesRead {
  return known.conclude(`sources of ${unit}`, () => collectSources(unit, answer, known));
}

function collectSources(unit: string, answer: UnitAnswer, known: Known): SourcesRead {
  const path = answer.properties['FragmentPath'] ?? '';
  if (path === '') return { ok: false, reason: `${unit} has no unit file` };
  const fragment = readSource(path, known);
  if (typeof fragment === 'string') return { ok: false, reason: fragment };
  const dropIns: UnitSourceFile[] = [];
  for (const dropInPath of dropInPaths(unit, answer, known)) {
    const dropIn = readSource(dropInPath, known);
    if (typeof dropIn === 'string') return { ok: false, reason: dropIn };
    dropIns.push(dropIn);
  }
  const unitBytes = sum([fragment, ...dropIns].map(({ text }) => text.length));
  if (unitBytes > MAX_SUM_BYTES) return tooLarge(unit);
  const lines = sum([fragment, ...dropIns].map(({ text }) => countLines(text)));
  if (lines > MAX_LINES) return { ok: false, reason: `the unit files of ${unit} have together more than ${MAX_LINES} lines` };
  const references = environmentFilesOf(fragment, dropIns, unit);
  if (references.length > MAX_ENVIRONMENT_FILES) return { ok: false, reason: `${unit} names more than ${MAX_ENVIRONMENT_FILES} environment files` };
  const environmentFiles = new Map(references.map((file) => [file.path, environmentText(file.path, known)]));
  for (const [named, text] of environmentFiles) if (text !== undefined && text.length > MAX_SOURCE_BYTES) return { ok: false, reason: largerThanAllowed(named) };
  // A file that is named several times is read as often.
  const environmentBytes = sum(references.map((file) => environmentFiles.get(file.path)?.length ?? 0));
  if (unitBytes + environmentBytes > MAX_SUM_BYTES) return tooLarge(unit);
  return { ok: true, sources: { unit, fragment, dropIns, environmentFiles } };
}

/** Not there, not read yet or not readable: the last is for the caller of all this to see. */
function environmentText(path: string, known: Known): ByteText | undefined {
  const file = known.file(path);
  return file?.ok === true && file.value.exists ? toByteText(file.value.bytes) : undefined;
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

function countLines(text: ByteText): number {
  let lines = 1;
  for (const _end of text.matchAll(/[\n\r\0]/g)) {
    lines += 1;
    if (lines > MAX_LINES) break;
  }
  return lines;
}

function tooLarge(unit: string): SourcesRead {
  return { ok: false, reason: `the unit files and environment files of ${unit} are together larger than ${MAX_SUM_BYTES / 1024} KiB` };
}

function largerThanAllowed(path: string): string {
  return `${path} is larger than ${MAX_SOURCE_BYTES / 1024} KiB`;
}

/** Parsing costs time, and a node may be hostile. Real files have a few KiB. */
const MAX_SOURCE_BYTES = 128 * 1024;
const MAX_SUM_BYTES = 1024 * 1024;
/** A line costs more than its bytes. Real units have some hundred. */
const MAX_LINES = 20_000;
/** Each is a question to the node. */
const MAX_ENVIRONMENT_FILES = 100;

/** A file that is gone, or a link to /dev/null (a mask), counts as empty, as it does for systemd (kubelet.md 4.1). */
function readSource(path: string, known: Known): UnitSourceFile | string {
  const file = known.file(path);
  if (file === undefined) return `${path} was not read`;
  if (!file.ok) return `${path} could not be read: ${file.detail}`;
  if (file.value.exists && file.value.bytes.length > MAX_SOURCE_BYTES) return largerThanAllowed(path);
  return { path, text: file.value.exists ? toByteText(file.value.bytes) : '' };
}
