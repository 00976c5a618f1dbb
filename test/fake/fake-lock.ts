/**
 * Who holds a fake node: a directory that the first makes, with the holder, its one visit, its last sign of life and
 * whether it has begun to change things. Never looks at another node, and never decides by a visit's age.
 */
import { isRunName } from '../../src/core/run-name.js';
import type { EffectResult, Holder } from '../../src/core/effect.js';
import type { LockAnswer } from '../../src/core/query.js';
import { isPersonName, isSessionName } from '../../src/host/names.js';
import { orFileError } from './fake-edits.js';
import type { FakeFiles } from './fake-files.js';
import { guardState, guardSucceeded, otherArmed } from './fake-guard.js';
import { joinPath, STATE_DIRECTORY } from './fake-paths.js';
import { isThere, makeDirectories, moveDirectory, putText, removeTree, textAt } from './fake-trees.js';
import { claimPlace, isSuperseded, type Visits } from './fake-visits.js';

const LOCK = `${STATE_DIRECTORY}/lock`;
const HOLDER = `${LOCK}/holder`;
const BEAT = `${LOCK}/beat`;
export const TOUCHED = `${LOCK}/touched`;
const STALE_AFTER_MS = 300_000;

export interface LockParts {
  readonly files: FakeFiles;
  readonly visits: Visits;
  readonly nowSeconds: () => number;
}

type HeldLock = Extract<LockAnswer, { held: true }>;

export function lockAnswer({ files, nowSeconds }: Pick<LockParts, 'files' | 'nowSeconds'>): LockAnswer {
  const directory = files.stat(LOCK);
  if (directory === undefined) return { held: false, ...armedBesides(files, '') };
  const holder = files.stat(HOLDER);
  const [run = '', who = '', session = '', staleAfterMs = String(STALE_AFTER_MS), since] = textAt(files, HOLDER)?.split('\n') ?? [];
  const agoMs = (seconds: number): number => Math.max(0, Math.round((nowSeconds() - seconds) * 1000));
  const guard = guardState(files, run);
  return {
    held: true, ...armedBesides(files, run),
    run: isRunName(run) ? run : '', who: isPersonName(who) ? who : '', session: isSessionName(session) ? session : '',
    heldForMs: agoMs(since === undefined ? directory.modifiedAt : Number(since)),
    silentForMs: agoMs((files.stat(BEAT) ?? holder ?? directory).modifiedAt),
    staleAfterMs: Number(staleAfterMs),
    touched: isThere(files, TOUCHED),
    guard,
    ...(guard === 'fired' ? { guardOk: guardSucceeded(files, run) } : {}),
  };
}

function armedBesides(files: FakeFiles, run: string): { readonly armed?: string } {
  const other = otherArmed(files, run);
  return other === undefined ? {} : { armed: other.run };
}

/** The holder's visit shows that it lives: with every request, before and after it. */
export function beat({ files, nowSeconds }: LockParts, visit: number): void {
  const inode = files.stat(visitPath(visit)) === undefined ? undefined : files.stat(BEAT);
  if (inode !== undefined && !files.isReadOnly(BEAT)) inode.modifiedAt = nowSeconds();
}

/** Why this visit may not act for this run; `undefined` when the lock is its own. */
export function refuseVisit({ files, visits }: LockParts, run: string, visit: number): EffectResult | undefined {
  const isHeld = isThere(files, visitPath(visit)) && textAt(files, HOLDER)?.split('\n')[0] === run;
  if (isHeld) return undefined;
  return isSuperseded(visits, run, visit) ? SUPERSEDED : NOT_LOCKED;
}

const NOT_LOCKED: EffectResult = { ok: false, effect: 'none', reason: 'notLocked', detail: 'this visit does not hold the node' };

/** A later visit that asked for the lock, or the guard, has the run's place now. */
export const SUPERSEDED: EffectResult = { ok: false, effect: 'none', reason: 'superseded', detail: 'a later visit of this run has taken its place on this node' };

export function takeLock(parts: LockParts, holder: Holder, visit: number): EffectResult {
  return orFileError(() => {
    const other = otherArmed(parts.files, holder.run);
    if (other !== undefined) return { ok: false, effect: 'none', reason: 'locked', detail: `the guard of run ${other.run} is ${other.state === 'armed' ? 'armed' : 'at work'}` };
    const now = lockAnswer(parts);
    if (now.held && now.run !== holder.run && !mayBreak(parts.files, now)) return locked(now);
    makeDirectories(parts.files, `${STATE_DIRECTORY}/${holder.run}`);
    if (!claimPlace(parts.visits, holder.run, visit)) return SUPERSEDED;
    if (!now.held) return makeLock(parts, holder, visit);
    if (now.run === holder.run) return takeOver(parts, holder, visit);
    return bury(parts, now) ? makeLock(parts, holder, visit) : locked(now);
  });
}

function makeLock(parts: LockParts, holder: Holder, visit: number): EffectResult {
  parts.files.mkdir(LOCK, 0o700);
  try {
    writeHolder(parts, holder, visit);
  } catch (error) {
    removeTree(parts.files, LOCK);
    throw error;
  }
  return { ok: true, happened: 'now' };
}

function takeOver(parts: LockParts, holder: Holder, visit: number): EffectResult {
  if (isThere(parts.files, visitPath(visit))) return { ok: true, happened: 'already' };
  for (const name of parts.files.list(LOCK)) if (name.startsWith('visit-')) parts.files.remove(joinPath(LOCK, name));
  writeHolder(parts, holder, visit);
  return { ok: true, happened: 'now' };
}

function writeHolder({ files, nowSeconds }: LockParts, { run, who, session, staleAfterMs }: Holder, visit: number): void {
  putText(files, HOLDER, [run, who, session, staleAfterMs, Math.floor(nowSeconds()), ''].join('\n'));
  putText(files, BEAT, '');
  putText(files, visitPath(visit), '');
}

/** Silent for too long, and nothing of its run lies in the middle. */
function mayBreak(files: FakeFiles, { run, silentForMs, staleAfterMs, touched, guard }: HeldLock): boolean {
  if (silentForMs <= staleAfterMs) return false;
  return touched ? guardSucceeded(files, run) : guard !== 'armed' && guard !== 'firing';
}

/** Only one can ever win the tombstone of a session; one that is older than the lock may be silent is won anew. */
function bury({ files, nowSeconds }: LockParts, { session, staleAfterMs }: HeldLock): boolean {
  const tombstone = tombstonePath(files, session);
  const old = files.stat(tombstone);
  if (old !== undefined && (nowSeconds() - old.modifiedAt) * 1000 <= staleAfterMs) return false;
  const place = old === undefined ? tombstone : `${tombstone}/again-${Math.floor(old.modifiedAt)}`;
  if (isThere(files, place)) return false;
  files.mkdir(place, 0o700);
  moveDirectory(files, LOCK, `${place}/lock`);
  return true;
}

function tombstonePath(files: FakeFiles, session: string): string {
  return `${STATE_DIRECTORY}/broken-${session === '' ? `none-${Math.floor(files.stat(LOCK)?.modifiedAt ?? 0)}` : session}`;
}

function locked({ run, who, silentForMs }: HeldLock): EffectResult {
  return { ok: false, effect: 'none', reason: 'locked', detail: `run ${run} of ${who}, silent for ${Math.floor(silentForMs / 1000)} s` };
}

export function giveLockBack({ files, nowSeconds }: LockParts, run: string, visit: number): EffectResult {
  const now = lockAnswer({ files, nowSeconds });
  if (!now.held || now.run !== run) return { ok: true, happened: 'already' };
  if (!isThere(files, visitPath(visit))) return NOT_LOCKED;
  return orFileError(() => {
    removeTree(files, LOCK);
    return { ok: true, happened: 'now' };
  });
}

/** A person decided: whatever that run left, but only that session's. The tombstone is for those who just judged it. */
export function breakLock({ files, nowSeconds }: LockParts, session: string, visit: number): EffectResult {
  const now = lockAnswer({ files, nowSeconds });
  if (!now.held) return { ok: true, happened: 'already' };
  if (now.session !== session) return locked(now);
  return orFileError(() => {
    const tombstone = `${STATE_DIRECTORY}/broken-${session === '' ? 'none' : session}`;
    makeDirectories(files, tombstone);
    moveDirectory(files, LOCK, `${tombstone}/lock-${visit}`);
    return { ok: true, happened: 'now' };
  });
}

/** Durably, before the first change. */
export function markTouched(files: FakeFiles): void {
  if (!isThere(files, TOUCHED)) putText(files, TOUCHED, '');
}

const DAY_SECONDS = 86_400;

export function removeOldTombstones({ files, nowSeconds }: LockParts): void {
  for (const name of files.list(STATE_DIRECTORY)) {
    const path = joinPath(STATE_DIRECTORY, name);
    if (name.startsWith('broken-') && (files.stat(path)?.modifiedAt ?? 0) < nowSeconds() - DAY_SECONDS) removeTree(files, path);
  }
}

function visitPath(visit: number): string {
  return `${LOCK}/visit-${visit}`;
}
