/** The commands around hosts and runs come in pairs: whatever becomes of a host or a process, what was begun outside is ended outside. */
import { beforeAll, describe, expect, it } from 'vitest';
import { FleetmendError } from '../../src/core/failure.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { Rollout } from '../../src/core/rollout.js';
import { owedHooks } from '../../src/rollout/rollout-past.js';
import { isRunEntry } from '../../src/core/journal.js';
import { compliantAl2023, diesWithNewValue, zeroInJson } from '../fake/layouts.js';
import { withShortSoak } from './crash-rig.js';
import type { Facts, Fleet } from './rollout-fleet.js';
import { COMMAND, changedNodes, createFleet, exitCodeOf, outcomes, visited } from './rollout-fleet.js';
import { RUN, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const ALL = { unit: 'percent', percent: 100 } as const;
const hosts = (count: number) => ({ unit: 'hosts', count }) as const;
const ok = (count: number) => Array.from({ length: count }, () => zeroInJson);
const AROUND_HOSTS: Partial<Rollout> = { within: hosts(1), hooks: { beforeHost: COMMAND, afterHost: COMMAND } };

const timesOf = ({ asked }: Fleet, what: string): number => asked.filter((one) => one === what).length;
async function stillOwed({ journal }: Fleet): Promise<string[]> {
  return [...owedHooks((await journal.read(RUN)).filter(isRunEntry))];
}

describe('beforeHost', () => {
  it('is not started before the journal has that afterHost is owed', async () => {
    const order: string[] = [];
    const fleet = await createFleet({
      playbook, specs: ok(2), policy: AROUND_HOSTS,
      says: (hook, { host }) => { order.push(`${hook} ${host?.name ?? ''}`); return 0; },
      onEntry: (entry) => { if (entry.type === 'hooksBegan' || entry.type === 'hooksEnded') order.push(`${entry.type} ${entry.onHost}`); },
    });
    await fleet.apply();
    expect(order).toEqual(['node-1', 'node-2'].flatMap((host) => [`hooksBegan ${host}`, `beforeHost ${host}`, `afterHost ${host}`, `hooksEnded ${host}`]));
  });

  it('is not started at all when the journal does not take that: nothing is touched, and no further host is begun', async () => {
    const fleet = await createFleet({
      playbook, specs: ok(4), policy: AROUND_HOSTS, onEntry: (entry) => { if (entry.type === 'hooksBegan') throw new FleetmendError({ kind: 'journal', summary: 'disk full' }); },
    });
    const end = await fleet.apply();
    expect(fleet.asked).toEqual([]);
    expect(visited(fleet)).toEqual([]);
    expect(outcomes(end.results)).toEqual({ refused: 1, skipped: 3 });
    expect(end.stop).toMatchObject({ reason: 'journal', then: 'halt' });
    expect(exitCodeOf(end)).toBe(2);
  });

  it('that the run is stopped under leaves its host untouched and skipped, and afterHost runs', async () => {
    const drain = new AbortController();
    const ends: Facts[] = [];
    const fleet = await createFleet({
      playbook, specs: ok(2), policy: AROUND_HOSTS, drain: drain.signal,
      says: (hook, facts) => { if (hook === 'beforeHost') drain.abort(); else ends.push(facts); return 0; },
    });
    const end = await fleet.apply();
    expect(outcomes(end.results)).toEqual({ skipped: 2 });
    expect(visited(fleet)).toEqual([]);
    expect(fleet.asked).toEqual(['beforeHost node-1', 'afterHost node-1']);
    expect(ends).toMatchObject([{ outcome: 'skipped' }]);
    expect(await stillOwed(fleet)).toEqual([]);
  });
});

describe('afterHost', () => {
  const specs = [zeroInJson, diesWithNewValue, zeroInJson, zeroInJson, compliantAl2023];
  const create = (ends: string[] = []): Promise<Fleet> => createFleet({
    playbook, specs, policy: { ...AROUND_HOSTS, waves: [hosts(3), ALL], budget: { run: hosts(2), per: [] } },
    says: (hook, { host, outcome }) => {
      if (hook === 'afterHost') ends.push(`${host?.name ?? ''} ${outcome ?? ''}`);
      return hook === 'beforeHost' && host?.name === 'node-3' ? 1 : 0;
    },
  });

  it('runs once for each host whose hooks began: changed, restored, or refused by its beforeHost; and for no other', async () => {
    const ends: string[] = [];
    const fleet = await create(ends);
    const end = await fleet.apply();
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'restored', 'refused', 'skipped', 'compliant']);
    expect(ends).toEqual(['node-1 changed', 'node-2 restored', 'node-3 refused']);
    expect(await stillOwed(fleet)).toEqual([]);
  });

  async function expectPaid(fleet: Fleet, what: string): Promise<void> {
    const end = await fleet.resume();
    expect(end.results, what).toHaveLength(specs.length);
    const began = new Set((await fleet.journal.read(RUN)).flatMap((entry) => (entry.type === 'hooksBegan' ? [entry.onHost] : [])));
    for (const { name } of fleet.rig.hosts) {
      const before = timesOf(fleet, `beforeHost ${name}`);
      expect(timesOf(fleet, `afterHost ${name}`), `${what}: afterHost ${name}`).toBe(began.has(name) ? 1 : 0);
      expect(before, `${what}: beforeHost ${name}`).toBeLessThanOrEqual(2);
    }
    expect(await stillOwed(fleet), what).toEqual([]);
    const asked = fleet.asked.length;
    await fleet.resume();
    expect(fleet.asked.length, `${what}: nothing is run for a run that is through`).toBe(asked);
  }

  it('runs once whenever the process dies', async () => {
    const whole = await create();
    await whole.apply();
    const total = (await whole.journal.read(RUN)).length;
    for (let point = 1; point < total; point += 1) {
      const fleet = await create();
      await fleet.applyUntil(point);
      await expectPaid(fleet, `dead after entry ${point} of ${total}`);
    }
  });

  it('runs once whenever two processes die', async () => {
    const whole = await create();
    await whole.apply();
    const total = (await whole.journal.read(RUN)).length;
    for (let point = 2; point < total; point += 5) {
      for (let second = 1; second < total - point; second += 4) {
        const fleet = await create();
        await fleet.applyUntil(point);
        await fleet.resumeUntil(second);
        await expectPaid(fleet, `dead after entry ${point} of ${total}, and after ${second} more`);
      }
    }
  });

  it('is run by a resume for a host that had its end, but not its afterHost', async () => {
    const ends: string[] = [];
    const whole = await create();
    await whole.apply();
    const finished = (await whole.journal.read(RUN)).findIndex((entry) => entry.type === 'finished' && entry.host === 'node-2') + 1;
    const fleet = await create(ends);
    await fleet.applyUntil(finished);
    expect(ends).toEqual(['node-1 changed']);
    await fleet.resume();
    expect(ends.slice(0, 2)).toEqual(['node-1 changed', 'node-2 restored']);
    expect(timesOf(fleet, 'afterHost node-2')).toBe(1);
    expect(timesOf(fleet, 'beforeHost node-2')).toBe(1);
  });

  it('runs for a host whose turn never comes again', async () => {
    const ends: string[] = [];
    const fleet = await create(ends);
    const whole = await create();
    await whole.apply();
    await fleet.applyUntil((await whole.journal.read(RUN)).findIndex((entry) => entry.type === 'hooksBegan' && entry.onHost === 'node-2') + 1);
    const stopped = new AbortController();
    stopped.abort();
    Object.assign(fleet.rig.ports, { drain: stopped.signal });
    const end = await fleet.resume();
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'skipped', 'skipped', 'skipped', 'compliant']);
    expect(ends).toEqual(['node-1 changed', 'node-2 skipped']);
    expect(await stillOwed(fleet)).toEqual([]);
  });

  it('that is stopped with the run stays owed, a complaint says so, and a resume runs it', async () => {
    let isFirst = true;
    const fleet = await createFleet({
      playbook, specs: ok(1), policy: AROUND_HOSTS,
      says: (hook) => { if (hook !== 'afterHost' || !isFirst) return 0; isFirst = false; return 'stopped'; },
    });
    const end = await fleet.apply();
    expect(end.complaints).toMatchObject([{ kind: 'interrupted', summary: expect.stringMatching(/^node-1: afterHost .* was stopped with the run$/), next: 'a resume runs it again' }]);
    expect(exitCodeOf(end)).toBe(2);
    expect(await stillOwed(fleet)).toEqual(['node-1']);
    const again = await fleet.resume();
    expect(fleet.asked).toEqual(['beforeHost node-1', 'afterHost node-1', 'afterHost node-1']);
    expect(again.complaints).toEqual([]);
    expect(exitCodeOf(again)).toBe(0);
    expect(await stillOwed(fleet)).toEqual([]);
    expect(changedNodes(fleet)).toEqual(['node-1']);
  });
});

it('afterHost is left to whoever took the run over', async () => {
  const fleet = await createFleet({
    playbook, specs: ok(1), policy: AROUND_HOSTS, onEntry: (entry) => { if (entry.type === 'began') throw new FleetmendError({ kind: 'fenced', summary: 'taken over' }); },
  });
  expect((await fleet.apply()).results).toMatchObject([{ outcome: 'stuck', failure: { kind: 'fenced' } }]);
  expect(fleet.asked).toEqual(['beforeHost node-1']);
  expect(await stillOwed(fleet)).toEqual(['node-1']);
});

describe('beforeRun and afterRun', () => {
  const hooks = { beforeRun: COMMAND, afterRun: COMMAND };
  const ofRun = ({ asked }: Fleet): string[] => asked.filter((one) => one.endsWith('Run'));

  it('run once each in every process that begins something', async () => {
    const policy: Partial<Rollout> = { hooks, waves: [hosts(1), ALL], within: hosts(1) };
    const whole = await createFleet({ playbook, specs: ok(2), policy });
    await whole.apply();
    expect(ofRun(whole)).toEqual(['beforeRun', 'afterRun']);
    const second = (await whole.journal.read(RUN)).findIndex((entry) => entry.type === 'waveBegan' && entry.wave === 2) + 1;
    const fleet = await createFleet({ playbook, specs: ok(2), policy });
    await fleet.applyUntil(second);
    expect(ofRun(fleet)).toEqual(['beforeRun']);
    await fleet.resume();
    expect(ofRun(fleet)).toEqual(['beforeRun', 'beforeRun', 'afterRun']);
    await fleet.resume();
    expect(ofRun(fleet)).toEqual(['beforeRun', 'beforeRun', 'afterRun']);
  });

  it('run both when beforeRun itself says no', async () => {
    const fleet = await createFleet({ playbook, specs: ok(2), policy: { hooks }, says: (hook) => (hook === 'beforeRun' ? 1 : 0) });
    expect(outcomes((await fleet.apply()).results)).toEqual({ skipped: 2 });
    expect(ofRun(fleet)).toEqual(['beforeRun', 'afterRun']);
  });

  it('are not run by a process that begins nothing', async () => {
    const stopped = new AbortController();
    stopped.abort();
    const drained = await createFleet({ playbook, specs: ok(2), policy: { hooks } });
    const { rig } = drained;
    Object.assign(rig.ports, { drain: stopped.signal });
    expect(outcomes((await drained.apply()).results)).toEqual({ skipped: 2 });
    expect(drained.asked).toEqual([]);

    const spent = await createFleet({ playbook, specs: [...ok(2), zeroInJson], policy: { hooks, budget: { run: hosts(1), per: [] } }, faults: {
      beforeOpen: (_, { name }) => (name === 'node-2' ? { kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } : undefined),
    } });
    expect((await spent.apply()).stop?.reason).toBe('budget');
    expect(spent.asked).toEqual([]);
  });
});

describe('a fleet in which nothing is to be changed', () => {
  it('has no rollout: no facts of the run, no hooks, and nothing stops it, whatever the budget', async () => {
    const all = { beforeRun: COMMAND, afterRun: COMMAND, beforeWave: COMMAND, afterWave: COMMAND, beforeHost: COMMAND, afterHost: COMMAND };
    const fleet = await createFleet({
      playbook, specs: [compliantAl2023, compliantAl2023], policy: { hooks: all, gate: COMMAND, budget: { run: hosts(1), per: [] } },
      faults: { beforeOpen: (_, { name }) => (name === 'node-2' ? { kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } : undefined) },
    });
    for (const end of [await fleet.apply(), await fleet.resume()]) {
      expect(outcomes(end.results)).toEqual({ compliant: 1, unreachable: 1 });
      expect(end.stop).toBeUndefined();
      expect(exitCodeOf(end)).toBe(2);
    }
    expect(fleet.asked).toEqual([]);
    expect((await fleet.journal.read(RUN)).filter(isRunEntry)).toEqual([]);
  });
});
