/**
 * The config file and the drop-ins that a kubelet command line names: which questions to ask, and what the answers
 * amount to. Walks as Go's WalkDir does (kubelet.md 2.2). Never merges and never judges.
 */
import type { DirectoryAnswer, DirectoryEntry, FileReading, Query } from '../core/query.js';
import type { KubeletCommand } from './command.js';
import { decodeConfig } from './config-file.js';
import { lastFlag } from './flags.js';
import type { Known } from '../core/gather.js';
import { baseName, compareWalk, joinPath, resolveFrom } from '../core/paths.js';
import type { ConfigDirectory, ConfigFile, ConfigFiles, KubeletVersion } from './survey-types.js';

export interface ConfigPaths {
  readonly config?: string;
  readonly directory?: string;
  /** The binary to ask for its version. */
  readonly exe: string;
}

const EXTENSION = '.conf';

/** An empty value is the flag's default: nothing is read. */
export function configPaths(command: KubeletCommand, cwd: string, exe: string): ConfigPaths {
  const config = lastFlag(command.flags, 'config')?.value ?? '';
  const directory = lastFlag(command.flags, 'config-dir')?.value ?? '';
  return {
    exe,
    ...(config === '' ? {} : { config: resolveFrom(cwd, config) }),
    ...(directory === '' ? {} : { directory: resolveFrom(cwd, directory) }),
  };
}

/** What to ask, as far as the answers so far tell. The version only when drop-ins are merged: what zero means there depends on it. */
export function configQueries(paths: ConfigPaths, known: Known): Query[] {
  const queries: Query[] = paths.config === undefined ? [] : [{ ask: 'file', path: paths.config }];
  if (paths.directory === undefined) return queries;
  queries.push({ ask: 'directory', path: paths.directory }, { ask: 'file', path: paths.directory });
  const dropIns = walk(paths.directory, known).paths;
  if (dropIns.length > 0) queries.push({ ask: 'version', exe: paths.exe });
  return [...queries, ...dropIns.map((path): Query => ({ ask: 'file', path }))];
}

/** Call it when all of `configQueries` is answered. */
export function readConfigFiles(paths: ConfigPaths, known: Known): ConfigFiles {
  const version = readVersion(paths.exe, known);
  return {
    ...(paths.config === undefined ? {} : { config: readConfigFile(paths.config, known) }),
    ...(paths.directory === undefined ? {} : { directory: readDirectory(paths.directory, known) }),
    ...(version === undefined ? {} : { version }),
  };
}

function readConfigFile(path: string, known: Known): ConfigFile {
  const file = notTooLarge(known.file(path) ?? { ok: false, ask: 'file', reason: 'failed', detail: 'not asked' });
  if (!file.ok || !file.value.exists) return { path, file };
  const { realPath, kind, bytes } = file.value;
  return { path, realPath, file, ...(kind === 'file' ? { decoded: decodeConfig(bytes) } : {}) };
}

/** Reading YAML costs time that grows faster than the file, and a node may be hostile. Real files have a few KiB. */
const MAX_CONFIG_BYTES = 128 * 1024;
const MAX_DROP_IN_BYTES = 1024 * 1024;
/** Each is a question to the node. */
const MAX_DROP_INS = 1000;

function sumOfBytes(paths: readonly string[], known: Known): number {
  return paths.reduce((sum, path) => {
    const file = known.file(path);
    return sum + (file?.ok === true && file.value.exists ? file.value.bytes.length : 0);
  }, 0);
}

function notTooLarge(file: FileReading): FileReading {
  if (!file.ok || !file.value.exists || file.value.bytes.length <= MAX_CONFIG_BYTES) return file;
  return { ok: false, ask: 'file', reason: 'tooLarge', detail: `larger than ${MAX_CONFIG_BYTES / 1024} KiB` };
}

function readDirectory(path: string, known: Known): ConfigDirectory {
  const { paths, skipped, state, detail } = walk(path, known);
  const self = known.file(path);
  if (sumOfBytes(paths, known) > MAX_DROP_IN_BYTES) {
    return { path, state: 'unread', dropIns: [], skipped, ...(self === undefined ? {} : { self }), detail: `its drop-ins are together larger than ${MAX_DROP_IN_BYTES / 1024} KiB` };
  }
  const dropIns = paths.map((dropIn) => readConfigFile(dropIn, known));
  return { path, state, dropIns, skipped, ...(self === undefined ? {} : { self }), ...(detail === undefined ? {} : { detail }) };
}

interface Walk {
  readonly state: ConfigDirectory['state'];
  readonly detail?: string;
  readonly paths: readonly string[];
  readonly skipped: readonly string[];
}

function walk(path: string, known: Known): Walk {
  const answer = known.get<'directory'>({ ask: 'directory', path });
  if (answer === undefined) return { state: 'unread', paths: [], skipped: [] };
  if (!answer.ok) return { state: 'unread', detail: answer.detail, paths: [], skipped: [] };
  const listing = answer.value;
  if (!listing.exists) return { state: 'missing', paths: [], skipped: [] };
  if (isRootItselfTheFile(path, listing)) {
    // Go's WalkDir then visits that one path, and the kubelet's test of the extension is all that decides.
    const paths = baseName(path).endsWith(EXTENSION) ? [path] : [];
    return { state: listing.isLink ? 'link' : 'notDirectory', paths, skipped: [] };
  }
  const files = listing.entries.filter((entry) => entry.kind !== 'directory').map((entry) => entry.path).sort(compareWalk);
  if (files.filter(isLoaded).length > MAX_DROP_INS) return { state: 'unread', detail: `it holds more than ${MAX_DROP_INS} drop-ins`, paths: [], skipped: [] };
  return {
    state: 'walked',
    paths: files.filter(isLoaded).map((file) => joinPath(path, file)),
    skipped: files.filter((file) => !isLoaded(file)),
  };
}

function isRootItselfTheFile(path: string, listing: Extract<DirectoryAnswer, { exists: true }>): boolean {
  return (listing.isLink && !path.endsWith('/')) || !listing.isDirectory;
}

/** Go's `filepath.Ext`: case sensitive; a hidden `.x.conf` counts, and so does a file called `.conf`. */
function isLoaded(path: DirectoryEntry['path']): boolean {
  return baseName(path).endsWith(EXTENSION);
}

function readVersion(exe: string, known: Known): KubeletVersion | undefined {
  const answer = known.get<'version'>({ ask: 'version', exe });
  if (answer === undefined || !answer.ok) return undefined;
  const text = answer.value.text.trim();
  const minor = /\bv1\.(\d+)\b/.exec(text)?.[1];
  return { text, ...(minor === undefined ? {} : { minor: Number(minor) }) };
}
