/**
 * Which drop-ins systemd would load after a daemon-reload: needed only when the disk has changed since the last one.
 * Same names hide each other, names sort over all directories (kubelet.md 4.2).
 */
import type { Known } from '../core/gather.js';
import { baseName, compareBytes, joinPath, parentPath } from '../core/paths.js';

/** By falling priority. Directories of generators and of the manager itself are known only by what is loaded. */
const ROOTS = ['/etc/systemd/system', '/run/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];
const OWN_ROOTS_FIRST = ['/etc/systemd/system.control', '/run/systemd/system.control', '/run/systemd/transient', '/run/systemd/generator.early'];

/** `a-b.service` also takes `a-.service.d`; every service takes `service.d`. */
function directoryNames(unit: string): string[] {
  const dot = unit.lastIndexOf('.');
  const [stem, type] = [unit.slice(0, dot), unit.slice(dot + 1)];
  const prefixes = [...stem].flatMap((char, index) => (char === '-' && index < stem.length - 1 ? [`${stem.slice(0, index + 1)}.${type}.d`] : []));
  return [`${unit}.d`, ...prefixes.reverse(), `${type}.d`];
}

export function dropInDirectories(unit: string): string[] {
  return directoryNames(unit).flatMap((name) => ROOTS.map((root) => joinPath(root, name)));
}

/** Full paths in load order. A directory that could not be listed falls back to what systemd has loaded from it. */
export function dropInsOnDisk(unit: string, loaded: readonly string[], known: Known): string[] {
  const winners = new Map<string, string>();
  for (const directory of searched(unit, loaded)) {
    for (const path of listed(directory, loaded, known)) {
      if (!winners.has(baseName(path))) winners.set(baseName(path), path);
    }
  }
  return [...winners].sort(([a], [b]) => compareBytes(a, b)).map(([, path]) => path);
}

function searched(unit: string, loaded: readonly string[]): string[] {
  const standard = dropInDirectories(unit);
  const others = [...new Set(loaded.map(parentPath))].filter((directory) => !standard.includes(directory));
  const before = others.filter((directory) => OWN_ROOTS_FIRST.includes(parentPath(directory)));
  return [...before, ...standard, ...others.filter((directory) => !before.includes(directory))];
}

function listed(directory: string, loaded: readonly string[], known: Known): string[] {
  const answer = known.get<'directory'>({ ask: 'directory', path: directory });
  if (answer?.ok !== true) return loaded.filter((path) => parentPath(path) === directory);
  if (!answer.value.exists) return [];
  return answer.value.entries
    .filter((entry) => !entry.path.includes('/') && entry.path.endsWith('.conf') && entry.kind !== 'directory')
    .map((entry) => joinPath(directory, entry.path));
}
