/** Whole trees and small text files of a fake node, for what fleetmend keeps there. Never follows a link out of a tree. */
import type { FakeFiles } from './fake-files.js';
import { joinPath, parentOf } from './fake-paths.js';

/** As `mkdir -p -m 0700`. */
export function makeDirectories(files: FakeFiles, path: string): void {
  if (files.stat(path) !== undefined) return;
  makeDirectories(files, parentOf(path));
  files.mkdir(path, 0o700);
}

/** As `rm -rf`: what is not there is no error. */
export function removeTree(files: FakeFiles, path: string): void {
  const inode = files.lstat(path);
  if (inode === undefined) return;
  if (inode.kind === 'directory') for (const name of files.list(path)) removeTree(files, joinPath(path, name));
  files.remove(path);
}

/** A directory of plain files gets another name. */
export function moveDirectory(files: FakeFiles, from: string, to: string): void {
  files.mkdir(to, files.stat(from)?.mode ?? 0o700);
  for (const name of files.list(from)) files.rename(joinPath(from, name), joinPath(to, name));
  files.remove(from);
}

/** The whole content at once or not at all, as by a temporary file and a rename. */
export function putText(files: FakeFiles, path: string, text: string): void {
  const temporary = `${path}.part`;
  files.create(temporary, Buffer.from(text), { mode: 0o600 });
  files.rename(temporary, path);
}

export function textAt(files: FakeFiles, path: string): string | undefined {
  const bytes = files.read(path);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

export function isThere(files: FakeFiles, path: string): boolean {
  return files.stat(path) !== undefined;
}

export function removeFile(files: FakeFiles, path: string): void {
  if (files.lstat(path) !== undefined) files.remove(path);
}
