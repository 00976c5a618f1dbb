/**
 * What the fake systemd holds of a unit since its last daemon-reload: the fragment, the drop-ins in load
 * order and the few settings that matter here. Never looks at the disk again after loading, except to say
 * whether the disk is newer (kubelet.md 4.2, 4.6).
 */
import { toByteText } from '../../src/core/bytes.js';
import type { UnitSourceFile } from '../../src/systemd/sources.js';
import type { FakeFiles } from './fake-files.js';
import { compareBytes } from './fake-paths.js';

const UNIT_DIRECTORIES = ['/etc/systemd/system', '/run/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system'];

export interface EnvironmentFileLine {
  readonly path: string;
  readonly mayBeMissing: boolean;
}

export interface LoadedUnit {
  readonly unit: string;
  readonly loadState: 'loaded' | 'not-found' | 'masked';
  readonly fragment?: UnitSourceFile & { readonly modifiedAt: number };
  readonly dropIns: readonly UnitSourceFile[];
  /** The newest mtime among the drop-ins; systemd keeps only this one. */
  readonly dropInsModifiedAt: number;
  readonly environmentFiles: readonly EnvironmentFileLine[];
  /** Last value of a key: `Service.Restart`. */
  setting(key: string): string | undefined;
  /** Every value of a key since its last empty assignment, as written. */
  settings(key: string): readonly string[];
}

export function loadUnit(files: FakeFiles, unit: string): LoadedUnit {
  const path = UNIT_DIRECTORIES.map((directory) => `${directory}/${unit}`).find((candidate) => files.stat(candidate) !== undefined);
  if (path === undefined) return emptyUnit(unit, 'not-found');
  const inode = files.stat(path);
  if (inode === undefined || inode.kind !== 'file') return emptyUnit(unit, 'masked');
  const fragment = { path, text: toByteText(inode.bytes), modifiedAt: inode.modifiedAt };
  const dropInPaths = findDropIns(files, unit);
  const dropIns = dropInPaths.map((dropIn) => ({ path: dropIn, text: toByteText(files.read(dropIn) ?? new Uint8Array()) }));
  const assignments = [fragment, ...dropIns].flatMap((source) => readAssignments(source.text));
  return {
    unit,
    loadState: 'loaded',
    fragment,
    dropIns,
    dropInsModifiedAt: Math.max(0, ...dropInPaths.map((dropIn) => files.stat(dropIn)?.modifiedAt ?? 0)),
    environmentFiles: environmentFileLines(assignments),
    setting: (key) => valuesOf(assignments, key).at(-1),
    settings: (key) => valuesOf(assignments, key),
  };
}

/** `NeedDaemonReload`: systemd compares the list of drop-ins and whether an mtime grew; it reads no content. */
export function needsReload(files: FakeFiles, loaded: LoadedUnit): boolean {
  if (loaded.fragment === undefined) return loadUnit(files, loaded.unit).loadState !== loaded.loadState;
  const fragment = files.stat(loaded.fragment.path);
  if (fragment === undefined || fragment.modifiedAt > loaded.fragment.modifiedAt) return true;
  const onDisk = findDropIns(files, loaded.unit);
  if (onDisk.join('\n') !== loaded.dropIns.map((dropIn) => dropIn.path).join('\n')) return true;
  return onDisk.some((path) => (files.stat(path)?.modifiedAt ?? 0) > loaded.dropInsModifiedAt);
}

/** By name over all directories; of one name the first directory wins; a link to /dev/null stays listed, empty. */
function findDropIns(files: FakeFiles, unit: string): string[] {
  const winners = new Map<string, string>();
  for (const folder of [`${unit}.d`, 'service.d']) {
    for (const directory of UNIT_DIRECTORIES) {
      for (const name of files.list(`${directory}/${folder}`)) {
        const path = `${directory}/${folder}/${name}`;
        const kind = files.stat(path)?.kind;
        if (name.endsWith('.conf') && !winners.has(name) && (kind === 'file' || kind === 'device')) winners.set(name, path);
      }
    }
  }
  return [...winners].sort(([a], [b]) => compareBytes(a, b)).map(([, path]) => path);
}

interface Assignment {
  readonly key: string;
  readonly value: string;
}

function readAssignments(text: string): Assignment[] {
  const assignments: Assignment[] = [];
  let section = '';
  const logical = text.replace(/^\u00ef\u00bb\u00bf/, '').replace(/\\\r?\n/g, ' ');
  for (const line of logical.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue;
    const header = /^\[(.+)\]$/.exec(trimmed);
    if (header?.[1] !== undefined) section = header[1];
    else if (section !== '' && trimmed.includes('=')) {
      const cut = trimmed.indexOf('=');
      assignments.push({ key: `${section}.${trimmed.slice(0, cut).trim()}`, value: trimmed.slice(cut + 1).trim() });
    }
  }
  return assignments;
}

function valuesOf(assignments: readonly Assignment[], key: string): string[] {
  const values = assignments.filter((assignment) => assignment.key === key).map((assignment) => assignment.value);
  return values.slice(values.lastIndexOf('') + 1);
}

function environmentFileLines(assignments: readonly Assignment[]): EnvironmentFileLine[] {
  return valuesOf(assignments, 'Service.EnvironmentFile')
    .map((value) => ({ path: value.replace(/^-/, ''), mayBeMissing: value.startsWith('-') }))
    .filter((line) => line.path.startsWith('/'));
}

function emptyUnit(unit: string, loadState: 'not-found' | 'masked'): LoadedUnit {
  return { unit, loadState, dropIns: [], dropInsModifiedAt: 0, environmentFiles: [], setting: () => undefined, settings: () => [] };
}
