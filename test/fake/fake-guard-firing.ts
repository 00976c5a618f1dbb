/**
 * A guard at work on a fake node: the files first, all of them even when one fails, then the activations, then the
 * word that it is through. Cut short by a power cut anywhere, it begins anew at the next boot. Never asks for a lock.
 */
import type { Activation, EffectResult } from '../../src/core/effect.js';
import { orFileError, restoreFile } from './fake-edits.js';
import { BOOT_UNIT, guardPath, guardState, readGuard, removeBootUnit, WANTS, type GuardParts, type GuardTimer } from './fake-guard.js';
import { isThere, putText, removeFile } from './fake-trees.js';
import { claimPlace, nextVisit } from './fake-visits.js';

/** What is due first by now, if anything is. */
export function dueTimer({ timers, monotonicMs }: Pick<GuardParts, 'timers' | 'monotonicMs'>): GuardTimer | undefined {
  let first: GuardTimer | undefined;
  for (const timer of timers.values()) if (first === undefined || timer.atMs < first.atMs) first = timer;
  return first !== undefined && first.atMs <= monotonicMs() ? first : undefined;
}

/** The clock of `parts` must stand at the time of the timer. */
export function runTimer(parts: GuardParts, timer: GuardTimer): void {
  parts.systemd.settle();
  parts.timers.delete(timer.run);
  const restored = timer.restored ?? (beginFiring(parts, timer.run) ? restoreAll(parts, timer.run) : undefined);
  if (restored === undefined) return;
  if (timer.restored === undefined && parts.guardTakesMs > 0) {
    parts.timers.set(timer.run, { run: timer.run, atMs: timer.atMs + parts.guardTakesMs, restored });
    return;
  }
  finish(parts, timer.run, [...restored, ...activateAll(parts, timer.run, 'timer')]);
}

/** Every boot unit that is still wanted, before any service starts. */
export function fireAtBoot(parts: GuardParts): void {
  for (const name of parts.files.list(WANTS)) {
    const run = BOOT_UNIT.exec(name)?.[1];
    // A link without its unit starts nothing.
    if (run === undefined || !isThere(parts.files, `${WANTS}/${name}`)) continue;
    if (guardState(parts.files, run) === 'fired') removeBootUnit(parts.files, run);
    else if (beginFiring(parts, run)) finish(parts, run, [...restoreAll(parts, run), ...activateAll(parts, run, 'boot')]);
  }
}

/** Whether there is anything to do: it was armed, or an earlier firing was cut short. */
function beginFiring(parts: GuardParts, run: string): boolean {
  const state = guardState(parts.files, run);
  const begun = state === 'firing' || (state === 'armed' && orFileError(() => {
    parts.files.rename(guardPath(run, 'armed'), guardPath(run, 'fired'));
    return { ok: true, happened: 'now' };
  }).ok);
  if (begun) claimPlace(parts.visits, run, nextVisit(parts.visits));
  return begun;
}

function restoreAll({ files }: GuardParts, run: string): string[] {
  return readGuard(files, run).order.restores.map((restore) => `restore ${restore.edit.path}: ${wordsOf(orFileError(() => restoreFile(files, run, restore, 'refuse', () => undefined)))}`);
}

function activateAll(parts: GuardParts, run: string, by: 'timer' | 'boot'): string[] {
  const { order } = readGuard(parts.files, run);
  return order.activations.map((activation) => {
    const name = activation.do === 'restart' ? `restart ${activation.unit}` : activation.do;
    return `${name}: ${activate(parts, activation, by, order.invocationId)}`;
  });
}

function activate({ systemd }: GuardParts, activation: Activation, by: 'timer' | 'boot', invocationId: string | undefined): string {
  if (activation.do === 'daemonReload') return wordsOf(resultOf(systemd.daemonReload()));
  // The unit will start by itself, after us.
  if (by === 'boot') return 'not needed';
  const service = systemd.service(activation.unit);
  if (service.activeState === 'active' && service.invocationId === invocationId) return 'not needed';
  systemd.resetFailed(activation.unit);
  return wordsOf(resultOf(systemd.restart(activation.unit)));
}

function resultOf({ exit, text }: { readonly exit: number; readonly text: string }): EffectResult {
  return exit === 0 ? { ok: true, happened: 'now' } : { ok: false, effect: 'unknown', reason: 'exit', detail: text };
}

function wordsOf(result: EffectResult): string {
  return result.ok ? result.happened : `failed ${result.reason} ${result.detail}`;
}

function finish({ files }: GuardParts, run: string, lines: readonly string[]): void {
  const ok = lines.every((line) => !/: failed [a-zA-Z]+ /.test(line));
  const conclude = (): boolean => orFileError(() => {
    putText(files, guardPath(run, 'done'), [ok ? 'ok' : 'failed', ...lines, ''].join('\n'));
    removeBootUnit(files, run);
    return { ok: true, happened: 'now' };
  }).ok;
  if (conclude()) return;
  // Without room for the word, even in the spare's place, the guard counts as still at work: the next boot does all again.
  orFileError(() => {
    removeFile(files, guardPath(run, 'spare'));
    return { ok: true, happened: 'now' };
  });
  conclude();
}
