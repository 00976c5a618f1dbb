/** The guard of a fake node either fires or is disarmed, never both, and what it does it does at the time it was due. */
import { describe, expect, test } from 'vitest';
import type { Edit } from '../../src/core/effect.js';
import type { GuardAnswer } from '../../src/core/query.js';
import { createFakeNode, type FakeNode, type FakeNodeOptions } from './fake-node.js';
import { STATE_DIRECTORY } from './fake-paths.js';
import { eksAl2, jsonConfig } from './layouts.js';
import { armOf, editOf, openVisit, restoreOf, writeOf, type DirectVisit } from './open-visit.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

const RUN = 'run-1';
const PATH = eksAl2.configPath;
const OLD = jsonConfig();
const NEW = jsonConfig({ streamingConnectionIdleTimeout: '4h' });
const EDIT = writeOf(PATH, OLD, NEW);
const FIRED = { ok: false, effect: 'none', reason: 'guardFired' };
const NOW = { ok: true, happened: 'now' };

interface Stage {
  readonly node: FakeNode;
  readonly clock: VirtualClock;
  readonly visit: DirectVisit;
}

function stage(more: Partial<FakeNodeOptions> = {}): Stage {
  const clock = createVirtualClock();
  const node = createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' }, ...more });
  return { clock, node, visit: openVisit(node, RUN) };
}

const invocationOf = (node: FakeNode): string => node.systemd.service(node.unit).invocationId;
const restart = (way: 'guarded' | 'unguarded' | 'back', node: FakeNode) => ({ do: 'restart', run: RUN, way, unit: node.unit, timeoutMs: 1000 }) as const;

/** Armed for a minute, the file changed, the unit restarted on it. */
function changed(more: Partial<FakeNodeOptions> = {}, edits: readonly Edit[] = [EDIT]): Stage {
  const one = stage(more);
  expect(one.visit.perform(armOf(RUN, one.node.unit, edits, 60_000, invocationOf(one.node)))).toEqual(NOW);
  for (const edit of edits) expect(one.visit.perform(editOf(RUN, edit, 'guarded'))).toEqual(NOW);
  one.clock.advance(1_000);
  expect(one.visit.perform(restart('guarded', one.node))).toEqual(NOW);
  return one;
}

function guardOf(node: FakeNode): GuardAnswer {
  const answer = node.ask({ ask: 'guard', run: RUN });
  if (!answer.ok || answer.ask !== 'guard') throw new Error('no answer');
  return answer.value;
}

const text = (node: FakeNode): string => Buffer.from(node.files.read(PATH) ?? []).toString();
const traces = (node: FakeNode): string[] => node.files.paths().filter((path) => path.startsWith('/etc/systemd') && path.includes('fleetmend'));

describe('a guard', () => {
  test('that is not disarmed puts file and service back, and says so', () => {
    const { node, clock } = changed();
    expect(guardOf(node)).toEqual({ state: 'armed', firesInMs: 59_000 });
    expect(traces(node)).toHaveLength(2);
    clock.advance(59_000);
    expect(guardOf(node)).toEqual({ state: 'fired', ok: true, report: `restore ${PATH}: now\ndaemonReload: now\nrestart kubelet.service: now` });
    expect(text(node)).toBe(OLD);
    expect(node.systemd.counts).toMatchObject({ restart: 2, daemonReload: 1 });
    expect(traces(node)).toEqual([]);
  });

  test('that was cut short at its work is started once more when somebody arms again, and ends in the old state', () => {
    const { node, clock, visit } = changed();
    // Its timer is gone.
    visit.perform({ do: 'disarm', run: RUN });
    node.files.rename(`${STATE_DIRECTORY}/${RUN}/guard/disarmed`, `${STATE_DIRECTORY}/${RUN}/guard/fired`);
    clock.advance(3_600_000);
    expect(guardOf(node)).toEqual({ state: 'firing' });
    expect(visit.perform(armOf(RUN, node.unit, [EDIT]))).toMatchObject(FIRED);
    expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true });
    expect(text(node)).toBe(OLD);
  });

  test('has fired at the time it was due, however late somebody looks', () => {
    const { node, clock } = changed();
    const dueMs = node.systemd.service(node.unit).process?.startedAtMs ?? 0;
    const dueAt = clock.now().getTime() / 1000 + 59;
    clock.advance(3_600_000);
    expect(node.files.stat(`${STATE_DIRECTORY}/${RUN}/guard/done`)?.modifiedAt).toBe(dueAt);
    expect(node.systemd.service(node.unit).process?.startedAtMs).toBe(dueMs + 59_000);
  });

  test.each(['a question', 'an effect', 'a look at the files', 'a look at the service manager', 'nothing but time'] as const)('that is due is seen as fired by %s', (how) => {
    const { node, clock, visit } = changed();
    const files = node.files;
    clock.advance(59_000);
    if (how === 'a question') node.ask({ ask: 'capability' });
    if (how === 'an effect') visit.perform({ do: 'unlock', run: RUN });
    if (how === 'a look at the files') void node.files;
    if (how === 'a look at the service manager') node.systemd.settle();
    if (how === 'nothing but time') node.passTime();
    expect(Buffer.from(files.read(PATH) ?? []).toString()).toBe(OLD);
  });

  test('leaves a unit alone that still lives its old life', () => {
    const { node, clock, visit } = stage();
    const before = invocationOf(node);
    visit.perform(armOf(RUN, node.unit, [EDIT], 60_000, before));
    visit.perform(editOf(RUN, EDIT, 'guarded'));
    clock.advance(60_000);
    expect(guardOf(node).report).toContain('restart kubelet.service: not needed');
    expect(invocationOf(node)).toBe(before);
    expect(text(node)).toBe(OLD);
  });

  test('starts a unit again that has run into its start limit', () => {
    const { node, clock } = changed();
    clock.advance(58_000);
    for (let n = 0; n < 6; n += 1) node.systemd.restart(node.unit);
    expect(node.systemd.service(node.unit).activeState).toBe('failed');
    clock.advance(1_000);
    expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true });
    expect(node.systemd.service(node.unit).activeState).toBe('active');
  });

  test('restores every file even when one fails, and then says that it failed', () => {
    const second = writeOf('/etc/other.conf', 'old', 'new');
    const { node, clock } = changed({ files: { '/etc/other.conf': 'old' } }, [EDIT, second]);
    node.files.overwrite('/etc/other.conf', 'by hand');
    clock.advance(60_000);
    expect(guardOf(node)).toMatchObject({ state: 'fired', ok: false });
    expect(guardOf(node).report?.split('\n').map((line) => line.split(' ').slice(0, 4).join(' '))).toEqual([
      'restore /etc/other.conf: failed drift', `restore ${PATH}: now`, 'daemonReload: now', 'restart kubelet.service: now',
    ]);
    expect(text(node)).toBe(OLD);
  });

  test('whose time starts anew when it is armed again fires once, at the later time', () => {
    const { node, clock, visit } = changed();
    clock.advance(30_000);
    expect(visit.perform(armOf(RUN, node.unit, [EDIT], 60_000))).toEqual(NOW);
    clock.advance(59_999);
    expect(guardOf(node)).toEqual({ state: 'armed', firesInMs: 1 });
    clock.advance(1);
    expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true });
  });

  test.each([
    ['the node has no systemd-run', { capability: { tools: ['systemctl'] } }, () => undefined, 'missingTool'],
    ['its disk is full', {}, (node: FakeNode) => node.files.setFreeBytes('/var', 0), 'noSpace'],
    ['its unit directory is read-only', {}, (node: FakeNode) => node.files.mountReadOnly('/etc'), 'readOnly'],
    ['systemd makes no timer', {}, (node: FakeNode) => Object.assign(node.systemd, { refusesTimers: true }), 'exit'],
  ] satisfies [string, Partial<FakeNodeOptions>, (node: FakeNode) => unknown, string][])('is not half armed when %s', (_name, more, hinder, reason) => {
    const { node, clock, visit } = stage(more);
    hinder(node);
    expect(visit.perform(armOf(RUN, node.unit, [EDIT]))).toMatchObject({ ok: false, effect: 'none', reason });
    const { state } = guardOf(node);
    expect(['none', 'disarmed']).toContain(state);
    clock.advance(120_000);
    expect(guardOf(node)).toEqual({ state });
    expect(traces(node)).toEqual([]);
    expect(visit.perform(editOf(RUN, EDIT, 'guarded'))).toMatchObject(FIRED);
  });
});

test('a full disk does not keep the guard from saying that it is through', () => {
  const { node, clock } = changed();
  node.files.setFreeBytes('/var', 0);
  clock.advance(59_000);
  expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true });
});

test('a guard can be fired at once by hand, and one that is not armed does nothing then', () => {
  const { node, visit } = changed();
  node.fireGuard(RUN);
  expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true });
  node.fireGuard('run-2');
  expect(node.ask({ ask: 'guard', run: 'run-2' })).toMatchObject({ value: { state: 'none' } });
  expect(visit.perform({ do: 'disarm', run: RUN })).toMatchObject(FIRED);
});

describe('to disarm', () => {
  test('ends the guard for good and says that the node is not in the middle any more', () => {
    const { node, clock, visit } = changed();
    expect(node.ask({ ask: 'lock' })).toMatchObject({ value: { touched: true, guard: 'armed' } });
    expect(visit.perform({ do: 'disarm', run: RUN })).toEqual(NOW);
    expect(visit.perform({ do: 'disarm', run: RUN })).toEqual({ ok: true, happened: 'already' });
    expect(node.ask({ ask: 'lock' })).toMatchObject({ value: { touched: false, guard: 'disarmed' } });
    clock.advance(3_600_000);
    expect(guardOf(node)).toEqual({ state: 'disarmed' });
    expect(text(node)).toBe(NEW);
    expect(traces(node)).toEqual([]);
  });

  test('comes too late once it has fired, and makes no sense where none was armed', () => {
    const { clock, node } = changed();
    clock.advance(59_000);
    expect(openVisit(node, RUN).perform({ do: 'disarm', run: RUN })).toMatchObject(FIRED);
    expect(stage().visit.perform({ do: 'disarm', run: RUN })).toMatchObject({ ok: false, effect: 'none', reason: 'exit' });
  });
});

describe('what a visit may do by the state of its guard', () => {
  const states = {
    none: () => stage(),
    armed: () => changed(),
    firing: () => {
      const one = changed({ guardTakesMs: 5_000 });
      one.clock.advance(59_000);
      return one;
    },
    fired: () => {
      const one = changed();
      one.clock.advance(59_000);
      return one;
    },
    disarmed: () => {
      const one = changed();
      one.visit.perform({ do: 'disarm', run: RUN });
      return one;
    },
  };
  const acts = {
    'an edit, guarded': () => editOf(RUN, EDIT, 'guarded'),
    'an edit, unguarded': () => editOf(RUN, EDIT),
    'a restart, guarded': (node: FakeNode) => restart('guarded', node),
    'a restart, unguarded': (node: FakeNode) => restart('unguarded', node),
    'a restart, back': (node: FakeNode) => restart('back', node),
    'a restore': () => restoreOf(RUN, EDIT),
    'to arm it': (node: FakeNode) => armOf(RUN, node.unit, [EDIT]),
    'to clean': () => ({ do: 'clean', run: RUN }) as const,
  };
  test.each([
    ['none', ['an edit, unguarded', 'a restart, unguarded', 'a restart, back', 'a restore', 'to arm it', 'to clean']],
    ['armed', ['an edit, guarded', 'an edit, unguarded', 'a restart, guarded', 'a restart, unguarded', 'a restart, back', 'a restore', 'to arm it']],
    ['firing', []],
    ['fired', ['a restart, back', 'a restore', 'to clean']],
    ['disarmed', ['an edit, unguarded', 'a restart, unguarded', 'a restart, back', 'a restore', 'to arm it', 'to clean']],
  ] as const)('%s: %j', (state, allowed) => {
    const done = Object.entries(acts).flatMap(([name, act]) => {
      const { node } = states[state]();
      expect(guardOf(node).state).toBe(state);
      const result = openVisit(node, RUN).perform(act(node));
      if (!result.ok) expect(result, name).toMatchObject(FIRED);
      return result.ok ? [name] : [];
    });
    expect(done).toEqual(allowed);
  });

  test('a guard at work is seen with the files back and the unit not yet, and ends by itself', () => {
    const { node, clock } = states.firing();
    const before = invocationOf(node);
    expect([guardOf(node), text(node)]).toEqual([{ state: 'firing' }, OLD]);
    clock.advance(5_000);
    expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true });
    expect(invocationOf(node)).not.toBe(before);
  });

  test('a visit that was open when the guard fired is told so by its next step forwards', () => {
    const { node, visit } = states.fired();
    expect(visit.perform(editOf(RUN, EDIT, 'guarded'))).toMatchObject(FIRED);
    expect(visit.perform(restart('guarded', node))).toMatchObject(FIRED);
  });

  test('a visit that was open when the guard fired has lost its place to it, and a new one has it', () => {
    const { node, visit } = states.fired();
    expect(visit.perform(restoreOf(RUN, EDIT))).toMatchObject({ ok: false, effect: 'none', reason: 'superseded' });
    expect(openVisit(node, RUN).perform(restoreOf(RUN, EDIT))).toEqual({ ok: true, happened: 'already' });
  });
});

describe('a reboot', () => {
  test.each([
    ['armed', {}, 0],
    ['at work', { guardTakesMs: 5_000 }, 59_000],
  ])('of a node whose guard is %s restores the files before the unit starts', (_name, more, afterMs) => {
    const { node, clock } = changed(more);
    clock.advance(afterMs);
    const [boot, before] = [node.ask({ ask: 'capability' }), invocationOf(node)];
    node.powerCut(30_000);
    clock.advance(60_000);
    expect(guardOf(node)).toMatchObject({ state: 'fired', ok: true, report: expect.stringContaining('restart kubelet.service: not needed') as string });
    expect(text(node)).toBe(OLD);
    expect(node.systemd.service(node.unit).log.join('\n')).toContain('idle-timeout absent'.replace('idle-timeout', 'streamingConnectionIdleTimeout'));
    expect(node.systemd.needsDaemonReload(node.unit)).toBe(false);
    expect(invocationOf(node)).not.toBe(before);
    expect(node.ask({ ask: 'capability' })).not.toEqual(boot);
    expect(traces(node)).toEqual([]);
  });

  test('takes the time of an armed guard away, and nobody knows when it would have fired', () => {
    const { node } = changed();
    node.files.remove('/etc/systemd/system/multi-user.target.wants/fleetmend-boot-run-1.service');
    node.boot();
    expect(guardOf(node)).toEqual({ state: 'armed' });
    expect(text(node)).toBe(NEW);
  });

  test('of a node whose guard is disarmed starts the unit on the new files', () => {
    const { node, visit } = changed();
    visit.perform({ do: 'disarm', run: RUN });
    node.boot();
    expect(text(node)).toBe(NEW);
    expect(node.systemd.service(node.unit).log.join('\n')).toContain('4h0m0s');
  });
});
