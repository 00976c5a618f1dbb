/** What somebody else writes between our plan and our restart is not activated by it: the restart is not made, and the host goes back. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import type { FakeNode } from '../fake/fake-node.js';
import type { NodeSpec } from '../fake/layouts.js';
import { eksAl2, zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson, zeroInYaml } from '../fake/layouts.js';
import type { Rig } from './rig.js';
import { createRig, imageOf, lifeOf, loadRealPlaybook, restartsOf } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const nodeOf = (rig: Rig): FakeNode => {
  const [one] = rig.nodes;
  if (one === undefined) throw new Error('no node');
  return one;
};

const AL2_UNIT = '/etc/systemd/system/kubelet.service';
const AL2_DROP_IN = `${AL2_UNIT}.d/30-kubelet-extra-args.conf`;
const KUBEADM_FLAGS = '/var/lib/kubelet/kubeadm-flags.env';
const NEW_DROP_IN = `${AL2_UNIT}.d/90-proxy.conf`;

/** Runs with `act` done right after an effect of ours, and says how the node was before and is now, without `act`'s own file and a guard of ours. */
async function runWith(spec: NodeSpec, path: string, act: (node: FakeNode) => void, at: 'edit' | 'daemonReload' = 'edit') {
  let acted = false;
  const rig: Rig = createRig([spec], {
    playbook,
    faults: {
      afterEffect: (_, __, effect) => {
        if (effect.do === at && !acted) { acted = true; act(nodeOf(rig)); }
        return undefined;
      },
    },
  });
  const others = (): string[] => imageOf(nodeOf(rig)).filter((line) => !line.startsWith(`${path} `) && !line.includes('/fleetmend-boot-'));
  const [image, life] = [others(), lifeOf(nodeOf(rig))];
  const [result] = await rig.apply();
  expect(acted).toBe(true);
  return { rig, result, before: { image, life }, after: { image: others(), life: lifeOf(nodeOf(rig)) } };
}

const append = (path: string, text: string) => (node: FakeNode): void => {
  node.files.overwrite(path, `${Buffer.from(node.files.read(path) ?? []).toString()}${text}`);
};
const create = (path: string, text: string) => (node: FakeNode): void => { node.files.seed(path, text); };

/** None of these edits changes the command line. */
describe.each<[string, NodeSpec, string, string, (node: FakeNode) => void]>([
  ['a drop-in that is new', zeroFlagInDropIn, NEW_DROP_IN, 'added', create(NEW_DROP_IN, '[Service]\nEnvironment=HTTPS_PROXY=http://proxy:3128\n')],
  ['a drop-in that was there', zeroFlagInDropIn, AL2_DROP_IN, 'changed', append(AL2_DROP_IN, 'Restart=no\n')],
  ['a drop-in that is taken away', { ...zeroFlagInDropIn, files: { ...zeroFlagInDropIn.files, [NEW_DROP_IN]: '[Service]\nMemoryMax=2G\n' } }, NEW_DROP_IN, 'taken away', (node) => { node.files.remove(NEW_DROP_IN); }],
  ['the unit file', zeroFlagInDropIn, AL2_UNIT, 'changed', append(AL2_UNIT, '[Service]\nRestart=no\n')],
  ['the unit file, of a plan without daemon-reload', zeroInJson, AL2_UNIT, 'changed', append(AL2_UNIT, '[Service]\nRestart=no\n')],
  ['a drop-in that is new, of a plan that edits an environment file', zeroFlagInEnvironmentFile, NEW_DROP_IN, 'added', create(NEW_DROP_IN, '[Service]\nMemoryMax=2G\n')],
  ['an environment file that was not there', zeroInYaml, '/etc/default/kubelet', 'added', create('/etc/default/kubelet', 'HTTPS_PROXY=http://proxy:3128\n')],
  ['an environment file that was there', zeroInYaml, KUBEADM_FLAGS, 'changed', append(KUBEADM_FLAGS, 'HTTPS_PROXY=http://proxy:3128\n')],
])('somebody else edits %s', (_, spec, path, how, act) => {
  it('the restart is not made, the failure names the file, and ours is taken back', async () => {
    const { rig, result, before, after } = await runWith(spec, path, act);
    expect(result?.failure).toMatchObject({ kind: 'drift' });
    expect(result?.failure?.summary).toContain(`${path} was ${how} by someone else since the plan`);
    expect(restartsOf(rig, 'node-1')).toBe(0);
    expect(after.image).toEqual(before.image);
    expect(after.life).toEqual(before.life);
  });
});

it('a drop-in that is new and loaded by our own daemon-reload leaves the host restored', async () => {
  const { result } = await runWith(zeroFlagInDropIn, NEW_DROP_IN, create(NEW_DROP_IN, '[Service]\nEnvironment=A=b\n'));
  expect(result?.outcome).toBe('restored');
});

it('an edit that systemd has not loaded when all is taken back is not called restored', async () => {
  const { result } = await runWith(zeroInJson, AL2_UNIT, append(AL2_UNIT, '# a word\n'));
  expect(result?.outcome).toBe('stuck');
  expect(result?.failure?.summary).toContain('systemd has not loaded what is on disk');
});

it('the config file, which a plan for a drop-in alone does not edit, is looked at too', async () => {
  const { rig, result } = await runWith(zeroFlagInDropIn, eksAl2.configPath, (node) => {
    const text = Buffer.from(node.files.read(eksAl2.configPath) ?? []).toString();
    node.files.overwrite(eksAl2.configPath, text.replace('"maxPods": 58', '"maxPods": 5'));
  }, 'daemonReload');
  expect(result?.failure).toMatchObject({ kind: 'drift' });
  expect(result?.failure?.summary).toContain(`${eksAl2.configPath} was changed by someone else since the plan`);
  expect(restartsOf(rig, 'node-1')).toBe(0);
});

it('a file that somebody touches and leaves as it was stops nothing', async () => {
  const { result } = await runWith(zeroFlagInDropIn, AL2_DROP_IN, append(AL2_DROP_IN, ''));
  expect(result?.outcome).toBe('changed');
});
