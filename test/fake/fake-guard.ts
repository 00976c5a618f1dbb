/**
 * The dead-man's switch of a run on a fake node, at the level of effects and answers: armed, fired or disarmed by one
 * rename, as on a real node; what it is to do lies on the node as data. Never runs shell text, never waits: a firing
 * happens when the node looks at its clock, with the time at which it was due.
 */
import type { EffectResult, GuardOrder } from '../../src/core/effect.js';
import type { CapabilityAnswer, GuardAnswer, GuardState } from '../../src/core/query.js';
import { orFileError } from './fake-edits.js';
import type { FakeFiles } from './fake-files.js';
import { baseOf, STATE_DIRECTORY } from './fake-paths.js';
import type { FakeSystemd } from './fake-systemd.js';
import { isThere, makeDirectories, putText, removeFile, textAt } from './fake-trees.js';
import type { Visits } from './fake-visits.js';

/** What a timer of this node does next for a run. */
export interface GuardTimer {
  readonly run: string;
  /** Monotonic. */
  readonly atMs: number;
  /** Absent: to be fired. Present: the files are back, these lines say how; the activations are next. */
  readonly restored?: readonly string[];
}

export interface GuardParts {
  readonly files: FakeFiles;
  readonly systemd: FakeSystemd;
  readonly visits: Visits;
  /** By run. Gone when the node goes down. */
  readonly timers: Map<string, GuardTimer>;
  readonly capability: Pick<CapabilityAnswer, 'systemd' | 'tools' | 'bootId'>;
  readonly monotonicMs: () => number;
  readonly nowSeconds: () => number;
  /** From the files being back to the end of the activations. */
  readonly guardTakesMs: number;
}

const UNITS = '/etc/systemd/system';
export const WANTS = `${UNITS}/multi-user.target.wants`;
export const BOOT_UNIT = /^fleetmend-boot-(.+)\.service$/;

export function bootUnitPaths(run: string): { readonly unit: string; readonly link: string } {
  const name = `fleetmend-boot-${run}.service`;
  return { unit: `${UNITS}/${name}`, link: `${WANTS}/${name}` };
}

export function guardPath(run: string, name: GuardFile): string {
  return `${STATE_DIRECTORY}/${run}/guard/${name}`;
}

type GuardFile = 'script' | 'spare' | 'order' | 'settings' | 'armed' | 'fired' | 'disarmed' | 'done';

export function guardState(files: FakeFiles, run: string): GuardState {
  const has = (name: GuardFile): boolean => isThere(files, guardPath(run, name));
  if (run === '' || !isThere(files, `${STATE_DIRECTORY}/${run}/guard`)) return 'none';
  if (has('armed')) return 'armed';
  if (has('fired')) return has('done') ? 'fired' : 'firing';
  return has('disarmed') ? 'disarmed' : 'none';
}

/** The guard has put everything back. */
export function guardSucceeded(files: FakeFiles, run: string): boolean {
  return guardState(files, run) === 'fired' && textAt(files, guardPath(run, 'done'))?.split('\n')[0] === 'ok';
}

export function guardAnswer(parts: Pick<GuardParts, 'files' | 'nowSeconds'> & { readonly capability: Pick<CapabilityAnswer, 'bootId'> }, run: string): GuardAnswer {
  const state = guardState(parts.files, run);
  if (state === 'armed') {
    const { deadline, bootId } = readGuard(parts.files, run).settings;
    const firesInMs = Math.max(0, Math.round((deadline - parts.nowSeconds()) * 1000));
    return { state, ...(bootId === parts.capability.bootId ? { firesInMs } : {}) };
  }
  if (state !== 'fired') return { state };
  const [head, ...report] = (textAt(parts.files, guardPath(run, 'done')) ?? '').split('\n');
  return { state, ok: head === 'ok', report: report.join('\n').trimEnd() };
}

/** A run other than this one whose guard is armed or at work: it may yet change the node. */
export function otherArmed(files: FakeFiles, run: string): { readonly run: string; readonly state: 'armed' | 'firing' } | undefined {
  for (const other of files.list(STATE_DIRECTORY)) {
    const state = other === run || other === 'lock' || other.startsWith('broken-') ? 'none' : guardState(files, other);
    if (state === 'armed' || state === 'firing') return { run: other, state };
  }
  return undefined;
}

interface GuardSettings {
  readonly unit: string;
  /** Seconds since the epoch. */
  readonly deadline: number;
  readonly bootId: string;
}

/** As JSON here; a real node keeps lines. */
export function readGuard(files: FakeFiles, run: string): { readonly order: GuardOrder; readonly settings: GuardSettings } {
  const parse = (name: GuardFile): unknown => JSON.parse(textAt(files, guardPath(run, name)) ?? 'null');
  return { order: parse('order') as GuardOrder, settings: parse('settings') as GuardSettings };
}

const FIRED: EffectResult = { ok: false, effect: 'none', reason: 'guardFired', detail: 'the guard of this run has fired' };

/** Repeatable. When anything of it fails, nothing is left armed. */
export function armGuard(parts: GuardParts, run: string, order: GuardOrder): EffectResult {
  const missing = ['systemd-run', 'systemctl'].find((tool) => !parts.capability.tools.includes(tool));
  if (missing !== undefined || parts.capability.systemd === undefined) {
    return { ok: false, effect: 'none', reason: 'missingTool', detail: missing === undefined ? 'systemd does not run this node' : `${missing} not found` };
  }
  const state = guardState(parts.files, run);
  if (state === 'firing') fireAgain(parts, run);
  if (state === 'firing' || state === 'fired') return FIRED;
  const result = orFileError(() => {
    layOut(parts, run, order);
    return parts.systemd.refusesTimers
      ? { ok: false, effect: 'none', reason: 'exit', detail: 'Failed to start transient timer unit', exit: 1 }
      : { ok: true, happened: 'now' };
  });
  if (result.ok) parts.timers.set(run, { run, atMs: parts.monotonicMs() + order.afterMs });
  else standDown(parts, run);
  return result;
}

/** One that was cut short is started once more; one that is at work is left alone. */
function fireAgain({ timers, systemd, monotonicMs }: GuardParts, run: string): void {
  if (!timers.has(run) && !systemd.refusesTimers) timers.set(run, { run, atMs: monotonicMs() });
}

/** The timer is the caller's: without one, `armed` alone fires at the next boot. */
function layOut({ files, timers, capability, nowSeconds }: GuardParts, run: string, order: GuardOrder): void {
  const unit = order.activations.flatMap((activation) => (activation.do === 'restart' ? activation.unit : []))[0] ?? '';
  const settings: GuardSettings = { unit, deadline: nowSeconds() + order.afterMs / 1000, bootId: capability.bootId };
  makeDirectories(files, `${STATE_DIRECTORY}/${run}/guard`);
  putText(files, guardPath(run, 'script'), '# stands for the guard program\n');
  // A restore needs no content.
  putText(files, guardPath(run, 'order'), JSON.stringify({ ...order, restores: order.restores.map((one) => ({ ...one, edit: { ...one.edit, content: '' } })) }));
  putText(files, guardPath(run, 'spare'), SPARE);
  putText(files, guardPath(run, 'settings'), JSON.stringify(settings));
  const boot = bootUnitPaths(run);
  makeDirectories(files, WANTS);
  putText(files, boot.unit, `[Unit]\nBefore=${unit}\nRequiresMountsFor=${STATE_DIRECTORY}\n[Service]\nType=oneshot\nExecStart=/bin/sh ${guardPath(run, 'script')} boot\n`);
  if (files.lstat(boot.link) === undefined) files.symlink(boot.link, `../${baseOf(boot.unit)}`);
  timers.delete(run);
  if (isThere(files, guardPath(run, 'disarmed'))) files.rename(guardPath(run, 'disarmed'), guardPath(run, 'armed'));
  else if (!isThere(files, guardPath(run, 'armed'))) putText(files, guardPath(run, 'armed'), '');
}

/** Room for the guard's last word when the disk is full. */
const SPARE = ' '.repeat(8192);

/** What is left of a guard that will not fire; what fails of that does not make it less disarmed. */
function standDown({ files, timers }: GuardParts, run: string, more: () => void = () => undefined): void {
  timers.delete(run);
  const disarm = (): void => {
    if (isThere(files, guardPath(run, 'armed'))) files.rename(guardPath(run, 'armed'), guardPath(run, 'disarmed'));
  };
  for (const part of [disarm, () => removeBootUnit(files, run), () => removeFile(files, guardPath(run, 'spare')), more]) {
    orFileError(() => {
      part();
      return { ok: true, happened: 'now' };
    });
  }
}

export function disarmGuard(parts: GuardParts, run: string, touchedPath: string): EffectResult {
  const { files } = parts;
  switch (guardState(files, run)) {
    case 'none':
      return { ok: false, effect: 'none', reason: 'exit', detail: `run ${run} has no guard here` };
    case 'disarmed':
      return { ok: true, happened: 'already' };
    case 'firing':
    case 'fired':
      return FIRED;
    case 'armed':
      return orFileError(() => {
        files.rename(guardPath(run, 'armed'), guardPath(run, 'disarmed'));
        standDown(parts, run, () => removeFile(files, touchedPath));
        return { ok: true, happened: 'now' };
      });
  }
}

export function removeBootUnit(files: FakeFiles, run: string): void {
  const { unit, link } = bootUnitPaths(run);
  removeFile(files, link);
  removeFile(files, unit);
}
