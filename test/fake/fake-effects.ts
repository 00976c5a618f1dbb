/**
 * Performs effects on the in-memory files the way the host protocol promises to (design.md 5): refuse on
 * drift, save the old file once, write beside the target and rename, restore with mode, owner, mtime and the
 * mtime of the directory when nobody else changed that. Effects are atomic here, so no visit can be overtaken.
 * Never leaves a temporary file, never overwrites a saved copy.
 */
import { digestOf, fromBase64, type Digest } from '../../src/core/bytes.js';
import type { Edit, Effect, EffectResult } from '../../src/core/effect.js';
import { FakeFileError, type FakeFiles, type FakeInode, type FileErrorCode } from './fake-files.js';
import { parentOf } from './fake-paths.js';
import type { CommandResult, FakeSystemd } from './fake-systemd.js';

export const STATE_DIRECTORY = '/var/lib/fleetmend';

export interface EffectParts {
  readonly files: FakeFiles;
  readonly systemd: FakeSystemd;
  /** Absent: this node has no systemd. */
  readonly hasSystemd: boolean;
}

export function performEffect(parts: EffectParts, effect: Effect): EffectResult {
  parts.systemd.settle();
  switch (effect.do) {
    case 'edit':
      return guarded(() => applyEdit(parts.files, effect.run, effect.edit));
    case 'restore':
      return guarded(() => restoreFile(parts.files, effect.run, effect.edit));
    case 'daemonReload':
      return ran(parts, () => parts.systemd.daemonReload());
    case 'resetFailed':
      return ran(parts, () => parts.systemd.resetFailed(effect.unit));
    case 'restart':
      return ran(parts, () => parts.systemd.restart(effect.unit));
  }
}

function ran(parts: EffectParts, command: () => CommandResult): EffectResult {
  if (!parts.hasSystemd) return { ok: false, effect: 'none', reason: 'missingTool', detail: 'systemctl not found' };
  const { exit, text } = command();
  if (exit === 0) return { ok: true, happened: 'now' };
  return { ok: false, effect: 'unknown', reason: 'exit', detail: text, exit };
}

function applyEdit(files: FakeFiles, run: string, edit: Edit): EffectResult {
  const now = digestAt(files, edit.path);
  const wanted = edit.do === 'write' ? edit.after : 'absent';
  if (now === wanted && isOurs(files, run, edit)) return { ok: true, happened: 'already' };
  if (now !== edit.before) return drift(edit.path, edit.before, now);
  if (edit.do === 'write' && digestOf(fromBase64(edit.content)) !== edit.after) {
    return { ok: false, effect: 'none', reason: 'exit', detail: `${edit.path}: the content does not have the digest it claims` };
  }
  const directory = files.stat(parentOf(edit.path));
  if (directory?.kind !== 'directory') return drift(edit.path, 'a directory above it', 'none');
  const directoryTime = directory.modifiedAt;
  saveCopy(files, run, edit);
  if (edit.do === 'remove') files.remove(edit.path);
  else replaceFile(files, edit.path, fromBase64(edit.content), files.stat(edit.path));
  keepDirectoryTime(files, run, edit, directoryTime);
  const after = digestAt(files, edit.path);
  if (after !== wanted) return { ok: false, effect: 'unknown', reason: 'exit', detail: `${edit.path}: reads back as ${after}` };
  return { ok: true, happened: 'now' };
}

function restoreFile(files: FakeFiles, run: string, edit: Edit): EffectResult {
  const now = digestAt(files, edit.path);
  const after = edit.do === 'write' ? edit.after : 'absent';
  const copy = files.stat(copyPath(run, edit));
  if (now === edit.before) return putRight(files, edit.path, copy);
  if (now !== after) return drift(edit.path, after, now);
  if (edit.before === 'absent') {
    if (!isOurs(files, run, edit)) return { ok: false, effect: 'none', reason: 'missingCopy', detail: `this run did not create ${edit.path}` };
    withDirectoryTime(files, run, edit, () => files.remove(edit.path));
    files.remove(markPath(run, edit));
    return { ok: true, happened: 'now' };
  }
  if (copy === undefined || digestOf(copy.bytes) !== edit.before) {
    return { ok: false, effect: 'none', reason: 'missingCopy', detail: `${copyPath(run, edit)}: no saved copy with the digest from before` };
  }
  withDirectoryTime(files, run, edit, () => replaceFile(files, edit.path, copy.bytes, copy));
  putRight(files, edit.path, copy);
  return { ok: true, happened: 'now' };
}

/** The content is the old one: mode, owner and time too. */
function putRight(files: FakeFiles, path: string, copy: FakeInode | undefined): EffectResult {
  const inode = files.stat(path);
  if (copy === undefined || inode === undefined) return { ok: true, happened: 'already' };
  const { mode, uid, gid, modifiedAt } = copy;
  const isRight = inode.mode === mode && inode.uid === uid && inode.gid === gid && Math.floor(inode.modifiedAt) === Math.floor(modifiedAt);
  Object.assign(inode, { mode, uid, gid, modifiedAt });
  return { ok: true, happened: isRight ? 'already' : 'now' };
}

/** This run began to change the file, so the new content may be its work. */
function isOurs(files: FakeFiles, run: string, edit: Edit): boolean {
  if (edit.before !== 'absent') return files.stat(copyPath(run, edit)) !== undefined;
  const mark = files.read(markPath(run, edit));
  return mark !== undefined && edit.do === 'write' && Buffer.from(mark).toString() === edit.after;
}

/** Says of a file that this run created what it became. */
function markPath(run: string, edit: Edit): string {
  return `${copyPath(run, edit)}.meta`;
}

function keepDirectoryTime(files: FakeFiles, run: string, edit: Edit, before: number): void {
  const after = files.stat(parentOf(edit.path))?.modifiedAt ?? 0;
  files.seed(`${copyPath(run, edit)}.dir`, { content: String(after), modifiedAt: before });
}

function withDirectoryTime(files: FakeFiles, run: string, edit: Edit, act: () => void): void {
  const kept = files.stat(`${copyPath(run, edit)}.dir`);
  const directory = files.stat(parentOf(edit.path));
  const isCalm = kept !== undefined && Number(Buffer.from(kept.bytes).toString()) === directory?.modifiedAt;
  act();
  if (isCalm) Object.assign(directory ?? {}, { modifiedAt: kept.modifiedAt });
}

/** Where the old file of this run is kept. Two edits of one file in one run have two copies. */
export function copyPath(run: string, edit: Edit): string {
  return `${STATE_DIRECTORY}/${run}/${digestOf(Buffer.from(edit.path))}-${edit.before}`;
}

function saveCopy(files: FakeFiles, run: string, edit: Edit): void {
  const old = files.stat(edit.path);
  const copy = copyPath(run, edit);
  makeDirectories(files, parentOf(copy));
  if (edit.do === 'write' && edit.before === 'absent') {
    if (files.stat(markPath(run, edit)) !== undefined) files.remove(markPath(run, edit));
    files.create(markPath(run, edit), Buffer.from(edit.after), { mode: 0o600 });
  }
  if (old === undefined || files.stat(copy) !== undefined) return;
  files.create(copy, old.bytes, { mode: old.mode, uid: old.uid, gid: old.gid });
  const saved = files.stat(copy);
  if (saved !== undefined) saved.modifiedAt = old.modifiedAt;
}

function makeDirectories(files: FakeFiles, path: string): void {
  if (files.stat(path) !== undefined) return;
  makeDirectories(files, parentOf(path));
  files.mkdir(path, 0o700);
}

function replaceFile(files: FakeFiles, path: string, bytes: Uint8Array, like: { mode: number; uid: number; gid: number } | undefined): void {
  const temporary = `${path}.fleetmend-new`;
  files.create(temporary, bytes, like === undefined ? { mode: 0o644 } : { mode: like.mode, uid: like.uid, gid: like.gid });
  try {
    files.rename(temporary, path);
  } catch (error) {
    files.remove(temporary);
    throw error;
  }
}

/** Of the path itself: an edit names a real path, so a link there is drift, like anything that is no regular file. */
function digestAt(files: FakeFiles, path: string): Digest | 'absent' | 'not a regular file' {
  const inode = files.lstat(path);
  if (inode === undefined) return 'absent';
  return inode.kind === 'file' ? digestOf(inode.bytes) : 'not a regular file';
}

function drift(path: string, expected: string, actual: string): EffectResult {
  return { ok: false, effect: 'none', reason: 'drift', detail: `${path}: expected ${expected}, is ${actual}` };
}

/** Every file error comes before the rename, so nothing was changed. */
function guarded(act: () => EffectResult): EffectResult {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof FakeFileError)) throw error;
    return { ok: false, effect: 'none', reason: REASONS[error.code], detail: `${error.path}: ${error.code}` };
  }
}

const REASONS: Readonly<Record<FileErrorCode, 'readOnly' | 'immutable' | 'noSpace' | 'exit'>> = {
  EROFS: 'readOnly', EPERM: 'immutable', ENOSPC: 'noSpace', EBUSY: 'readOnly', ENOENT: 'exit', EEXIST: 'exit', ENOTDIR: 'exit', EISDIR: 'exit',
};
