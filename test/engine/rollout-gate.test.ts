/** What a gate finds on hosts that were changed: sick ones are turned back, those that nobody can judge are doubted; and how many go back at once. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import type { ControlRequest } from '../../src/core/ports.js';
import type { Answer, Query } from '../../src/core/query.js';
import type { Rollout } from '../../src/core/rollout.js';
import { resultOf } from '../../src/engine/host-end.js';
import { statesOf } from '../../src/engine/resume-fleet.js';
import type { Asker, FakeNode } from '../fake/fake-node.js';
import { eksAl2, jsonConfig, zeroInJson } from '../fake/layouts.js';
import { withShortSoak } from './crash-rig.js';
import type { Fleet, FleetOptions } from './rollout-fleet.js';
import { COMMAND, changedNodes, createFleet, exitCodeOf, hostEntries, mostGoingBack, outcomes, visited } from './rollout-fleet.js';
import { RUN, lifeOf, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const ALL = { unit: 'percent', percent: 100 } as const;
const hosts = (count: number) => ({ unit: 'hosts', count }) as const;
const ok = (count: number) => Array.from({ length: count }, () => zeroInJson);
const SOAKED: Partial<Rollout> = { waves: [hosts(2), ALL], soakMs: 60_000 };

type Befall = (node: FakeNode) => void;
/** The node has no answer to such questions. */
function mute(what: Query['ask']): Befall {
  return (node) => {
    const real = node.ask.bind(node);
    const ask = (query: Query, asker?: Asker): Answer => (query.ask === what ? { ok: false, ask: what, reason: 'denied', detail: 'permission denied' } : real(query, asker));
    Object.assign(node, { ask });
  };
}
const lost: Befall = (node) => { node.powerCut(); };
const sick: Befall = (node) => {
  node.faults = [{ kind: 'neverHealthy', whenTimeout: '4h0m0s' }];
  node.systemd.restart(node.unit);
};
const failing: Befall = (node) => { node.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '0s', registryPullQPS: 7 })); };

/** What befalls the first nodes in the first soak. */
function inSoak(what: Befall, count = 1): NonNullable<FleetOptions['onEntry']> {
  let isOver = false;
  return (entry, { nodes }) => {
    if (entry.type !== 'soaking' || isOver) return;
    isOver = true;
    nodes.slice(0, count).forEach(what);
  };
}

/** By the journal alone, as a report of a later process has it. */
async function ofJournal(fleet: Fleet, name: string): Promise<unknown> {
  const shown = new Map(fleet.planned.flatMap(({ host, value }) => (value ? [[host.name, value] as const] : [])));
  const state = statesOf({ hosts: fleet.rig.hosts, shown, entries: await fleet.journal.read(RUN) }).get(name);
  if (state === undefined) throw new Error(`no state of ${name}`);
  return resultOf(name, shown.get(name), state);
}

describe('a host of the wave that the gate', () => {
  it.each([
    ['cannot judge', mute('file'), 'notJudged', 'the audit passes no more: unknown'], ['cannot ask', mute('unit'), 'notJudged', 'could not be looked at'], ['cannot reach', lost, 'connectTimeout', 'could not be looked at again'],
  ] as const)('%s is doubted: it stays changed, closes the gate, and a person must look', async (_, what, kind, words) => {
    const fleet = await createFleet({ playbook, specs: ok(4), policy: SOAKED, onEntry: inSoak(what) });
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason: 'gate', then: 'halt' });
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'changed', 'skipped', 'skipped']);
    expect(end.results[0]?.failure).toMatchObject({ kind, summary: expect.stringContaining(words) });
    expect(exitCodeOf(end)).toBe(3);
    expect((await hostEntries(fleet)).at(-1)).not.toMatchObject({ host: 'node-1', type: 'notWell' });
    expect((await hostEntries(fleet)).filter(({ type }) => type === 'doubted')).toHaveLength(1);
    expect(await ofJournal(fleet, 'node-1')).toEqual(end.results[0]);
    expect(visited(fleet)).toEqual(['node-1', 'node-2']);
  });

  it('finds sick is turned back, and counts', async () => {
    const fleet = await createFleet({ playbook, specs: ok(4), policy: SOAKED, onEntry: inSoak(sick) });
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason: 'gate' });
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['restored', 'changed', 'skipped', 'skipped']);
    expect(end.results[0]?.failure).toMatchObject({ kind: 'unhealthy', summary: expect.stringContaining('well no more') });
    expect(changedNodes(fleet)).toEqual(['node-2']);
    const [node] = fleet.rig.nodes;
    expect(node && lifeOf(node).active).toBe('active/running');
    expect(exitCodeOf(end)).toBe(2);
    expect(await ofJournal(fleet, 'node-1')).toEqual(end.results[0]);
  });

  it('finds failing is turned back, or stuck where somebody else wrote its file', async () => {
    const fleet = await createFleet({ playbook, specs: ok(3), policy: SOAKED, onEntry: inSoak(failing) });
    const end = await fleet.apply();
    expect(end.results[0]).toMatchObject({ outcome: 'stuck', failure: { kind: 'notProved', done: expect.stringContaining('changed by someone else') } });
    expect(exitCodeOf(end)).toBe(3);
  });

  it('cannot look at because the run is stopped at once keeps its good name', async () => {
    const stop = new AbortController();
    let isSoaked = false;
    const fleet = await createFleet({
      playbook, specs: ok(3), policy: SOAKED, stop: stop.signal, drain: stop.signal, onEntry: inSoak(() => { isSoaked = true; }),
      faults: { beforeAsk: () => { if (isSoaked) stop.abort(); return isSoaked ? { kind: 'reject', failure: { kind: 'interrupted', summary: 'stopped' } } : undefined; } },
    });
    const end = await fleet.apply();
    expect((await hostEntries(fleet)).filter(({ type }) => type === 'doubted' || type === 'notWell')).toEqual([]);
    expect(await ofJournal(fleet, 'node-1')).toMatchObject({ outcome: 'changed' });
    expect(await ofJournal(fleet, 'node-1')).not.toHaveProperty('failure');
    expect(end.stop?.reason).toBe('interrupt');
  });

  it.each(['none', 'canary'])('doubted is looked at again by a resume, which goes on once it is well (first wave: %s)', async (first) => {
    const over: Partial<Rollout> = first === 'canary' ? { waves: [hosts(1), ALL], canary: { by: [] } } : {};
    const fleet = await createFleet({ playbook, specs: ok(4), policy: { ...SOAKED, ...over }, onEntry: inSoak(lost) });
    expect(exitCodeOf(await fleet.apply())).toBe(3);
    const still = await fleet.resume();
    expect(still.stop?.reason).toBe('gate');
    expect(exitCodeOf(still)).toBe(3);
    fleet.rig.nodes[0]?.boot();
    const again = await fleet.resume();
    expect(again.stop).toBeUndefined();
    expect(outcomes(again.results)).toEqual({ changed: 4 });
    expect(exitCodeOf(again)).toBe(0);
    expect(await ofJournal(fleet, 'node-1')).toEqual(again.results[0]);
  });
});

describe('of hosts that go back there are never more at once than', () => {
  const closed = { gate: COMMAND, onStop: 'undoRun' } as const;
  const says = (hook: string): number => (hook === 'gate' ? 1 : 0);

  it('the wave takes, in an undo', async () => {
    const fleet = await createFleet({ playbook, specs: ok(8), policy: { waves: [hosts(6), ALL], within: hosts(2), ...closed }, says });
    expect(outcomes((await fleet.apply()).results)).toEqual({ restored: 6, skipped: 2 });
    expect(await mostGoingBack(fleet)).toBe(2);
  });

  it('a person said', async () => {
    let ask: (request: ControlRequest) => void = () => undefined;
    const fleet = await createFleet({
      playbook, specs: ok(8), policy: { waves: [hosts(6), ALL], within: hosts(2), ...closed }, says, controls: { listen: (take) => { ask = take; return () => undefined; } },
      onEntry: (entry) => { if (entry.type === 'waveBegan') ask({ by: 'alice@desk', act: { do: 'within', count: 3 }, answer: () => undefined }); },
    });
    await fleet.apply();
    expect(changedNodes(fleet)).toEqual([]);
    expect(await mostGoingBack(fleet)).toBe(3);
  });

  it('one, of canaries, whatever a person said', async () => {
    let ask: (request: ControlRequest) => void = () => undefined;
    const fleet = await createFleet({
      controls: { listen: (take) => { ask = take; return () => undefined; } },
      onEntry: (entry) => { if (entry.type === 'waveBegan') ask({ by: 'alice@desk', act: { do: 'within', count: 5 }, answer: () => undefined }); },
      playbook, specs: ok(8), policy: { waves: [hosts(1), ALL], within: hosts(5), canary: { by: ['pool'] }, ...closed }, says, labels: (index) => ({ pool: `p${index % 4}` }),
    });
    expect(outcomes((await fleet.apply()).results)).toEqual({ restored: 4, skipped: 4 });
    expect(await mostGoingBack(fleet)).toBe(1);
  });

  it('the wave takes, when the gate turns them back', async () => {
    const fleet = await createFleet({ playbook, specs: ok(8), policy: { ...SOAKED, waves: [hosts(6), ALL], within: hosts(2) }, onEntry: inSoak(sick, 5) });
    expect(outcomes((await fleet.apply()).results)).toEqual({ restored: 5, changed: 1, skipped: 2 });
    expect(await mostGoingBack(fleet)).toBe(2);
  });

  it('the wave takes, when a resume completes an undo', async () => {
    const options: FleetOptions = { playbook, specs: ok(8), policy: { waves: [hosts(6), ALL], within: hosts(2), ...closed }, says };
    const whole = await createFleet(options);
    await whole.apply();
    const decided = (await whole.journal.read(RUN)).findIndex(({ type }) => type === 'stopped') + 1;
    const fleet = await createFleet(options);
    await fleet.applyUntil(decided);
    await fleet.resume();
    expect(changedNodes(fleet)).toEqual([]);
    expect(await mostGoingBack(fleet)).toBe(2);
  });
});
