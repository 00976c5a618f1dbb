/** One run over fake nodes: what is mended, what is restored, what is left alone. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import {
  compliantAl2023, compliantKubeadm, diesWithNewValue, eksAl2, jsonConfig, zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson, zeroInYaml,
} from '../fake/layouts.js';
import { createRig, imageOf, lifeOf, loadRealPlaybook, restartsOf, holderOf, touchesOf } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const AILING = [zeroFlagInDropIn, zeroInJson, zeroFlagInEnvironmentFile, zeroInYaml];

describe('apply', () => {
  it.each(AILING)('mends $ailment with exactly one restart and proves it', async (spec) => {
    const rig = createRig([spec], { playbook });
    expect(await rig.audit()).toEqual(['fail']);
    const results = await rig.apply();
    expect(results[0]?.failure).toBeUndefined();
    expect(results[0]?.outcome).toBe('changed');
    expect(restartsOf(rig, 'node-1')).toBe(1);
    expect(await rig.audit()).toEqual(['pass']);
    expect(rig.connector.openSessions()).toBe(0);
  });

  it.each([compliantAl2023, compliantKubeadm])('$ailment: a compliant host is visited only to read, and nothing is written or restarted', async (spec) => {
    const rig = createRig([spec], { playbook });
    const [node] = rig.nodes;
    if (node === undefined) throw new Error('no node');
    const before = [imageOf(node, true), lifeOf(node)];
    expect((await rig.apply()).map((result) => result.outcome)).toEqual(['compliant']);
    expect([imageOf(node, true), lifeOf(node)]).toEqual(before);
    expect(rig.connector.operations.map((one) => one.op)).not.toContain('openToWrite');
    expect(rig.connector.operations.map((one) => one.op)).not.toContain('effect');
  });

  it('a second run changes nothing', async () => {
    const rig = createRig(AILING, { playbook });
    await rig.apply();
    const before = rig.nodes.map((node) => [imageOf(node, true), lifeOf(node)]);
    const second = { ...rig.ports, run: 'run-2', holder: holderOf('session-2', 'run-2') };
    const { applyFleet } = await import('../../src/engine/apply-fleet.js');
    const { planFleet } = await import('../../src/engine/survey-fleet.js');
    const { results } = await applyFleet(await planFleet(rig.hosts, second), second);
    expect(results.map((result) => result.outcome)).toEqual(AILING.map(() => 'compliant'));
    expect(rig.nodes.map((node) => [imageOf(node, true), lifeOf(node)])).toEqual(before);
  });

  it('a kubelet that dies with the new value is restored byte for byte and runs its old command line', async () => {
    const rig = createRig([diesWithNewValue], { playbook });
    const [node] = rig.nodes;
    if (node === undefined) throw new Error('no node');
    const [image, life] = [imageOf(node, true), lifeOf(node)];
    const [result] = await rig.apply();
    expect(result?.outcome).toBe('restored');
    expect(imageOf(node, true)).toEqual(image);
    expect(lifeOf(node)).toMatchObject({ active: 'active/running', argv: life.argv });
    expect(lifeOf(node).invocation).not.toBe(life.invocation);
    expect(await rig.audit()).toEqual(['fail']);
  });

  it('one host that fails does not touch the others', async () => {
    const rig = createRig([zeroInJson, diesWithNewValue, zeroFlagInDropIn, compliantKubeadm], { playbook });
    expect((await rig.apply()).map((result) => result.outcome)).toEqual(['changed', 'restored', 'changed', 'compliant']);
  });

  it('an entry `began` is in the journal before its effect', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    await rig.apply();
    const order: string[] = [];
    for (const one of await rig.ports.journal.read('run-1')) if (one.type === 'began' || one.type === 'done') order.push(`${one.type} ${one.step}`);
    for (const [index, word] of order.entries()) if (word.startsWith('done')) expect(order.slice(0, index)).toContain(word.replace('done', 'began'));
    const read = await rig.ports.journal.read('run-1');
    for (const host of ['node-1', '*']) {
      const own = read.filter((one) => one.host === host);
      expect(own.map((one) => one.seq)).toEqual(own.map((_, index) => index + 1));
      expect(own.length).toBeGreaterThan(2);
    }
  });
});

describe('hosts that must not be touched', () => {
  it('a node that was sick before is refused, not mended', async () => {
    const rig = createRig([zeroInJson], { playbook, arrange: ([node]) => { if (node) node.systemd.stop(node.unit); } });
    const [result] = await rig.apply();
    expect(result?.outcome).toBe('refused');
    expect(restartsOf(rig, 'node-1')).toBe(0);
  });
  it('a read-only config file is found out by the plan', async () => {
    const rig = createRig([zeroInJson], { playbook, arrange: ([node]) => { node?.files.mountReadOnly('/etc/kubernetes'); } });
    const [planned] = await rig.plan();
    expect(planned?.value?.refusal).toMatchObject({ kind: 'readOnly' });
    expect((await rig.apply())[0]?.outcome).toBe('refused');
  });
  it('a full disk is found out by the plan', async () => {
    const rig = createRig([zeroInJson], { playbook, arrange: ([node]) => { node?.files.setFreeBytes('/etc', 0); } });
    expect((await rig.plan())[0]?.value?.refusal).toMatchObject({ kind: 'noSpace' });
  });
  it('a file that was edited after the start is drift', async () => {
    const edited = jsonConfig({ streamingConnectionIdleTimeout: '0s', maxPods: 10 });
    const rig = createRig([zeroInJson], { playbook, arrange: ([node]) => { node?.files.overwrite(eksAl2.configPath, edited); } });
    const [result] = await rig.apply();
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'drift' } });
  });
  it('a host that changed between plan and apply is refused before the first write', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const planned = await rig.plan();
    rig.nodes[0]?.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '0s', maxPods: 10 }));
    const [result] = await rig.apply(planned);
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'drift' } });
    expect(touchesOf(rig)).toEqual([]);
  });
  it.each(['rootRefused', 'authentication'] as const)('a host that let nobody in when it was looked at (%s) is not visited again', async (kind) => {
    const failure = { kind, summary: 'no way in' };
    const rig = createRig([zeroInJson, zeroInJson], { playbook, faults: { beforeOpen: (_n, host) => (host.name === 'node-1' ? { kind: 'reject', failure } : undefined) } });
    const results = await rig.apply();
    expect(results).toMatchObject([{ outcome: kind === 'rootRefused' ? 'refused' : 'unreachable', failure }, { outcome: 'changed' }]);
    expect(rig.connector.operations.filter(({ op, host }) => host === 'node-1' && op.startsWith('open'))).toEqual([{ op: 'openToRead', host: 'node-1' }]);
  });
  it('a user without root is told so', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const planned = await (async () => {
      const { planFleet } = await import('../../src/engine/survey-fleet.js');
      return planFleet(rig.hosts.map((host) => ({ ...host, user: 'ops' })), rig.ports);
    })();
    expect(planned[0]?.value?.refusal).toMatchObject({ kind: 'notJudged' });
  });
});

describe('the plan', () => {
  it('never opens a connection that could write', async () => {
    const rig = createRig([...AILING, diesWithNewValue], { playbook });
    const planned = await rig.plan();
    expect(planned.map((one) => one.value?.refusal)).toEqual(planned.map(() => undefined));
    expect(new Set(rig.connector.operations.map((one) => one.op))).toEqual(new Set(['openToRead', 'ask', 'close']));
  });
  it('reloads only when a unit file changes', async () => {
    const rig = createRig([zeroFlagInDropIn, zeroInJson, zeroFlagInEnvironmentFile], { playbook });
    const reloads = (await rig.plan()).map((one) => one.value?.steps.some((step) => step.phase === 'activate' && step.activation.do === 'daemonReload'));
    expect(reloads).toEqual([true, false, false]);
  });
  it('ends with the audit', async () => {
    const rig = createRig(AILING, { playbook });
    for (const one of await rig.plan()) expect(one.value?.steps.at(-1)).toMatchObject({ phase: 'verify', check: { check: 'audit' } });
  });
});
