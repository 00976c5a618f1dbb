/** Between a plan and its apply time goes by: each kind of thing that can move is seen by name, and such a host is not touched. */
import { beforeAll, describe, expect, it } from 'vitest';
import { movedFailure } from '../../src/core/moved.js';
import type { Observed } from '../../src/core/observed.js';
import type { HostPlan } from '../../src/core/plan.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { Surveyed } from '../../src/engine/survey-fleet.js';
import type { FakeNode } from '../fake/fake-node.js';
import { compliantAl2023, eksAl2, jsonConfig, zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import type { Rig } from './rig.js';
import { createRig, imageOf, lifeOf, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const DROP_INS = '/etc/systemd/system/kubelet.service.d';
const SIDECAR = '[Unit]\nPartOf=kubelet.service\n[Service]\nExecStart=/usr/bin/kubelet --sidecar\n';

function firstOf(rig: Rig): FakeNode {
  const [node] = rig.nodes;
  if (node === undefined) throw new Error('no node');
  return node;
}

/** As if the plan had been made when this was otherwise. */
function seenOtherwise(planned: readonly Surveyed<HostPlan>[], change: (observed: Observed) => Observed): Surveyed<HostPlan>[] {
  return planned.map((one) => {
    if (one.host.name !== 'node-1' || one.failure !== undefined || one.value.observed === undefined) return one;
    return { ...one, value: { ...one.value, observed: change(one.value.observed) } };
  });
}

const touchedHosts = (rig: Rig): string[] => rig.connector.operations.flatMap((one) => (one.op === 'effect' && one.effect.do !== 'lock' && one.effect.do !== 'unlock' ? [one.host] : []));

const MOVES: readonly [what: string, move: (node: FakeNode) => void, names: RegExp][] = [
  ['the content of the config file', (node) => { node.files.overwrite(eksAl2.configPath, jsonConfig({ maxOpenFiles: 5 })); }, /kubelet-config\.json: other content \([0-9a-f]{12}, now [0-9a-f]{12}\)/],
  ['a line of the file that is to be edited, far from the edit', (node) => {
    const path = `${DROP_INS}/10-kubelet-args.conf`;
    node.files.overwrite(path, `# a remark\n${Buffer.from(node.files.read(path) ?? []).toString()}`);
  }, /10-kubelet-args\.conf: other content/],
  ['a drop-in that was added', (node) => { node.files.seed(`${DROP_INS}/99-new.conf`, '[Service]\nEnvironment=X=1\n'); }, /99-new\.conf|not-reloaded/],
  ['a drop-in that was removed', (node) => { node.files.remove(`${DROP_INS}/30-kubelet-extra-args.conf`); }, /30-kubelet-extra-args\.conf|not-reloaded/],
  ['a file that became a link to the same content', (node) => {
    const bytes = node.files.read(eksAl2.configPath) ?? new Uint8Array();
    node.files.seed('/etc/other.json', { content: bytes });
    node.files.remove(eksAl2.configPath);
    node.files.seed(eksAl2.configPath, { link: '/etc/other.json' });
  }, /kubelet-config\.json: leads to \/etc\/other\.json/],
  ['a config file that is gone', (node) => { node.files.remove(eksAl2.configPath); }, /kubelet-config\.json: gone/],
  ['the state of the unit', (node) => { node.systemd.stop('kubelet.service'); }, /kubelet\.service: loaded active running enabled, now loaded inactive dead enabled/],
  ['the command line', (node) => {
    node.files.overwrite(`${DROP_INS}/30-kubelet-extra-args.conf`, "[Service]\nEnvironment='KUBELET_EXTRA_ARGS=--node-labels=pool=a,team=payments --max-pods=59'\n");
    node.systemd.daemonReload();
    node.systemd.restart('kubelet.service');
  }, /command line -.*--max-pods=58.* \+.*--max-pods=59|other content/],
  ['what a restart takes along', (node) => {
    node.files.seed('/etc/systemd/system/sidecar.service', SIDECAR);
    node.systemd.boot('sidecar.service');
  }, /kubelet\.service: systemd has loaded other settings of it|sidecar\.service/],
];

const OTHERWISE: readonly [what: string, change: (observed: Observed) => Observed, names: RegExp][] = [
  ['the kernel', (seen) => ({ ...seen, versions: { ...seen.versions, kernel: '4.0.0' } }), /kernel: 4\.0\.0, now /],
  ['the host name', (seen) => ({ ...seen, versions: { ...seen.versions, 'host name': 'other' } }), /host name: other, now /],
  ['systemd', (seen) => ({ ...seen, versions: { ...seen.versions, systemd: '1' } }), /systemd: 1, now /],
  ['the kubelet itself', (seen) => ({ ...seen, versions: { ...seen.versions, '/usr/bin/kubelet': 'Kubernetes v1.0.0' } }), /\/usr\/bin\/kubelet: Kubernetes v1\.0\.0/],
  ['the words of the command line', (seen) => ({ ...seen, commandLines: { 'kubelet.service': [...(seen.commandLines['kubelet.service'] ?? []), '--gone'] } }), /kubelet\.service: command line ---gone/],
  ['a file that had no part then', (seen) => ({ ...seen, files: Object.fromEntries(Object.entries(seen.files).slice(1)) }), /it had no part in the plan/],
  ['names in a directory', (seen) => ({ ...seen, directories: { ...seen.directories, '/etc/k.d': 'absent' } }), /\/etc\/k\.d: it has no part any more/],
];

async function applyMoved(rig: Rig, planned: readonly Surveyed<HostPlan>[], names: RegExp): Promise<void> {
  const node = firstOf(rig);
  const before = [imageOf(node, true), lifeOf(node)];
  const [moved, other] = await rig.apply(planned);
  expect(`${moved?.failure?.summary ?? ''}\n${moved?.failure?.detail ?? ''}`).toMatch(names);
  expect(moved).toMatchObject({ outcome: 'refused', failure: { done: 'nothing was touched' } });
  expect(other?.outcome).toBe('changed');
  expect(touchedHosts(rig)).not.toContain('node-1');
  expect([imageOf(node, true), lifeOf(node)]).toEqual(before);
}

describe('a host that moved since the plan was shown is refused with what moved, untouched, and the others go on', () => {
  it.each(MOVES)('%s', async (_, move, names) => {
    const rig = createRig([zeroFlagInDropIn, zeroInJson], { playbook });
    const planned = await rig.plan();
    move(firstOf(rig));
    await applyMoved(rig, planned, names);
  });

  it.each(OTHERWISE)('%s', async (_, change, names) => {
    const rig = createRig([zeroFlagInDropIn, zeroInJson], { playbook });
    await applyMoved(rig, seenOtherwise(await rig.plan(), change), names);
  });

  it('the host key: it is asked nothing more', async () => {
    const rig = createRig([zeroFlagInDropIn, zeroInJson], { playbook });
    const planned = await rig.plan();
    const key = planned[0]?.value?.observed?.hostKey;
    expect(key).toMatch(/^SHA256:/);
    await applyMoved(rig, seenOtherwise(planned, (seen) => ({ ...seen, hostKey: 'SHA256:other' })), /proved another key/);
    expect(rig.entries.filter((entry) => entry.host === 'node-1' && entry.type === 'finished')).toMatchObject([{ failure: { kind: 'hostKeyChanged' } }]);
  });
});

describe('what varies by itself is no difference', () => {
  it('a kubelet that was restarted with the same command line is changed as planned', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const planned = await rig.plan();
    firstOf(rig).systemd.restart('kubelet.service');
    await rig.ports.clock.sleep(3_600_000);
    expect((await rig.apply(planned)).map(({ outcome, failure }) => [outcome, failure])).toEqual([['changed', undefined]]);
  });

  it('a node that was booted anew is changed as planned', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const planned = await rig.plan();
    firstOf(rig).boot();
    await rig.ports.clock.sleep(3_600_000);
    expect((await rig.apply(planned)).map(({ outcome, failure }) => [outcome, failure])).toEqual([['changed', undefined]]);
  });

  it('a host that somebody else mended is compliant', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const planned = await rig.plan();
    const node = firstOf(rig);
    node.files.overwrite(`${DROP_INS}/10-kubelet-args.conf`, "[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.7.21 --v=2'\n");
    node.systemd.daemonReload();
    node.systemd.restart('kubelet.service');
    expect((await rig.apply(planned)).map(({ outcome }) => outcome)).toEqual(['compliant']);
  });
});

describe('a compliant host of an old plan', () => {
  it('is compliant while it is, whatever else moved, and refused with what moved when it fails now', async () => {
    const rig = createRig([compliantAl2023], { playbook });
    const [then] = await rig.plan();
    const node = firstOf(rig);
    const path = compliantAl2023.layout.configPath;
    const old = node.files.read(path) ?? new Uint8Array();
    node.files.overwrite(path, `${Buffer.from(old).toString().trimEnd().slice(0, -1)},"streamingConnectionIdleTimeout":"0s"}\n`);
    node.systemd.restart('kubelet.service');
    const [now] = await rig.plan();
    if (then?.value === undefined || now?.value === undefined) throw new Error('no plan');
    expect(movedFailure(then.value, then.value)).toBeUndefined();
    expect(movedFailure(then.value, now.value)).toMatchObject({ summary: expect.stringContaining(`changed since the plan was shown: ${path}: other content`) as string, done: 'nothing was touched' });
  });
});

describe('what a restart interrupts', () => {
  it.each([['PartOf', 'active'], ['Requires', 'active'], ['BindsTo', 'active'], ['Requisite', 'active'], ['PartOf', 'stopped']] as const)('a unit with %s= that is %s', async (key, state) => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const node = firstOf(rig);
    node.files.seed('/etc/systemd/system/sidecar.service', SIDECAR.replace('PartOf', key));
    node.files.seed('/etc/systemd/system/far.service', SIDECAR.replace('kubelet.service', 'sidecar.service'));
    node.systemd.boot('far.service');
    node.systemd.boot('sidecar.service');
    if (state === 'stopped') node.systemd.stop('sidecar.service');
    const [planned] = await rig.plan();
    const along = state === 'active' ? ['far.service', 'sidecar.service'] : [];
    expect(planned?.value?.disruption).toEqual({ class: along.length > 0 ? 'restartOfMore' : 'restart', units: ['kubelet.service'], along });
    expect((await rig.apply()).map(({ outcome }) => outcome)).toEqual(['changed']);
  });
});
