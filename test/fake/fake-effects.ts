/**
 * Performs effects on a fake node in the order of refusals of the host protocol: whose turn it is, whether the guard
 * of the run stands for this way, then the act itself. Effects are atomic here: nothing can come between the looks at
 * lock and guard and the act. Never leaves a temporary file.
 */
import type { Effect, EffectResult, Way } from '../../src/core/effect.js';
import { applyEdit, orFileError, restoreFile } from './fake-edits.js';
import { armGuard, bootUnitPaths, disarmGuard, guardState, removeBootUnit, type GuardParts } from './fake-guard.js';
import { beat, breakLock, giveLockBack, type LockParts, markTouched, refuseVisit, removeOldTombstones, SUPERSEDED, takeLock, TOUCHED } from './fake-lock.js';
import { STATE_DIRECTORY } from './fake-paths.js';
import type { CommandResult } from './fake-systemd.js';
import { removeTree } from './fake-trees.js';
import { claimPlace } from './fake-visits.js';

export { copyPath } from './fake-edits.js';
export { STATE_DIRECTORY } from './fake-paths.js';

export type EffectParts = GuardParts & LockParts;

/** `visit`: the number of the visit that asks for it. */
export function performEffect(parts: EffectParts, effect: Effect, visit: number): EffectResult {
  parts.systemd.settle();
  beat(parts, visit);
  switch (effect.do) {
    case 'lock':
      return takeLock(parts, effect.holder, visit);
    case 'unlock':
      return giveLockBack(parts, effect.run, visit);
    case 'breakLock':
      return breakLock(parts, effect.session, visit);
    default:
      return refuseVisit(parts, effect.run, visit) ?? refuseByGuard(parts, effect) ?? act(parts, effect, visit);
  }
}

/** What needs the lock of its run. */
type LockedEffect = Exclude<Effect, { do: 'lock' | 'unlock' | 'breakLock' }>;

function act(parts: EffectParts, effect: LockedEffect, visit: number): EffectResult {
  const { files, systemd } = parts;
  const takesPlace = effect.do !== 'disarm' && effect.do !== 'clean';
  if (takesPlace && !claimPlace(parts.visits, effect.run, visit)) return SUPERSEDED;
  switch (effect.do) {
    case 'edit':
      return orFileError(() => applyEdit(files, effect.run, effect.edit, () => markTouched(files)));
    case 'restore':
      return orFileError(() => restoreFile(files, effect.run, effect, effect.foreign, () => void orFileError(() => markedTouched(files))));
    case 'arm':
      return armGuard(parts, effect.run, effect.order);
    case 'disarm':
      return disarmGuard(parts, effect.run, TOUCHED);
    case 'clean':
      return clean(parts, effect.run);
    case 'daemonReload':
      return ran(parts, () => systemd.daemonReload());
    case 'resetFailed':
      return ran(parts, () => systemd.resetFailed(effect.unit));
    case 'restart':
      return ran(parts, () => systemd.restart(effect.unit));
  }
}

/** What fails of that does not stop a restore. */
function markedTouched(files: EffectParts['files']): EffectResult {
  markTouched(files);
  return { ok: true, happened: 'now' };
}

function refuseByGuard({ files }: EffectParts, effect: LockedEffect): EffectResult | undefined {
  if (effect.do === 'arm' || effect.do === 'disarm') return undefined;
  const state = guardState(files, effect.run);
  const way: Way | 'clean' = effect.do === 'clean' ? 'clean' : effect.do === 'restore' ? 'back' : effect.way;
  const mayGo = {
    guarded: state === 'armed',
    unguarded: state !== 'firing' && state !== 'fired',
    back: state !== 'firing',
    clean: state !== 'armed' && state !== 'firing',
  }[way];
  return mayGo ? undefined : { ok: false, effect: 'none', reason: 'guardFired', detail: `the guard of this run is ${state === 'none' ? 'not armed' : state}` };
}

function clean(parts: EffectParts, run: string): EffectResult {
  const { files } = parts;
  const store = `${STATE_DIRECTORY}/${run}`;
  const { unit, link } = bootUnitPaths(run);
  const isClean = files.list(store).length === 0 && files.lstat(unit) === undefined && files.lstat(link) === undefined;
  return orFileError(() => {
    removeBootUnit(files, run);
    removeTree(files, store);
    removeOldTombstones(parts);
    return { ok: true, happened: isClean ? 'already' : 'now' };
  });
}

function ran(parts: EffectParts, command: () => CommandResult): EffectResult {
  if (parts.capability.systemd === undefined) return { ok: false, effect: 'none', reason: 'missingTool', detail: 'systemctl not found' };
  const { exit, text } = command();
  if (exit === 0) return { ok: true, happened: 'now' };
  return { ok: false, effect: 'unknown', reason: 'exit', detail: text, exit };
}
