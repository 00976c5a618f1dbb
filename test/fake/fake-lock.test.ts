/** A fake node has one holder at a time, shows it to whoever asks, and lets go of it only by the rules. */
import { describe, expect, test } from 'vitest';
import type { LockAnswer } from '../../src/core/query.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { STATE_DIRECTORY } from './fake-paths.js';
import { eksAl2 } from './layouts.js';
import { armOf, editOf, holderOf, openVisit, restoreOf, writeOf } from './open-visit.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

const PATH = '/etc/fleet.conf';
const EDIT = writeOf(PATH, 'old', 'new');
const NOT_LOCKED = { ok: false, effect: 'none', reason: 'notLocked' };
const SUPERSEDED = { ok: false, effect: 'none', reason: 'superseded' };
const STALE_MS = 60_001;

function stage(): { readonly node: FakeNode; readonly clock: VirtualClock } {
  const clock = createVirtualClock();
  return { clock, node: createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' }, files: { [PATH]: 'old' } }) };
}

function lockOf(node: FakeNode): LockAnswer {
  const answer = node.ask({ ask: 'lock' });
  if (!answer.ok || answer.ask !== 'lock') throw new Error('no answer');
  return answer.value;
}

describe('the lock', () => {
  test('shows its holder, since when, and the last sign of life', () => {
    const { node, clock } = stage();
    expect(lockOf(node)).toEqual({ held: false });
    const visit = openVisit(node, 'run-1');
    clock.advance(40_000);
    visit.ask({ ask: 'capability' });
    clock.advance(2_000);
    expect(lockOf(node)).toEqual({
      held: true, run: 'run-1', who: 'run-1@laptop', session: 'session-of-run-1', staleAfterMs: 60_000, heldForMs: 42_000, silentForMs: 2_000, touched: false, guard: 'none',
    });
  });

  test('is not kept alive by a reading visit, nor by a visit that does not hold it', () => {
    const { node, clock } = stage();
    openVisit(node, 'run-1');
    const other = openVisit(node, 'run-2', { lock: false });
    clock.advance(5_000);
    node.ask({ ask: 'capability' });
    other.ask({ ask: 'capability' });
    other.perform(editOf('run-2', EDIT));
    expect(lockOf(node)).toMatchObject({ silentForMs: 5_000 });
  });

  test('is already there for the visit that took it, and is free when it was given back', () => {
    const { node } = stage();
    const visit = openVisit(node, 'run-1');
    expect(visit.perform({ do: 'lock', holder: holderOf('run-1') })).toEqual({ ok: true, happened: 'already' });
    expect(visit.perform({ do: 'unlock', run: 'run-2' })).toEqual({ ok: true, happened: 'already' });
    expect(visit.perform({ do: 'unlock', run: 'run-1' })).toEqual({ ok: true, happened: 'now' });
    expect(visit.perform({ do: 'unlock', run: 'run-1' })).toEqual({ ok: true, happened: 'already' });
    expect(lockOf(node)).toEqual({ held: false });
    expect(visit.perform(editOf('run-1', EDIT))).toMatchObject(NOT_LOCKED);
  });

  test('is needed for every act, of its own run', () => {
    const { node } = stage();
    const visit = openVisit(node, 'run-1', { lock: false });
    const unit = node.unit;
    for (const run of ['run-1', 'run-2']) {
      for (const effect of [
        editOf(run, EDIT), restoreOf(run, EDIT), armOf(run, unit, []), { do: 'disarm', run }, { do: 'clean', run },
        { do: 'daemonReload', run, way: 'unguarded', timeoutMs: 1 }, { do: 'restart', run, way: 'back', unit, timeoutMs: 1 }, { do: 'resetFailed', run, way: 'back', unit, timeoutMs: 1 },
      ] as const) expect(visit.perform(effect), effect.do).toMatchObject(NOT_LOCKED);
      // In the second round the lock is another run's.
      visit.perform({ do: 'lock', holder: holderOf('run-1') });
    }
    expect(node.systemd.counts).toEqual({ daemonReload: 0, restart: 0, resetFailed: 0 });
  });

  test('of a maker who came no further than the directory has no name and is stale after five minutes', () => {
    const { node, clock } = stage();
    node.files.seed(`${STATE_DIRECTORY}/lock`, { directory: true });
    clock.advance(300_000);
    expect(lockOf(node)).toMatchObject({ run: '', who: '', session: '', staleAfterMs: 300_000, silentForMs: 300_000, guard: 'none' });
    expect(() => openVisit(node, 'run-1')).toThrow('locked');
    clock.advance(1);
    openVisit(node, 'run-1');
    expect(lockOf(node)).toMatchObject({ run: 'run-1' });
  });

  test('that finds no room on the disk leaves nothing behind', () => {
    const { node } = stage();
    node.files.setFreeBytes('/var', 0);
    expect(openVisit(node, 'run-1', { lock: false }).perform({ do: 'lock', holder: holderOf('run-1') })).toMatchObject({ ok: false, effect: 'none', reason: 'noSpace' });
    expect(lockOf(node)).toEqual({ held: false });
  });
});

describe('a later visit of the same run', () => {
  test('takes the lock over, and the earlier one changes nothing any more', () => {
    const { node } = stage();
    const first = openVisit(node, 'run-1', { session: 'first' });
    first.perform(editOf('run-1', EDIT));
    const second = openVisit(node, 'run-1', { session: 'second' });
    expect(lockOf(node)).toMatchObject({ session: 'second', touched: true });
    expect(first.perform(restoreOf('run-1', EDIT))).toMatchObject(SUPERSEDED);
    expect(first.perform({ do: 'lock', holder: holderOf('run-1', 'first') })).toMatchObject(SUPERSEDED);
    expect(second.perform(restoreOf('run-1', EDIT))).toEqual({ ok: true, happened: 'now' });
  });

  test('that only came and did not ask for the lock takes nothing away', () => {
    const { node } = stage();
    const first = openVisit(node, 'run-1');
    const second = openVisit(node, 'run-1', { lock: false });
    expect(second.perform(editOf('run-1', EDIT))).toMatchObject(NOT_LOCKED);
    expect(first.perform(editOf('run-1', EDIT))).toMatchObject({ ok: true });
  });
});

describe('another run', () => {
  const lock = { do: 'lock', holder: holderOf('run-2') } as const;

  test('is refused while the holder lives, and told whom to ask', () => {
    const { node, clock } = stage();
    openVisit(node, 'run-1');
    clock.advance(60_000);
    expect(openVisit(node, 'run-2', { lock: false }).perform(lock)).toEqual({ ok: false, effect: 'none', reason: 'locked', detail: 'run run-1 of run-1@laptop, silent for 60 s' });
    expect(lockOf(node)).toMatchObject({ run: 'run-1' });
  });

  test('that is refused leaves nothing on the node', () => {
    const { node } = stage();
    openVisit(node, 'run-1');
    expect(() => openVisit(node, 'run-2')).toThrow('locked');
    expect(node.files.list(STATE_DIRECTORY)).toEqual(['lock', 'run-1']);
  });

  test('takes a stale lock of a run that touched nothing, and that run does not hold it any more', () => {
    const { node, clock } = stage();
    const first = openVisit(node, 'run-1');
    clock.advance(STALE_MS);
    openVisit(node, 'run-2');
    expect(lockOf(node)).toMatchObject({ run: 'run-2' });
    expect(node.files.list(STATE_DIRECTORY)).toContain('broken-session-of-run-1');
    expect(first.perform(editOf('run-1', EDIT))).toMatchObject(NOT_LOCKED);
  });

  test('does not get a stale lock whose tombstone somebody else has just made, but does when that one comes no further', () => {
    const { node, clock } = stage();
    openVisit(node, 'run-1');
    clock.advance(STALE_MS);
    node.files.seed(`${STATE_DIRECTORY}/broken-session-of-run-1`, { directory: true });
    expect(() => openVisit(node, 'run-2')).toThrow('locked');
    clock.advance(60_000);
    expect(() => openVisit(node, 'run-2')).toThrow('locked');
    clock.advance(1);
    openVisit(node, 'run-2');
    expect(lockOf(node)).toMatchObject({ run: 'run-2' });
  });

  test('is shown no name that is none, and a person breaks such a lock without one', () => {
    const { node } = stage();
    openVisit(node, 'run-1');
    node.files.overwrite(`${STATE_DIRECTORY}/lock/holder`, '../etc\na b\nx; reboot\n60000\n');
    expect(lockOf(node)).toMatchObject({ held: true, run: '', who: '', session: '' });
    expect(openVisit(node, 'run-2', { lock: false }).perform({ do: 'breakLock', session: '' })).toEqual({ ok: true, happened: 'now' });
    expect(lockOf(node)).toEqual({ held: false });
  });

  test.each([
    ['begun and left in the middle', false, 0, false],
    ['put back by its guard', true, 120_000, true],
    ['left to a guard that still waits', true, STALE_MS, false],
  ])('of a stale lock of what was %s: guarded %s, after %i ms: %s', (_name, guarded, afterMs, isFree) => {
    const { node, clock } = stage();
    const first = openVisit(node, 'run-1');
    if (guarded) first.perform(armOf('run-1', node.unit, [EDIT], 90_000));
    expect(first.perform(editOf('run-1', EDIT, guarded ? 'guarded' : 'unguarded'))).toMatchObject({ ok: true });
    clock.advance(Math.max(afterMs, STALE_MS));
    const result = openVisit(node, 'run-2', { lock: false }).perform(lock);
    expect(result.ok).toBe(isFree);
  });

  test('does not get the lock of one whose guard is armed, although nothing was touched', () => {
    const { node, clock } = stage();
    openVisit(node, 'run-1').perform(armOf('run-1', node.unit, [EDIT], 90_000));
    clock.advance(STALE_MS);
    expect(lockOf(node)).toMatchObject({ touched: false, guard: 'armed' });
    expect(() => openVisit(node, 'run-2')).toThrow('locked');
  });

  test('does not get the lock of one whose guard has failed', () => {
    const { node, clock } = stage();
    const first = openVisit(node, 'run-1');
    first.perform(armOf('run-1', node.unit, [EDIT], 30_000));
    first.perform(editOf('run-1', EDIT, 'guarded'));
    node.files.overwrite(PATH, 'by hand');
    clock.advance(120_000);
    expect(lockOf(node)).toMatchObject({ touched: true, guard: 'fired' });
    expect(() => openVisit(node, 'run-2')).toThrow('locked');
  });
});

describe('a person', () => {
  test('breaks the lock of exactly the session that was seen, whatever it left', () => {
    const { node } = stage();
    const first = openVisit(node, 'run-1');
    first.perform(editOf('run-1', EDIT));
    const visit = openVisit(node, 'run-2', { lock: false });
    expect(visit.perform({ do: 'breakLock', session: 'somebody else' })).toMatchObject({ ok: false, effect: 'none', reason: 'locked' });
    expect(visit.perform({ do: 'breakLock', session: 'session-of-run-1' })).toEqual({ ok: true, happened: 'now' });
    expect(visit.perform({ do: 'breakLock', session: 'session-of-run-1' })).toEqual({ ok: true, happened: 'already' });
    expect(first.perform(restoreOf('run-1', EDIT))).toMatchObject(NOT_LOCKED);
  });
});

describe('a clean', () => {
  test('removes what the run kept and old tombstones, and leaves the lock', () => {
    const { node, clock } = stage();
    openVisit(node, 'run-0');
    clock.advance(STALE_MS);
    const visit = openVisit(node, 'run-1');
    visit.perform(editOf('run-1', EDIT));
    clock.advance(86_400_001);
    expect(visit.perform({ do: 'clean', run: 'run-1' })).toEqual({ ok: true, happened: 'now' });
    expect(visit.perform({ do: 'clean', run: 'run-1' })).toEqual({ ok: true, happened: 'already' });
    expect(node.files.list(STATE_DIRECTORY)).toEqual(['lock', 'run-0']);
    expect(visit.perform(restoreOf('run-1', EDIT))).toMatchObject({ ok: false, reason: 'missingCopy' });
  });
});

test('who is not root can neither see nor take the lock', () => {
  const { node } = stage();
  openVisit(node, 'run-1');
  expect(node.ask({ ask: 'lock' }, { uid: 1000 })).toMatchObject({ ok: false, reason: 'denied' });
  expect(openVisit(node, 'run-1', { lock: false, uid: 1000 }).perform({ do: 'unlock', run: 'run-1' })).toMatchObject({ ok: false, reason: 'denied' });
});
