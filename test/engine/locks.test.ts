/** Locks and cleaning, as the engine lives with them: who comes second is told whom to ask, and the way back is never cleaned away. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import { applyFleet } from '../../src/engine/apply-fleet.js';
import { breakLocks, lookAtLocks } from '../../src/engine/break-locks.js';
import { cleanFleet, hostsToClean } from '../../src/engine/clean-fleet.js';
import { planFleet } from '../../src/engine/survey-fleet.js';
import { compliantAl2023, zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import { openVisit } from '../fake/open-visit.js';
import type { Rig } from './rig.js';
import { RUN, createRig, holderOf, imageOf, lifeOf, loadRealPlaybook, touchesOf } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const nodeOf = (rig: Rig) => {
  const [node] = rig.nodes;
  if (node === undefined) throw new Error('no node');
  return node;
};
const pastOf = async (rig: Rig, shown: Awaited<ReturnType<Rig['plan']>>) => ({
  hosts: rig.hosts, shown: new Map(shown.flatMap(({ value }) => (value ? [[value.host, value] as const] : []))), entries: await rig.ports.journal.read(RUN),
});

describe('a node that another run holds', () => {
  it('is refused, untouched, with who holds it, since when, and what to do', async () => {
    const rig = createRig([zeroInJson], { playbook });
    openVisit(nodeOf(rig), 'run-of-alice', { session: 'alice' });
    const before = [imageOf(nodeOf(rig), true), lifeOf(nodeOf(rig))];
    const [result] = await rig.apply();
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'locked', summary: expect.stringMatching(/locked by run run-of-alice of .*last sign of life/), next: expect.stringContaining('ask') } });
    expect([imageOf(nodeOf(rig), true), lifeOf(nodeOf(rig))]).toEqual(before);
    expect(touchesOf(rig)).toEqual([]);
  });
  it('is not called compliant: the other run may still turn back', async () => {
    const rig = createRig([compliantAl2023], { playbook });
    openVisit(nodeOf(rig), 'run-of-alice', { session: 'alice' });
    expect((await rig.apply()).map(({ outcome, failure }) => [outcome, failure?.kind])).toEqual([['refused', 'locked']]);
  });
  it('that was taken between the plan and the first write is refused as well', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const planned = await rig.plan();
    openVisit(nodeOf(rig), 'run-of-alice', { session: 'alice' });
    const [result] = await rig.apply(planned);
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'locked' } });
    expect(touchesOf(rig)).toEqual([]);
  });
  it('is taken over once its holder was silent for too long and left nothing in the middle, and the plan says so', async () => {
    const rig = createRig([zeroInJson], { playbook });
    openVisit(nodeOf(rig), 'run-of-alice', { session: 'alice' });
    await rig.ports.clock.sleep(3_600_000);
    const planned = await rig.plan();
    expect(planned[0]?.value?.notes.join('\n')).toContain('stale lock of run run-of-alice');
    expect(await rig.apply(planned)).toMatchObject([{ outcome: 'changed' }]);
  });
  it('and that its run left in the middle without a guard names the commands that end it', async () => {
    let dies = false;
    const rig = createRig([zeroFlagInDropIn], { playbook, guard: 'none', faults: { afterEffect: (_n, _h, effect) => { dies ||= effect.do === 'edit'; return dies ? { kind: 'crash' } : undefined; } } });
    await Promise.race([rig.apply(), rig.connector.crashed]);
    await rig.ports.clock.sleep(3_600_000);
    const other = { ...rig.ports, run: 'run-2', holder: holderOf('bob', 'run-2'), connector: rig.controller().connector };
    const { results: [result] } = await applyFleet(await planFleet(rig.hosts, other), other);
    expect(result).toMatchObject({ outcome: 'refused', failure: { kind: 'locked', next: expect.stringContaining('fleetmend resume run-1') } });
  });
  it('whose lock a person breaks can be taken, and the old holder can change nothing more', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const alice = openVisit(nodeOf(rig), 'run-of-alice', { session: 'alice' });
    const ports = { connector: rig.connector, clock: rig.ports.clock, concurrency: 1, signal: rig.ports.signal };
    const seen = await lookAtLocks(rig.hosts, ports);
    expect(seen).toMatchObject([{ lock: { held: true, run: 'run-of-alice' } }]);
    expect(await breakLocks(seen, ports)).toEqual([{ host: rig.hosts[0] }]);
    expect(alice.perform({ do: 'clean', run: 'run-of-alice' })).toMatchObject({ ok: false, reason: 'notLocked' });
    expect(await rig.apply()).toMatchObject([{ outcome: 'changed' }]);
  });
  it('whose lock changed hands since it was shown keeps it', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const ports = { connector: rig.connector, clock: rig.ports.clock, concurrency: 1, signal: rig.ports.signal };
    const alice = openVisit(nodeOf(rig), 'run-of-alice', { session: 'alice' });
    const seen = await lookAtLocks(rig.hosts, ports);
    alice.perform({ do: 'unlock', run: 'run-of-alice' });
    openVisit(nodeOf(rig), 'run-of-carol', { session: 'carol' });
    expect(await breakLocks(seen, ports)).toMatchObject([{ failure: { kind: 'locked' } }]);
    expect(await lookAtLocks(rig.hosts, ports)).toMatchObject([{ lock: { held: true, run: 'run-of-carol' } }]);
  });
});

describe('a node that can have no guard', () => {
  it('is refused with the words to say, and is mended once they are said', async () => {
    const capability = { tools: ['base64', 'sha256sum', 'stat', 'timeout', 'lsattr', 'systemctl', 'curl', 'bash', 'logger', 'mktemp', 'sync'] };
    const rig = createRig([zeroInJson], { playbook, node: { capability } });
    expect(await rig.apply()).toMatchObject([{ outcome: 'refused', failure: { kind: 'missingTool', next: expect.stringContaining('guard: none') } }]);
    expect(touchesOf(rig)).toEqual([]);
    expect(await createRig([zeroInJson], { playbook, node: { capability }, guard: 'none' }).apply()).toMatchObject([{ outcome: 'changed' }]);
  });
});

describe('cleaning', () => {
  it('takes the copies away, and with them the undo, which says so', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const planned = await rig.plan();
    await rig.apply(planned);
    const past = await pastOf(rig, planned);
    expect(await cleanFleet(past, hostsToClean(past), rig.ports)).toEqual([{ host: 'node-1' }]);
    expect(nodeOf(rig).files.paths().filter((path) => path.startsWith('/var/lib/fleetmend/run-1'))).toEqual([]);
    const shown = planned.flatMap(({ value }) => (value ? [value] : []));
    expect(await rig.controller().undo(shown)).toMatchObject([{ outcome: 'refused', failure: { summary: expect.stringContaining('saved copies were removed') } }]);
    expect(await lookAtLocks(rig.hosts, { ...rig.ports, connector: rig.controller().connector })).toMatchObject([{ lock: { held: false } }]);
  });
  it('never takes the way back of a host in the middle', async () => {
    let dies = false;
    const rig = createRig([zeroFlagInDropIn], { playbook, faults: { afterEffect: (_n, _h, effect) => { dies ||= effect.do === 'edit'; return dies ? { kind: 'crash' } : undefined; } } });
    const planned = await rig.plan();
    await Promise.race([rig.apply(planned), rig.connector.crashed]);
    const past = await pastOf(rig, planned);
    const results = await cleanFleet(past, hostsToClean(past), { ...rig.ports, connector: rig.controller().connector });
    expect(results).toMatchObject([{ host: 'node-1', failure: { summary: expect.stringContaining('in the middle') } }]);
  });
});
