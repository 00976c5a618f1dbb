/** Rollouts of the real playbook over fake nodes: who is touched, who is not, what is brought back, what a later process does. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import type { Rollout } from '../../src/core/rollout.js';
import { isRunEntry } from '../../src/core/journal.js';
import { diesWithNewValue, eksAl2, jsonConfig, zeroInJson } from '../fake/layouts.js';
import { withShortSoak } from './crash-rig.js';
import type { Fleet } from './rollout-fleet.js';
import { COMMAND, changedNodes, createFleet, exitCodeOf, outcomes, visited } from './rollout-fleet.js';
import { RUN, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const POOLS = 4;
const POOL_SIZE = 10;
const ALL = { unit: 'percent', percent: 100 } as const;
const hosts = (count: number) => ({ unit: 'hosts', count }) as const;
const waves = (...counts: number[]) => [...counts.map(hosts), ALL];
const ok = (count: number) => Array.from({ length: count }, () => zeroInJson);

/** 40 nodes in 4 pools of 10, every other one in zone b; the kubelets of one pool die with the new value. */
async function poolsWith(bad: number, policy: Partial<Rollout>): Promise<Fleet> {
  const specs = Array.from({ length: POOLS * POOL_SIZE }, (_, index) => (Math.floor(index / POOL_SIZE) === bad ? diesWithNewValue : zeroInJson));
  return await createFleet({ playbook, specs, policy, labels: (index) => ({ pool: `p${Math.floor(index / POOL_SIZE) + 1}`, zone: index % 2 === 0 ? 'a' : 'b' }) });
}

const CANARY: Partial<Rollout> = { waves: [hosts(1), { unit: 'percent', percent: 10 }, ALL], canary: { by: ['pool', 'zone'] }, budget: { run: { unit: 'percent', percent: 50 }, per: [] } };

describe('a change that kills the kubelets of one pool', () => {
  it('is stopped by the canary: one host restored, the others untouched', async () => {
    const fleet = await poolsWith(0, CANARY);
    const end = await fleet.apply();
    expect(outcomes(end.results)).toEqual({ restored: 1, skipped: 39 });
    expect(end.stop).toMatchObject({ reason: 'canary', then: 'halt' });
    expect(changedNodes(fleet)).toEqual([]);
    expect(visited(fleet)).toEqual(['node-1']);
    expect(exitCodeOf(end)).toBe(2);
  });

  it('is stopped by the canary of that pool when it comes third', async () => {
    const fleet = await poolsWith(2, CANARY);
    const end = await fleet.apply();
    const bad = end.results.filter(({ outcome }) => outcome === 'restored').map(({ host }) => Number(host.slice(5)));
    expect(bad).toHaveLength(1);
    expect(bad.every((number) => number > 20 && number <= 30)).toBe(true);
    expect(changedNodes(fleet).length).toBeLessThanOrEqual(3);
    expect(visited(fleet)).toHaveLength(changedNodes(fleet).length + 1);
    expect(outcomes(end.results)['skipped']).toBe(40 - visited(fleet).length);
  });

  it('is told of each wave: how many of its hosts are through, where a budget lets it go on all the same', async () => {
    const fleet = await createFleet({ playbook, specs: [diesWithNewValue, diesWithNewValue, zeroInJson, diesWithNewValue], policy: { waves: [hosts(2), ALL], budget: { run: 'none', per: [] } } });
    await fleet.apply();
    const passed = (await fleet.journal.read(RUN)).flatMap((entry) => (isRunEntry(entry) && entry.type === 'wavePassed' ? [[entry.wave, entry.through, entry.hosts]] : []));
    expect(passed).toEqual([[1, 0, 2], [2, 1, 2]]);
  });

  it('is not begun again by a resume until a person gives the canary up', async () => {
    const fleet = await poolsWith(0, CANARY);
    await fleet.apply();
    const visitsBefore = visited(fleet);
    const again = await fleet.resume();
    expect(again.stop?.reason).toBe('canary');
    expect(visited(fleet)).toEqual(visitsBefore);
    expect(outcomes(again.results)).toEqual({ restored: 1, skipped: 39 });
  });
});

describe('a budget', () => {
  it('per zone stops when one zone fails, and the hosts of the run count together', async () => {
    const specs = Array.from({ length: 12 }, (_, index) => (index % 4 === 1 ? diesWithNewValue : zeroInJson));
    const policy: Partial<Rollout> = { within: hosts(1), budget: { run: hosts(10), per: [{ label: 'zone', share: hosts(2) }] } };
    const fleet = await createFleet({ playbook, specs, policy, labels: (index) => ({ zone: index % 2 === 0 ? 'a' : 'b' }) });
    const end = await fleet.apply(policy);
    expect(end.stop).toMatchObject({ reason: 'budget', summary: expect.stringContaining('the 2nd of 6 hosts in zone b failed') });
    expect(outcomes(end.results)).toEqual({ changed: 4, restored: 2, skipped: 6 });
    expect(exitCodeOf(end)).toBe(2);
  });

  it('that is used up lets a resume begin nothing until it is larger', async () => {
    const specs = [diesWithNewValue, ...ok(4)];
    const fleet = await createFleet({ playbook, specs, policy: { within: hosts(1), budget: { run: hosts(1), per: [] } } });
    expect(outcomes((await fleet.apply()).results)).toEqual({ restored: 1, skipped: 4 });
    const visits = visited(fleet);
    const second = await fleet.resume();
    expect(second.stop?.reason).toBe('budget');
    expect(visited(fleet)).toEqual(visits);
    const third = await fleet.resume({ budget: { run: hosts(2), per: [] } });
    expect(third.stop).toBeUndefined();
    expect(outcomes(third.results)).toEqual({ restored: 1, changed: 4 });
  });

  it('counts hosts that the plan could not reach: nothing is begun when that uses it up', async () => {
    const faults = { beforeOpen: (_: number, host: { name: string }) => (host.name === 'node-2' ? ({ kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } as const) : undefined) };
    const fleet = await createFleet({ playbook, specs: ok(3), policy: { budget: { run: hosts(1), per: [] } }, faults });
    expect(outcomes((await fleet.apply()).results)).toEqual({ unreachable: 1, skipped: 2 });
    expect(visited(fleet)).toEqual([]);
  });
});

describe('what a stop brings back', () => {
  const specs = [...ok(4), diesWithNewValue, zeroInJson];
  const policy: Partial<Rollout> = { waves: waves(2), within: hosts(1), budget: { run: hosts(1), per: [] } };

  it.each([['halt', ['node-1', 'node-2', 'node-3', 'node-4']], ['undoWave', ['node-1', 'node-2']], ['undoRun', []]] as const)('%s', async (onStop, left) => {
    const fleet = await createFleet({ playbook, specs, policy: { ...policy, onStop } });
    const end = await fleet.apply();
    expect(changedNodes(fleet)).toEqual(left);
    expect(outcomes(end.results)).toEqual({ restored: 5 - left.length, skipped: 1, ...(left.length > 0 ? { changed: left.length } : {}) });
    expect(exitCodeOf(end)).toBe(2);
    const last = (await fleet.journal.read(RUN)).at(-1);
    expect(last?.type).toBe('rolloutEnded');
  });
});

describe('between two waves', () => {
  const policy: Partial<Rollout> = { waves: waves(2), soakMs: 60_000 };

  it('a host that somebody breaks in the soak closes the gate', async () => {
    const fleet = await createFleet({
      playbook, specs: ok(4), policy,
      onEntry: (entry, { nodes: [node] }) => { if (entry.type === 'soaking') node?.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '0s', registryPullQPS: 7 })); },
    });
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason: 'gate' });
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['stuck', 'changed', 'skipped', 'skipped']);
    expect(end.results[0]?.failure?.summary).toContain('the audit passes no more');
    expect(exitCodeOf(end)).toBe(3);
  });

  it('a command that says no closes the gate, and hosts of the wave stay as the policy says', async () => {
    const fleet = await createFleet({ playbook, specs: ok(3), policy: { ...policy, gate: COMMAND, onStop: 'undoWave' }, says: (hook) => (hook === 'gate' ? 7 : 0) });
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason: 'gate', then: 'undoWave' });
    expect(end.complaints).toMatchObject([{ kind: 'hook', summary: 'gate (./command) ended with exit code 7', detail: 'what it said' }]);
    expect(changedNodes(fleet)).toEqual([]);
    expect(exitCodeOf(end)).toBe(2);
  });

  it.each([['timeout', 'did not end within 1 min'], ['notStarted', 'could not be started']] as const)('a gate that ends with %s is closed', async (code, words) => {
    const fleet = await createFleet({ playbook, specs: ok(3), policy: { ...policy, gate: COMMAND }, says: (hook) => (hook === 'gate' ? code : 0) });
    const end = await fleet.apply();
    expect(end.complaints[0]?.summary).toContain(words.slice(0, 18));
    expect(outcomes(end.results)).toEqual({ changed: 2, skipped: 1 });
  });

  it('a gate that was stopped with the run has said nothing: nothing is taken back', async () => {
    const drain = new AbortController();
    const fleet = await createFleet({
      playbook, specs: ok(3), policy: { ...policy, gate: COMMAND, onStop: 'undoRun' }, drain: drain.signal,
      says: (hook) => { if (hook !== 'gate') return 0; drain.abort(); return 'stopped'; },
    });
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason: 'interrupt', then: 'halt' });
    expect(end.complaints).toEqual([]);
    expect(changedNodes(fleet)).toEqual(['node-1', 'node-2']);
  });
});

describe('hooks', () => {
  const hooks = { beforeRun: COMMAND, afterRun: COMMAND, beforeWave: COMMAND, afterWave: COMMAND, beforeHost: COMMAND, afterHost: COMMAND };

  it('run before and after run, wave and host, in this order', async () => {
    const fleet = await createFleet({ playbook, specs: ok(2), policy: { waves: waves(1), hooks } });
    const end = await fleet.apply();
    expect(fleet.asked).toEqual([
      'beforeRun', 'beforeWave 1', 'beforeHost node-1', 'afterHost node-1', 'afterWave 1', 'beforeWave 2', 'beforeHost node-2', 'afterHost node-2', 'afterWave 2', 'afterRun',
    ]);
    expect(exitCodeOf(end)).toBe(0);
  });

  it('beforeHost that says no refuses that host, untouched, and counts', async () => {
    const fleet = await createFleet({
      playbook, specs: ok(4), policy: { hooks, within: hosts(1), budget: { run: hosts(2), per: [] } }, says: (hook, facts) => (hook === 'beforeHost' && facts.host?.name !== 'node-1' ? 1 : 0),
    });
    const end = await fleet.apply();
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'refused', 'refused', 'skipped']);
    expect(end.results[1]?.failure).toMatchObject({ kind: 'hook', done: 'fleetmend touched nothing' });
    expect(end.stop?.reason).toBe('budget');
    expect(visited(fleet)).toEqual(['node-1']);
  });

  it('beforeHost that was stopped with the run leaves the host to a resume', async () => {
    const fleet = await createFleet({ playbook, specs: ok(1), policy: { hooks }, says: (hook) => (hook === 'beforeHost' && fleet.asked.length < 4 ? 'stopped' : 0) });
    expect(outcomes((await fleet.apply()).results)).toEqual({ skipped: 1 });
    expect(outcomes((await fleet.resume()).results)).toEqual({ changed: 1 });
  });

  it.each(['beforeRun', 'beforeWave'])('%s that says no begins nothing', async (name) => {
    const fleet = await createFleet({ playbook, specs: ok(2), policy: { hooks }, says: (hook) => (hook === name ? 1 : 0) });
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason: 'hook', then: 'halt' });
    expect(outcomes(end.results)).toEqual({ skipped: 2 });
    expect(visited(fleet)).toEqual([]);
    expect((await fleet.journal.read(RUN)).map(({ type }) => type)).not.toContain('waveBegan');
  });

  it.each([['afterHost', 2, { changed: 2 }], ['afterWave', 1, { changed: 1, skipped: 1 }], ['afterRun', 1, { changed: 2 }]] as const)('%s that says no is a complaint, and the run is not fine', async (name, complaints, ends) => {
    const fleet = await createFleet({ playbook, specs: ok(2), policy: { waves: waves(1), hooks }, says: (hook) => (hook === name ? 1 : 0) });
    const end = await fleet.apply();
    expect(end.complaints).toHaveLength(complaints);
    expect(outcomes(end.results)).toEqual(ends);
    expect(exitCodeOf(end)).toBe(2);
  });
});

describe('a rollout whose process dies', () => {
  const policy: Partial<Rollout> = { waves: waves(1, 3), within: hosts(2), soakMs: 10_000, gate: COMMAND };
  const waveOf = (host: string): number => (host === 'node-1' ? 1 : ['node-2', 'node-3'].includes(host) ? 2 : 3);

  /** After each fact of the run, before it, and now and then between. */
  async function deaths(specs = ok(4), over: Partial<Rollout> = {}, says: (hook: string) => number = () => 0): Promise<number[]> {
    const fleet = await createFleet({ playbook, specs, policy: { ...policy, ...over }, says });
    await fleet.apply();
    const entries = await fleet.journal.read(RUN);
    return entries.flatMap((entry, index) => (isRunEntry(entry) || (entries[index + 1] !== undefined && index % 9 === 0) ? [index, index + 1] : [])).filter((n, index, all) => n > 0 && n !== all[index - 1]);
  }

  it('goes on in the right wave, repeats no gate that was passed, and changes every host once', async () => {
    const points = await deaths();
    expect(points.length).toBeGreaterThan(20);
    for (const point of points) {
      const what = `dead after entry ${point}`;
      const fleet = await createFleet({ playbook, specs: ok(4), policy });
      await fleet.applyUntil(point);
      const before = await fleet.journal.read(RUN);
      const asked = fleet.asked.length;
      const end = await fleet.resume();
      expect(outcomes(end.results), what).toEqual({ changed: 4 });
      expect(changedNodes(fleet), what).toHaveLength(4);
      for (const entry of before) if (entry.type === 'wavePassed') expect(fleet.asked.slice(asked), what).not.toContain(`gate ${entry.wave}`);
      const all = await fleet.journal.read(RUN);
      for (const [index, entry] of all.entries()) {
        if (entry.type !== 'planned') continue;
        const passed = all.slice(0, index).flatMap((earlier) => (earlier.type === 'wavePassed' ? [earlier.wave] : []));
        for (let wave = 1; wave < waveOf(entry.host); wave += 1) expect(passed, `${what}: ${entry.host}`).toContain(wave);
      }
      // Hosts that were under way come before anything else of the rollout.
      const tail = all.slice(before.length);
      const firstOfRun = tail.findIndex((entry) => entry.type === 'rolloutBegan');
      const underWay = before.filter((entry) => entry.type === 'planned' && !before.some((later) => later.host === entry.host && later.type === 'finished')).map(({ host }) => host);
      for (const host of underWay) expect(tail.slice(0, firstOfRun).some((entry) => entry.host === host && entry.type === 'finished'), `${what}: ${host}`).toBe(true);
    }
  }, 120_000);

  it('finishes an undo that was decided, whoever dies in it', async () => {
    const says = (hook: string): number => (hook === 'gate' ? 1 : 0);
    const over: Partial<Rollout> = { waves: waves(2), onStop: 'undoRun' };
    const all = await createFleet({ playbook, specs: ok(3), policy: { ...policy, ...over }, says });
    await all.apply();
    const decided = (await all.journal.read(RUN)).findIndex((entry) => entry.type === 'stopped') + 1;
    const total = (await all.journal.read(RUN)).length;
    for (let point = decided; point < total; point += 3) {
      const fleet = await createFleet({ playbook, specs: ok(3), policy: { ...policy, ...over }, says });
      await fleet.applyUntil(point);
      const asked = fleet.asked.length;
      const end = await fleet.resume();
      expect(changedNodes(fleet), `dead after entry ${point}`).toEqual([]);
      expect(outcomes(end.results), `dead after entry ${point}`).toEqual({ restored: 2, skipped: 1 });
      expect(fleet.asked.slice(asked)).toEqual([]);
    }
  }, 120_000);

  it('brings a host back that only the second process finished', async () => {
    const fleet = await createFleet({ playbook, specs: ok(2), policy: { ...policy, waves: waves(1), onStop: 'undoRun' }, says: (hook) => (hook === 'gate' ? 1 : 0) });
    // In the middle of the first host.
    await fleet.applyUntil(6);
    const end = await fleet.resume();
    expect(end.stop).toMatchObject({ reason: 'gate', then: 'undoRun' });
    expect(outcomes(end.results)).toEqual({ restored: 1, skipped: 1 });
    expect(changedNodes(fleet)).toEqual([]);
  });

  it('an undo that was interrupted is due still', async () => {
    const drain = new AbortController();
    const fleet = await createFleet({
      playbook, specs: ok(3), policy: { ...policy, waves: waves(2), onStop: 'undoRun' }, says: (hook) => (hook === 'gate' ? 1 : 0), drain: drain.signal,
      onEntry: (entry) => { if (entry.type === 'stopped') drain.abort(); },
    });
    const first = await fleet.apply();
    expect(outcomes(first.results)).toEqual({ changed: 2, skipped: 1 });
    expect(exitCodeOf(first)).toBe(2);
    expect((await fleet.journal.read(RUN)).map(({ type }) => type)).not.toContain('rolloutEnded');
  });

  it('leaves hosts that were not begun skipped for good, until somebody resumes', async () => {
    const fleet = await createFleet({ playbook, specs: [diesWithNewValue, ...ok(2)], policy: { within: hosts(1), budget: { run: hosts(1), per: [] } } });
    await fleet.apply();
    const finished = (await fleet.journal.read(RUN)).flatMap((entry) => (entry.type === 'finished' ? [[entry.host, entry.outcome, entry.failure?.kind]] : []));
    expect(finished).toEqual([['node-1', 'restored', expect.anything()], ['node-2', 'skipped', 'interrupted'], ['node-3', 'skipped', 'interrupted']]);
  });
});
