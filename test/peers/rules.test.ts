/** What a rollout over many nodes must never do, learned from tools of this kind: one short proof for each rule, with its name. */
import { setMaxListeners } from 'node:events';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import { OUTCOMES, isHostEntry } from '../../src/core/journal.js';
import { redactValue } from '../../src/core/redact-value.js';
import { createPaint } from '../../src/cli/paint.js';
import { showPlans } from '../../src/cli/show-plans.js';
import { statesOf } from '../../src/engine/resume-fleet.js';
import { rampConnector } from '../../src/engine/ramp.js';
import { PATIENCE_MS } from '../../src/engine/roll-out.js';
import { addFailure, NO_FAILURES } from '../../src/rollout/budget.js';
import { describeRollout } from '../../src/rollout/describe-rollout.js';
import { planRollout } from '../../src/rollout/plan-rollout.js';
import { compliantKubeadm, diesWithNewValue, eksAl2, jsonConfig, zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import { createVirtualClock } from '../fake/virtual-clock.js';
import { prepareCrashRun, withShortSoak } from '../engine/crash-rig.js';
import { RUN, createRig, imageOf, lifeOf, loadRealPlaybook, restartsOf, touchesOf } from '../engine/rig.js';
import { createFleet, exitCodeOf, outcomes } from '../engine/rollout-fleet.js';
import { hostsOf, policyOf } from '../rollout/hosts.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const one = { unit: 'hosts', count: 1 } as const;
const noRouteTo = (name: string) => ({ beforeOpen: (_: number, host: { name: string }) => (host.name === name ? ({ kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } as const) : undefined) });
/** lock, arm, first edit. */
const FIRST_EDIT = { at: 'effect', when: 'after', n: 3 } as const;

describe('rule 1: a host that nobody reached is no success', () => {
  it('every host of a run ends in exactly one outcome of a closed set', async () => {
    const fleet = await createFleet({ playbook, specs: [zeroInJson, compliantKubeadm, diesWithNewValue, zeroInJson], policy: {}, faults: noRouteTo('node-4') });
    const end = await fleet.apply();
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'compliant', 'restored', 'unreachable']);
    for (const { outcome } of end.results) expect(OUTCOMES).toContain(outcome);
    const finished = (await fleet.journal.read(RUN)).flatMap((entry) => (entry.type === 'finished' ? [entry.host] : []));
    expect(finished.sort()).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
  });
  it('one that was not reached, before the start or in its turn, counts against the budget', async () => {
    const before = await createFleet({ playbook, specs: [zeroInJson, zeroInJson], policy: { within: one, budget: { run: one, per: [] } }, faults: noRouteTo('node-2') });
    expect(outcomes((await before.apply()).results)).toEqual({ unreachable: 1, skipped: 1 });
    let isDown = false;
    const inTurn = await createFleet({
      playbook, specs: [zeroInJson, zeroInJson], policy: { within: one, budget: { run: one, per: [] } },
      faults: { beforeOpen: () => (isDown ? { kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } : undefined) },
    });
    isDown = true;
    const end = await inTurn.apply();
    expect(outcomes(end.results)).toEqual({ unreachable: 1, skipped: 1 });
    expect(exitCodeOf(end)).toBe(2);
  });
});

describe('rule 2: a budget means what it says', () => {
  it('is told in words before the start, and the host that it names is the one that stops', () => {
    const policy = policyOf({ budget: { run: '2%', per: { zone: 2 } } });
    const plan = planRollout(policy, hostsOf([[100, 'c', { zone: 'a' }], [100, 'c', { zone: 'b' }]]), 64);
    expect(describeRollout(plan, policy, []).join('\n')).toMatch(/4th of 200 hosts/u);
    let tally = NO_FAILURES;
    const said = ['n1', 'n101', 'n2'].map((host) => (tally = addFailure(tally, plan, host)).spent);
    expect(said).toEqual([undefined, undefined, 'the 2nd of 100 hosts in zone a failed']);
  });
});

describe('rule 3: a way back is for the host that failed, is proved, and is never a success', () => {
  it('restores one host by its own journal, touches no other, and does not exit with 0', async () => {
    const fleet = await createFleet({ playbook, specs: [zeroInJson, diesWithNewValue, zeroInJson], policy: {} });
    const end = await fleet.apply();
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'restored', 'changed']);
    const restored = fleet.rig.connector.operations.flatMap((op) => (op.op === 'effect' && op.effect.do === 'restore' ? [op.host] : []));
    expect(new Set(restored)).toEqual(new Set(['node-2']));
    const own = (await fleet.journal.read(RUN)).filter((entry) => entry.host === 'node-2').map(({ type }) => type);
    expect(own.indexOf('proved')).toBeGreaterThan(own.indexOf('undone'));
    expect(own.indexOf('finished')).toBeGreaterThan(own.indexOf('proved'));
    expect(exitCodeOf(end)).toBe(2);
  });
});

describe('rule 4: the way back is the way there, with the old bytes', () => {
  it('puts the captured bytes back and repeats the same activations, in the same order, after them', async () => {
    const rig = createRig([diesWithNewValue], { playbook });
    const [node] = rig.nodes;
    if (node === undefined) throw new Error('no node');
    const [image, argv] = [imageOf(node, true), lifeOf(node).argv];
    const [result] = await rig.apply();
    expect(result?.outcome).toBe('restored');
    expect([imageOf(node, true), lifeOf(node).argv]).toEqual([image, argv]);
    const acts = touchesOf(rig).map(({ do: what }) => what);
    const [there, back] = [acts.slice(0, acts.indexOf('restore')), acts.slice(acts.lastIndexOf('restore') + 1)];
    const activations = (words: string[]) => words.filter((word) => word === 'daemonReload' || word === 'restart');
    expect(activations(there)).toContain('restart');
    expect(activations(back).filter((word) => word === 'restart')).toEqual(activations(there).filter((word) => word === 'restart'));
  });
});

describe('rule 5: a restart that is due is written down', () => {
  it('a process that dies between the file and the restart leaves the restart to the next one', async () => {
    const run = await prepareCrashRun(zeroInJson, playbook);
    await run.first(FIRST_EDIT);
    expect(restartsOf(run.rig, 'node-1')).toBe(0);
    const invocation = lifeOf(run.node).invocation;
    expect((await run.later('resume', undefined, 'session-2'))?.outcome).toBe('changed');
    expect(lifeOf(run.node).invocation).not.toBe(invocation);
    expect(await run.rig.audit()).toEqual(['pass']);
  });
});

describe('rule 6: a node does not need the controller to get out of the middle', () => {
  it('the guard that was armed before the first write brings the old state back when nobody comes again', async () => {
    const run = await prepareCrashRun(zeroInJson, playbook);
    await run.first(FIRST_EDIT);
    expect(imageOf(run.node, true)).not.toEqual(run.before.image);
    await run.meanwhile('after the guard');
    expect(imageOf(run.node, true)).toEqual(run.before.image);
    expect(lifeOf(run.node)).toMatchObject({ active: 'active/running', argv: run.before.argv });
  });
});

describe('rule 7: no wait is without an end', () => {
  it('gates and hooks have a time limit without being told, and it is a short one', () => {
    const { gate, hooks } = policyOf({ gate: { run: ['./gate'] }, hooks: { beforeHost: { run: ['./hook'] } } });
    expect([gate?.timeoutMs, hooks.beforeHost?.timeoutMs]).toEqual([60_000, 60_000]);
  });
  it('a pause that nobody ends stops the rollout', async () => {
    const fleet = await createFleet({
      playbook, specs: [zeroInJson, zeroInJson], policy: { within: one },
      controls: { listen: (take) => { take({ by: 'alice@desk', act: { do: 'pause' }, answer: () => undefined }); return () => undefined; } },
    });
    const startMs = fleet.rig.ports.clock.monotonicMs();
    const end = await fleet.apply();
    expect(end.stop?.reason).toBe('patience');
    expect(fleet.rig.ports.clock.monotonicMs() - startMs).toBeLessThan(PATIENCE_MS + 120_000);
    expect(outcomes(end.results)).toEqual({ skipped: 2 });
  });
});

describe('rule 8: only what this run did is undone', () => {
  it('neither a host that it left alone nor a file that somebody changed since', async () => {
    const rig = createRig([zeroInJson, compliantKubeadm], { playbook });
    const planned = await rig.plan();
    await rig.apply(planned);
    const [mine, theirs] = rig.nodes;
    if (mine === undefined || theirs === undefined) throw new Error('no nodes');
    mine.files.overwrite(eksAl2.configPath, jsonConfig({ registryPullQPS: 7 }));
    const images = [imageOf(mine, true), imageOf(theirs, true)];
    const results = await rig.controller().undo(planned.flatMap(({ value }) => (value ? [value] : [])));
    expect(results).toMatchObject([{ outcome: 'refused', failure: { kind: 'drift' } }, { outcome: 'compliant' }]);
    expect([imageOf(mine, true), imageOf(theirs, true)]).toEqual(images);
  });
});

describe('rule 9: what is done is what was shown', () => {
  it('a plan writes nothing, and the run performs exactly the edits of the plan', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const [planned] = await rig.plan();
    expect(rig.connector.operations.map(({ op }) => op)).not.toContain('openToWrite');
    const shown = (planned?.value?.steps ?? []).flatMap((step) => (step.phase === 'change' ? [step.edit] : []));
    await rig.apply(planned ? [planned] : []);
    const done = touchesOf(rig).flatMap((effect) => (effect.do === 'edit' ? [effect.edit] : []));
    expect(done).toEqual(shown);
  });
  it('a host that moved in between is refused, untouched', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const planned = await rig.plan();
    const [node] = rig.nodes;
    node?.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '0s', registryPullQPS: 7 }));
    expect((await rig.apply(planned))[0]).toMatchObject({ outcome: 'refused', failure: { kind: 'drift' } });
    expect(touchesOf(rig)).toEqual([]);
  });
});

describe('rule 10: connections are begun at a measured pace, however many may be open', () => {
  it('no second sees many more starts than are allowed', async () => {
    const clock = createVirtualClock();
    const rig = createRig(Array.from({ length: 60 }, () => compliantKubeadm), { playbook });
    const starts: number[] = [];
    const ramp = rampConnector(
      { openToRead: (host, signal) => { starts.push(clock.monotonicMs()); return rig.connector.openToRead(host, signal); }, openToWrite: (host, signal) => rig.connector.openToWrite(host, signal) },
      { startsPerSecond: 10 }, clock,
    );
    const never = new AbortController().signal;
    setMaxListeners(0, never);
    await Promise.all(rig.hosts.map((host) => ramp.openToRead(host, never)));
    expect(starts).toHaveLength(60);
    for (const from of starts) expect(starts.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(20);
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan(3_000);
  });
});

describe('rule 11: the screen is a reader of the journal and no part of the run', () => {
  it('whoever reads the journal afterwards knows how every host ended, whether anybody looked or not', async () => {
    const fleet = await createFleet({ playbook, specs: [zeroInJson, diesWithNewValue, compliantKubeadm], policy: {} });
    const end = await fleet.apply();
    const past = { hosts: fleet.rig.hosts, shown: new Map(), entries: await fleet.journal.read(RUN) };
    expect([...statesOf(past)].map(([host, { finished }]) => [host, finished?.outcome])).toEqual(end.results.map(({ host, outcome }) => [host, outcome]));
    const seen = fleet.rig.events.flatMap((event) => (event.event === 'entry' ? [event.entry] : []));
    expect(seen.filter(isHostEntry).length).toBe(past.entries.filter(isHostEntry).length);
  });
});

describe('rule 12: no secret leaves through a diff', () => {
  it('neither the plan on the screen nor an event shows it, and that something changed still shows', async () => {
    const secret = 'hunter2-f00dcafe';
    const spec = { ...zeroInJson, files: { [eksAl2.configPath]: jsonConfig({ bootstrapToken: secret, streamingConnectionIdleTimeout: '0s' }) } };
    const rig = createRig([spec], { playbook });
    const planned = await rig.plan();
    const text = showPlans(planned.map(({ host, value }) => ({ host: host.name, ...(value ? { plan: value } : {}) })) as never, createPaint({ isTTY: false } as never, {}));
    await rig.apply(planned);
    expect(text).toContain('streamingConnectionIdleTimeout');
    expect(text).not.toContain(secret);
    expect(JSON.stringify(redactValue(rig.events, playbook.secrets ?? { names: [], values: [] }))).not.toContain(secret);
  });
});
