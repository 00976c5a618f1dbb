/** An undo, also next week: what it brings back, what it refuses, and what it leaves alone. */
import { beforeAll, describe, expect, it } from 'vitest';
import { FleetmendError } from '../../src/core/failure.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { HostPlan } from '../../src/core/plan.js';
import type { FakeNode } from '../fake/fake-node.js';
import { compliantAl2023, diesWithNewValue, zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import type { NodeSpec } from '../fake/layouts.js';
import { createRig, imageOf, lifeOf, loadRealPlaybook, restartsOf } from './rig.js';
import type { Rig } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const WEEK_MS = 7 * 86_400_000;

async function changed(...specs: NodeSpec[]): Promise<{ rig: Rig; shown: HostPlan[]; images: string[][]; argvs: string[] }> {
  const rig = createRig(specs, { playbook });
  const images = rig.nodes.map((node) => imageOf(node, true));
  const argvs = rig.nodes.map((node) => lifeOf(node).argv);
  const planned = await rig.plan();
  await rig.apply(planned);
  return { rig, shown: planned.flatMap(({ value }) => (value ? [value] : [])), images, argvs };
}

const first = (rig: Rig): FakeNode => {
  const [node] = rig.nodes;
  if (node === undefined) throw new Error('no node');
  return node;
};

describe('an undo', () => {
  it('next week brings back bytes, mode, owner and time, and the process that runs with them', async () => {
    const { rig, shown, images, argvs } = await changed(zeroFlagInDropIn, zeroInJson);
    await rig.ports.clock.sleep(WEEK_MS);
    const results = await rig.controller().undo(shown);
    expect(results).toMatchObject([{ outcome: 'restored' }, { outcome: 'restored' }]);
    expect(results.every(({ failure }) => failure === undefined)).toBe(true);
    expect(rig.nodes.map((node) => imageOf(node, true))).toEqual(images);
    expect(rig.nodes.map((node) => lifeOf(node).argv)).toEqual(argvs);
    expect(rig.nodes.map((node) => lifeOf(node).active)).toEqual(['active/running', 'active/running']);
  });
  it('does not touch hosts that the run did not change', async () => {
    const { rig, shown } = await changed(compliantAl2023, diesWithNewValue);
    const before = rig.nodes.map((node) => [imageOf(node, true), lifeOf(node)]);
    const controller = rig.controller();
    expect(await controller.undo(shown)).toMatchObject([{ outcome: 'compliant' }, { outcome: 'restored' }]);
    expect(controller.connector.operations).toEqual([]);
    expect(rig.nodes.map((node) => [imageOf(node, true), lifeOf(node)])).toEqual(before);
  });
  it('refuses a host one of whose files somebody changed since, before it touches another one', async () => {
    const { rig, shown } = await changed(zeroFlagInDropIn);
    const node = first(rig);
    const edit = shown[0]?.steps.find((step) => step.phase === 'change')?.edit;
    if (edit === undefined) throw new Error('no edit');
    node.files.overwrite(edit.path, 'somebody else was here');
    const before = [imageOf(node, true), lifeOf(node)];
    const [result] = await rig.controller().undo(shown);
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'drift', summary: expect.stringContaining(edit.path) } });
    expect([imageOf(node, true), lifeOf(node)]).toEqual(before);
    expect((await rig.ports.journal.read('run-1')).filter((entry) => entry.type === 'undoAsked')).toEqual([]);
  });
  it('that is forced puts the old file back, and keeps what somebody else wrote', async () => {
    const { rig, shown, images } = await changed(zeroFlagInDropIn);
    const node = first(rig);
    const edit = shown[0]?.steps.find((step) => step.phase === 'change')?.edit;
    if (edit === undefined) throw new Error('no edit');
    node.files.overwrite(edit.path, 'somebody else was here');
    const [result] = await rig.controller().undo(shown, 'save');
    expect(result).toMatchObject({ outcome: 'restored' });
    expect(imageOf(node, true)).toEqual(images[0]);
    const kept = node.files.paths().filter((path) => path.startsWith('/var/lib/fleetmend/run-1/') && Buffer.from(node.files.read(path) ?? []).toString() === 'somebody else was here');
    expect(kept).toHaveLength(1);
  });
  it('refuses a host whose service was given another command line since: its old state could not be proved', async () => {
    const { rig, shown } = await changed(zeroInJson);
    const node = first(rig);
    node.files.seed('/etc/systemd/system/kubelet.service.d/90-more.conf', "[Service]\nEnvironment='KUBELET_EXTRA_ARGS=--v=4'\n");
    node.systemd.daemonReload();
    node.systemd.restart(node.unit);
    expect(lifeOf(node).argv).toContain('--v=4');
    const restarts = node.systemd.counts.restart;
    const [result] = await rig.controller().undo(shown);
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'drift', summary: expect.stringContaining('another command line') } });
    expect(node.systemd.counts.restart).toBe(restarts);
  });
  it('whose first entry cannot be written touches nothing', async () => {
    const { rig, shown } = await changed(zeroInJson);
    const before = [imageOf(first(rig), true), lifeOf(first(rig))];
    const full = { ...rig.ports.journal, append: () => Promise.reject(new FleetmendError({ kind: 'journal', summary: 'disk full' })) };
    const [result] = await rig.controller({}, 'session-2', full).undo(shown);
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'journal', done: 'nothing was touched' } });
    expect([imageOf(first(rig), true), lifeOf(first(rig))]).toEqual(before);
  });
  it('of an undone run has nothing left to do', async () => {
    const { rig, shown } = await changed(zeroInJson);
    await rig.controller().undo(shown);
    const restarts = restartsOf(rig, 'node-1');
    const again = rig.controller();
    expect(await again.undo(shown)).toMatchObject([{ outcome: 'restored' }]);
    expect(again.connector.operations).toEqual([]);
    expect(restartsOf(rig, 'node-1')).toBe(restarts);
  });
});
