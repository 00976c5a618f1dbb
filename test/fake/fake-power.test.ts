/** A fake node that loses its power keeps its files, loses all that ran, and comes back as another life of the same node. */
import { expect, test } from 'vitest';
import type { Answer } from '../../src/core/query.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import { eksAl2, jsonConfig } from './layouts.js';
import { editOf, openVisit, restoreOf, writeOf } from './open-visit.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

const EDIT = writeOf(eksAl2.configPath, jsonConfig(), jsonConfig({ streamingConnectionIdleTimeout: '4h' }));

function stage(started = true): { readonly node: FakeNode; readonly clock: VirtualClock } {
  const clock = createVirtualClock();
  return { clock, node: createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' }, started }) };
}

const unitOf = (node: FakeNode): Extract<Answer, { ask: 'unit'; ok: true }>['value'] => {
  const answer = node.ask({ ask: 'unit', unit: node.unit });
  if (!answer.ok || answer.ask !== 'unit') throw new Error('no unit');
  return answer.value;
};

test('without power it answers nobody and runs nothing', () => {
  const { node, clock } = stage();
  node.powerCut();
  clock.advance(3_600_000);
  expect(node.life).toBeUndefined();
  expect(() => node.ask({ ask: 'capability' })).toThrow('has no power');
  expect(() => openVisit(node, 'run-1')).toThrow('has no power');
  expect(node.systemd.processes()).toEqual([]);
});

test('a boot starts the unit from what is on the disk, with a new boot id, a new life of the unit and a short uptime', () => {
  const { node, clock } = stage();
  const before = unitOf(node);
  const capability = node.ask({ ask: 'capability' });
  openVisit(node, 'run-1').perform(editOf('run-1', EDIT));
  node.powerCut(30_000);
  clock.advance(40_000);
  const after = unitOf(node);
  expect(node.life).toBe(2);
  expect(after.properties).toMatchObject({ ActiveState: 'active', NRestarts: '0', NeedDaemonReload: 'no' });
  expect(after.properties['InvocationID']).not.toBe(before.properties['InvocationID']);
  expect(after.monotonicUs).toBe(30_000_000);
  expect(after.process?.startedAt).toBe(clock.now().getTime() / 1000 - 10);
  expect(node.systemd.service(node.unit).log.join()).toContain('4h0m0s');
  expect(node.ask({ ask: 'capability' })).not.toEqual(capability);
});

test('the lock and the saved copies outlive it, and the same run takes both up again', () => {
  const { node } = stage();
  openVisit(node, 'run-1').perform(editOf('run-1', EDIT));
  node.boot();
  expect(node.ask({ ask: 'lock' })).toMatchObject({ value: { held: true, run: 'run-1', touched: true } });
  expect(openVisit(node, 'run-1').perform(restoreOf('run-1', EDIT))).toEqual({ ok: true, happened: 'now' });
});

test('a unit that is not enabled stays down, and one that somebody stopped comes up', () => {
  const off = stage(false).node;
  off.boot();
  expect(unitOf(off).properties['ActiveState']).toBe('inactive');
  const { node } = stage();
  node.systemd.stop(node.unit);
  node.boot();
  expect(unitOf(node).properties['ActiveState']).toBe('active');
});
