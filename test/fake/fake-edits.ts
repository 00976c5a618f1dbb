/**
 * Edits and restores on the in-memory files the way the host protocol promises them (design.md 5): refuse on
 * drift, save the old file once, write beside the target and rename, restore with mode, owner, mtime and the
 * mtime of the directory when nobody else changed that. Each is atomic here, so no visit can be overtaken inside.
 * Never leaves a temporary file, never overwrites a saved copy, never asks who may do it.
 */
import { digestOf, fromBase64, type Digest } from '../../src/core/bytes.js';
import type { Edit, EffectResult, Restore } from '../../src/core/effect.js';
import { FakeFileError, type FakeFiles, type FakeInode, type FileErrorCode } from './fake-files.js';
import { parentOf, STATE_DIRECTORY } from './fake-paths.js';
import { makeDirectories } from './fake-trees.js';

/** `onTouch` is called right before the change. */
export function applyEdit(files: FakeFiles, run: string, edit: Edit, onTouch: () => void): EffectResult {
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
  onTouch();
  if (edit.do === 'remove') files.remove(edit.path);
  else replaceFile(files, edit.path, fromBase64(edit.content), files.stat(edit.path));
  keepDirectoryTime(files, run, edit, directoryTime);
  const after = digestAt(files, edit.path);
  if (after !== wanted) return { ok: false, effect: 'unknown', reason: 'exit', detail: `${edit.path}: reads back as ${after}` };
  return { ok: true, happened: 'now' };
}

/** `onTouch` is called right before a change. */
export function restoreFile(files: FakeFiles, run: string, { edit, earlier }: Restore, foreign: 'refuse' | 'save', onTouch: () => void): EffectResult {
  const now = digestAt(files, edit.path);
  const after = edit.do === 'write' ? edit.after : 'absent';
  const copy = files.stat(copyPath(run, edit));
  if (now === edit.before) return putRight(files, edit.path, copy, onTouch);
  const isForeign = now !== after;
  if (isForeign && earlier.includes(now)) return { ok: true, happened: 'already' };
  if (isForeign && (foreign === 'refuse' || now === NOT_REGULAR)) return drift(edit.path, after, now);
  if (edit.before === 'absent' && !isTouched(files, run, edit)) {
    return { ok: false, effect: 'none', reason: 'missingCopy', detail: `this run did not create ${edit.path}` };
  }
  if (edit.before !== 'absent' && (copy === undefined || digestOf(copy.bytes) !== edit.before)) {
    return { ok: false, effect: 'none', reason: 'missingCopy', detail: `${copyPath(run, edit)}: no saved copy with the digest from before` };
  }
  const kept = isForeign && now !== 'absent' ? keepForeign(files, run, edit.path) : undefined;
  onTouch();
  if (copy === undefined || edit.before === 'absent') {
    withDirectoryTime(files, run, edit, () => files.remove(edit.path));
    files.remove(markPath(run, edit));
  } else {
    withDirectoryTime(files, run, edit, () => replaceFile(files, edit.path, copy.bytes, copy));
    putRight(files, edit.path, copy, onTouch);
  }
  return { ok: true, happened: 'now', ...(kept === undefined ? {} : { detail: `what was there is kept as ${kept}` }) };
}

/** What another hand wrote, beside the copies; never over an existing one. */
function keepForeign(files: FakeFiles, run: string, path: string): string {
  const inode = files.stat(path);
  const kept = keptPath(run, path, digestOf(inode?.bytes ?? new Uint8Array()));
  if (inode !== undefined) copyTo(files, inode, kept);
  return kept;
}

/** The content is the old one: mode, owner and time too. */
function putRight(files: FakeFiles, path: string, copy: FakeInode | undefined, onTouch: () => void): EffectResult {
  const inode = files.stat(path);
  if (copy === undefined || inode === undefined) return { ok: true, happened: 'already' };
  const { mode, uid, gid, modifiedAt } = copy;
  const isRight = inode.mode === mode && inode.uid === uid && inode.gid === gid && Math.floor(inode.modifiedAt) === Math.floor(modifiedAt);
  if (!isRight) onTouch();
  Object.assign(inode, { mode, uid, gid, modifiedAt });
  return { ok: true, happened: isRight ? 'already' : 'now' };
}

/** This run began to change the file, so the new content may be its work. */
function isOurs(files: FakeFiles, run: string, edit: Edit): boolean {
  return edit.before === 'absent' ? isTouched(files, run, edit) : files.stat(copyPath(run, edit)) !== undefined;
}

/** This run began to create the file. */
function isTouched(files: FakeFiles, run: string, edit: Edit): boolean {
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
  return keptPath(run, edit.path, edit.before);
}

function keptPath(run: string, path: string, digest: string): string {
  return `${STATE_DIRECTORY}/${run}/${digestOf(Buffer.from(path))}-${digest}`;
}

function saveCopy(files: FakeFiles, run: string, edit: Edit): void {
  const old = files.stat(edit.path);
  const copy = copyPath(run, edit);
  makeDirectories(files, parentOf(copy));
  if (edit.do === 'write' && edit.before === 'absent') {
    if (files.stat(markPath(run, edit)) !== undefined) files.remove(markPath(run, edit));
    files.create(markPath(run, edit), Buffer.from(edit.after), { mode: 0o600 });
  }
  if (old !== undefined) copyTo(files, old, copy);
}

function copyTo(files: FakeFiles, inode: FakeInode, path: string): void {
  if (files.stat(path) !== undefined) return;
  makeDirectories(files, parentOf(path));
  files.create(path, inode.bytes, { mode: inode.mode, uid: inode.uid, gid: inode.gid });
  const copy = files.stat(path);
  if (copy !== undefined) copy.modifiedAt = inode.modifiedAt;
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

const NOT_REGULAR = 'not a regular file';

/** Of the path itself: an edit names a real path, so a link there is drift, like anything that is no regular file. */
function digestAt(files: FakeFiles, path: string): Digest | 'absent' | typeof NOT_REGULAR {
  const inode = files.lstat(path);
  if (inode === undefined) return 'absent';
  return inode.kind === 'file' ? digestOf(inode.bytes) : NOT_REGULAR;
}

function drift(path: string, expected: string, actual: string): EffectResult {
  return { ok: false, effect: 'none', reason: 'drift', detail: `${path}: expected ${expected}, is ${actual}` };
}

/** Every file error comes before the rename, so nothing was changed. */
export function orFileError(act: () => EffectResult): EffectResult {
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
