/** Runs that are taken up under bad conditions: what cannot be reached, what others hold, what a person did meanwhile. */
import { beforeAll, describe, expect, it } from 'vitest';
import { applyFleet } from '../../src/engine/apply-fleet.js';
import { cleanFleet, hostsToClean } from '../../src/engine/clean-fleet.js';
import { openHosts } from '../../src/engine/resume-fleet.js';
import { planFleet } from '../../src/engine/survey-fleet.js';
import type { Playbook } from '../../src/core/playbook.js';
import { zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import { openVisit } from '../fake/open-visit.js';
import type { CrashPoint } from './crash-rig.js';
import { expectTrue, prepareCrashRun, withShortSoak } from './crash-rig.js';
import { RUN, holderOf, imageOf, lifeOf, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const UNREACHABLE = { kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } as const;
const noRoute = { beforeOpen: () => UNREACHABLE };
const afterEffect = (n: number): CrashPoint => ({ at: 'effect', when: 'after', n });
/** lock, arm, first edit. */
const FIRST_EDIT = 3;

async function pastOf(run: Awaited<ReturnType<typeof prepareCrashRun>>) {
  return { hosts: run.rig.hosts, shown: new Map(run.shown.map((plan) => [plan.host, plan])), entries: await run.journal.read(RUN) };
}

describe('a host in the middle', () => {
  it('that an undo cannot reach is named as stuck, never as refused or unreachable', async () => {
    const run = await prepareCrashRun(zeroFlagInDropIn, playbook);
    await run.first(afterEffect(FIRST_EDIT));
    expect(await run.rig.controller(noRoute).undo(run.shown)).toMatchObject([{ outcome: 'stuck', failure: { done: expect.stringContaining('in the middle') } }]);
  });
  it('one of whose files somebody changed is named as stuck when an undo is refused', async () => {
    const run = await prepareCrashRun(zeroFlagInDropIn, playbook);
    await run.first(afterEffect(FIRST_EDIT));
    const edit = run.shown[0]?.steps.find((step) => step.phase === 'change')?.edit;
    run.node.files.overwrite(edit?.path ?? '', 'somebody else was here');
    expect(await run.rig.controller().undo(run.shown)).toMatchObject([{ outcome: 'stuck' }]);
  });
  it('that a resume cannot reach stays where it is, and the next resume goes forwards', async () => {
    const run = await prepareCrashRun(zeroFlagInDropIn, playbook);
    await run.first(afterEffect(FIRST_EDIT));
    expect(await run.rig.controller(noRoute).resume(run.shown)).toMatchObject([{ outcome: 'stuck', failure: { kind: 'connectTimeout' } }]);
    expect(openHosts(await pastOf(run))).toEqual(['node-1']);
    const result = await run.later('resume', undefined, 'session-3');
    // While nobody could reach it, the patience of that resume was shorter than the guard's.
    expect(['changed', 'restored']).toContain(result?.outcome);
    await expectTrue(run, result, 'at the end');
  });
  it('whose way back failed for want of a connection is brought back by the first resume', async () => {
    const run = await prepareCrashRun(zeroFlagInDropIn, playbook, 'none');
    await run.first(afterEffect(FIRST_EDIT));
    // The undo loses its link for good at the first restore, and dies before it can say how the host ended.
    let lost = false;
    const undo = run.rig.controller({
      afterEffect: (_n, _h, effect) => { lost ||= effect.do === 'restore'; return lost ? { kind: 'connectionLost' } : undefined; },
      beforeOpen: () => (lost ? UNREACHABLE : undefined),
    });
    expect(await undo.undo(run.shown)).toMatchObject([{ outcome: 'stuck' }]);
    const result = await run.later('resume', undefined, 'session-3');
    expect(result?.outcome).toBe('restored');
    await expectTrue(run, result, 'at the end');
  });
});

describe('a host that was mended, whose controller died before it said so', () => {
  it('is not turned back because somebody else holds the node for the moment', async () => {
    const run = await prepareCrashRun(zeroInJson, playbook);
    const entries = await countEntries(run);
    const again = await prepareCrashRun(zeroInJson, playbook);
    await again.first({ at: 'entry', when: 'before', n: entries });
    openVisit(again.node, 'run-of-alice', { session: 'alice' });
    expect(await again.later('resume', undefined, 'session-2')).toMatchObject({ outcome: 'stuck', failure: { kind: 'locked' } });
    again.node.perform({ do: 'breakLock', session: 'alice' }, { uid: 0, visit: again.node.newVisit() });
    const result = await again.later('resume', undefined, 'session-3');
    expect(result?.outcome).toBe('changed');
    await expectTrue(again, result, 'at the end');
  });

  async function countEntries(run: Awaited<ReturnType<typeof prepareCrashRun>>): Promise<number> {
    await run.first(undefined);
    return (await run.journal.read(RUN)).findIndex(({ type }) => type === 'finished') + 1;
  }
});

describe('a guard that was armed before its controller died', () => {
  it('is not left behind on a host that the resume then refuses', async () => {
    const run = await prepareCrashRun(zeroInJson, playbook);
    await run.first(afterEffect(2));
    // Somebody makes the node one that must not be touched.
    run.node.files.overwrite('/etc/kubernetes/kubelet/kubelet-config.json', '{ not json');
    const result = await run.later('resume', undefined, 'session-2');
    expect(result?.outcome).toBe('refused');
    const guard = run.node.ask({ ask: 'guard', run: RUN });
    expect(guard).toMatchObject({ ok: true, value: { state: 'disarmed' } });
  });
  it('keeps other runs off the node, also when its lock was broken', async () => {
    const run = await prepareCrashRun(zeroFlagInDropIn, playbook);
    await run.first(afterEffect(FIRST_EDIT));
    run.node.perform({ do: 'breakLock', session: 'session-1' }, { uid: 0, visit: run.node.newVisit() });
    const before = [imageOf(run.node, true), lifeOf(run.node)];
    const other = { ...run.rig.ports, run: 'run-2', holder: holderOf('bob', 'run-2'), connector: run.rig.controller().connector };
    const { results } = await applyFleet(await planFleet(run.rig.hosts, other), other);
    expect(results).toMatchObject([{ outcome: 'refused', failure: { kind: 'locked', summary: expect.stringContaining('guard of run run-1') } }]);
    expect([imageOf(run.node, true), lifeOf(run.node)]).toEqual(before);
  });
});

describe('cleaning', () => {
  it('closes the undo before it removes anything, so that a lost reply leaves no undo without copies', async () => {
    const run = await prepareCrashRun(zeroInJson, playbook);
    await run.first(undefined);
    const past = await pastOf(run);
    const lossy = run.rig.controller({ afterEffect: (_n, _h, effect) => (effect.do === 'clean' ? { kind: 'connectionLost' } : undefined) });
    const [result] = await cleanFleet(past, hostsToClean(past), { ...run.rig.ports, connector: lossy.connector });
    expect(result?.failure).toBeDefined();
    expect(await run.rig.controller().undo(run.shown)).toMatchObject([{ outcome: 'refused', failure: { kind: 'unsupported' } }]);
    const again = await pastOf(run);
    expect(hostsToClean(again).map(({ name }) => name)).toEqual(['node-1']);
    expect(await cleanFleet(again, hostsToClean(again), { ...run.rig.ports, connector: run.rig.controller().connector })).toEqual([{ host: 'node-1' }]);
  });
  it('leaves hosts alone whose turn has not come: a resume still takes them up', async () => {
    const run = await prepareCrashRun(zeroInJson, playbook);
    await run.first({ at: 'entry', when: 'before', n: 1 });
    const past = await pastOf(run);
    expect(hostsToClean(past)).toEqual([]);
    expect(openHosts(past)).toEqual(['node-1']);
  });
});

