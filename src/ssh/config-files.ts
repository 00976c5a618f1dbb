/**
 * Reads the ssh_config files of the person who runs fleetmend, with all that they include: the I/O of src/ssh-config.
 * Never runs anything, never writes.
 */
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasWildcard, matchGlob, parseGlob } from '../core/glob.js';
import { badInput, quoteText } from '../core/input-error.js';
import type { ConfigScope, IncludePattern, LoadedConfig, ParsedConfig, Place } from '../ssh-config/index.js';
import { expandTilde, includesOf, readConfigText } from '../ssh-config/index.js';
import { findHome } from './home-of.js';
import { readSmallFile, reasonUnread } from './read-small-file.js';

export interface ConfigFilesOptions {
  /** Absolute: `~`, and the home of .ssh. */
  readonly home: string;
  /** Only this file, as `ssh -F` does; it must exist. Absent: .ssh/config, then that of the system, where they exist. */
  readonly file?: string;
  /** Absent: /etc/ssh/ssh_config; its directory is where its relative includes are. */
  readonly systemFile?: string;
  /** Absent: that of this process. */
  readonly uid?: number;
}

/** OpenSSH's own limit. */
const MAX_DEPTH = 16;
const SYSTEM_FILE = '/etc/ssh/ssh_config';

/** In the order in which they count. Throws badInput for a file that cannot be read, that others may write, or that has errors. */
export async function loadConfigFiles(options: ConfigFilesOptions): Promise<readonly LoadedConfig[]> {
  const load = (file: string, scope: ConfigScope, isOwn: boolean): Promise<LoadedConfig | undefined> => loadFile(options, { file, scope, isOwn, depth: 0 });
  if (options.file !== undefined) {
    const named = await load(options.file, 'user', false);
    if (named === undefined) throw badInput([{ file: options.file, path: '', expected: 'a file that exists' }]);
    return [named];
  }
  const user = await load(join(options.home, '.ssh', 'config'), 'user', true);
  const system = await load(options.systemFile ?? SYSTEM_FILE, 'system', false);
  return [user, system].filter((one) => one !== undefined);
}

interface Wanted {
  readonly file: string;
  readonly scope: ConfigScope;
  /** Nobody but root and this user may write it. */
  readonly isOwn: boolean;
  readonly depth: number;
  readonly from?: Place;
}

/** Undefined: there is no such file. A directory counts as an empty file, as it does for OpenSSH. */
async function loadFile(options: ConfigFilesOptions, wanted: Wanted): Promise<LoadedConfig | undefined> {
  const { file, scope, isOwn, depth, from } = wanted;
  const refuse = (expected: string, got?: string): Error =>
    badInput([{ ...(from ?? { file }), path: from === undefined ? '' : `Include ${file}`, expected, ...(got === undefined ? {} : { got }) }]);
  if (depth > MAX_DEPTH) throw refuse(`at most ${MAX_DEPTH} files that include one another`);
  let text = '';
  try {
    const stats = await stat(file);
    if (isOwn && !isSafe(stats, options.uid)) throw refuse('a file that nobody but its owner and root may write', `mode ${(stats.mode & 0o777).toString(8)}, owner ${stats.uid}`);
    if (!stats.isDirectory() && !stats.isFile()) throw refuse('a regular file');
    if (!stats.isDirectory()) text = await readSmallFile(file);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT') return undefined;
    throw refuse('a file that can be read', reasonUnread(error));
  }
  const parsed = readConfigText(file, text, scope);
  return { ...parsed, included: await loadIncluded(options, parsed, depth) };
}

async function loadIncluded(options: ConfigFilesOptions, parsed: ParsedConfig, depth: number): Promise<ReadonlyMap<number, readonly LoadedConfig[]>> {
  const included = new Map<number, readonly LoadedConfig[]>();
  for (const { place, patterns } of includesOf(parsed)) {
    const files: LoadedConfig[] = [];
    for (const pattern of patterns) {
      for (const file of await findFiles(anchor(options, parsed.scope, { place, patterns: [pattern] }))) {
        const loaded = await loadFile(options, { file, scope: parsed.scope, isOwn: true, depth: depth + 1, from: place });
        if (loaded !== undefined) files.push(loaded);
      }
    }
    included.set(place.line, files);
  }
  return included;
}

/** A relative pattern of a user's file stands in ~/.ssh, wherever the file is; one of the system's file beside it. */
function anchor(options: ConfigFilesOptions, scope: ConfigScope, { place, patterns }: IncludePattern): string {
  const [pattern = ''] = patterns;
  if (pattern.startsWith('/')) return pattern;
  if (!pattern.startsWith('~')) return join(scope === 'user' ? join(options.home, '.ssh') : dirname(options.systemFile ?? SYSTEM_FILE), pattern);
  const expanded = expandTilde(pattern, options.home, findHome);
  if (expanded.ok) return expanded.text;
  throw badInput([{ ...place, path: 'Include', expected: expanded.expected, got: quoteText(pattern) }]);
}

/** Absolute paths that match, sorted by their bytes; none where nothing does. A `*` takes no dot at the beginning of a name. */
async function findFiles(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    const parsed = parseGlob(part);
    if (!parsed.ok || !hasWildcard(parsed.glob)) {
      found = found.map((directory) => join(directory, part));
      continue;
    }
    const matches = await Promise.all(found.map(async (directory) => {
      const names = await readdir(directory).catch(() => []);
      return names.filter((name) => matchGlob(parsed.glob, name) && (!name.startsWith('.') || part.startsWith('.'))).map((name) => join(directory, name));
    }));
    found = matches.flat();
  }
  return found.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** As OpenSSH of Debian: a group may write where it is the user's own, private one. */
function isSafe(stats: { readonly uid: number; readonly gid: number; readonly mode: number }, uid = process.getuid?.() ?? 0): boolean {
  const isPrivateGroup = stats.gid === uid && stats.uid === uid;
  return (stats.uid === 0 || stats.uid === uid) && (stats.mode & 0o002) === 0 && ((stats.mode & 0o020) === 0 || isPrivateGroup);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
