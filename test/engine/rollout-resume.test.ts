/** A run whose process died at any entry, taken up again: every host has one result, and what was taken back stays taken back. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import type { ControlRequest } from '../../src/core/ports.js';
import type { Rollout } from '../../src/core/rollout.js';
import type { FleetEnd } from '../../src/engine/host-end.js';
import type { NodeSpec } from '../fake/layouts.js';
import { compliantAl2023, diesWithNewValue, eksAl2, zeroInJson } from '../fake/layouts.js';
import { withShortSoak } from './crash-rig.js';
import type { Fleet, FleetOptions } from './rollout-fleet.js';
import { COMMAND, changedNodes, createFleet, exitCodeOf, hostEntries, outcomes, visited } from './rollout-fleet.js';
import { RUN, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const ALL = { unit: 'percent', percent: 100 } as const;
const hosts = (count: number) => ({ unit: 'hosts', count }) as const;
const unreadable: NodeSpec = { layout: eksAl2, ailment: 'a configuration that is no JSON', files: { [eksAl2.configPath]: '{ "kind": ' } };
const MIXED = [zeroInJson, compliantAl2023, unreadable, zeroInJson, diesWithNewValue, zeroInJson];
const NO_ROUTE: NonNullable<FleetOptions['faults']> = {
  beforeOpen: (_, { name }) => (name === 'node-4' ? { kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } : undefined),
};

/** What a resume may not change once the run is through. */
async function traces(fleet: Fleet): Promise<readonly unknown[]> {
  return [(await hostEntries(fleet)).length, fleet.rig.connector.operations.length, changedNodes(fleet), fleet.asked.length];
}

const said = ({ results, stop }: FleetEnd) => [results.map(({ host, outcome, undone, failure }) => ({ host, outcome, undone, kind: failure?.kind })), stop?.reason, stop?.then];

describe('a fleet with compliant, unjudged, unreachable and failing hosts', () => {
  const policy: Partial<Rollout> = { waves: [hosts(1), ALL], within: hosts(1) };
  /** One entry after the other: a death leaves hosts of which nothing was written. */
  async function create(over: Partial<Rollout> = {}): Promise<Fleet> {
    const fleet = await createFleet({ playbook, specs: MIXED, policy: { ...policy, ...over }, faults: NO_ROUTE });
    Object.assign(fleet.rig.ports, { concurrency: 1 });
    return fleet;
  }

  it('has one result for each host after a death at any entry, and a second resume says the same and does nothing', async () => {
    const whole = await create();
    const end = await whole.apply();
    expect(outcomes(end.results)).toEqual({ changed: 2, compliant: 1, refused: 1, unreachable: 1, restored: 1 });
    expect(end.results.find(({ outcome }) => outcome === 'refused')?.failure?.kind).toBe('notJudged');
    const total = (await whole.journal.read(RUN)).length;
    for (let point = 1; point < total; point += 1) {
      const what = `dead after entry ${point} of ${total}`;
      const fleet = await create();
      await fleet.applyUntil(point);
      const first = await fleet.resume();
      expect(first.results.map(({ host }) => host), what).toEqual(fleet.rig.hosts.map(({ name }) => name));
      expect(first.results.map(({ outcome }) => outcome), what).toEqual(end.results.map(({ outcome }) => outcome));
      expect(exitCodeOf(first), what).toBe(2);
      const before = await traces(fleet);
      const second = await fleet.resume();
      expect(said(second), what).toEqual(said(first));
      expect(exitCodeOf(second), what).toBe(2);
      expect(await traces(fleet), what).toEqual(before);
    }
  });

  it('counts those that nobody could judge or reach, whether the first process came to say so or not', async () => {
    const budget = { run: hosts(2), per: [] };
    const whole = await create({ budget });
    expect((await whole.apply()).stop?.reason).toBe('budget');
    const total = (await whole.journal.read(RUN)).length;
    for (let point = 1; point < total; point += 1) {
      const what = `dead after entry ${point} of ${total}`;
      const fleet = await create({ budget });
      await fleet.applyUntil(point);
      const end = await fleet.resume();
      expect(end.stop?.reason, what).toBe('budget');
      expect(end.results.map(({ outcome }) => outcome), what).toEqual(['skipped', 'compliant', 'refused', 'unreachable', 'skipped', 'skipped']);
      expect(visited(fleet), what).toEqual([]);
      expect(exitCodeOf(end), what).toBe(2);
    }
  });
});

interface Way {
  readonly name: string;
  readonly reason: string;
  readonly options: (then: 'undoWave' | 'undoRun') => FleetOptions;
}

const policyOf = (onStop: Rollout['onStop'], more: Partial<Rollout> = {}): Partial<Rollout> => ({ waves: [hosts(1), hosts(3), ALL], within: hosts(1), onStop, ...more });
const fine = (count: number) => Array.from({ length: count }, () => zeroInJson);

const WAYS: readonly Way[] = [
  {
    name: 'a gate', reason: 'gate',
    options: (then) => ({ playbook, specs: fine(4), policy: policyOf(then, { gate: COMMAND }), says: (hook, { wave }) => (hook === 'gate' && wave?.number === 2 ? 1 : 0) }),
  },
  {
    name: 'a hook', reason: 'hook',
    options: (then) => ({ playbook, specs: fine(4), policy: policyOf(then, { hooks: { afterWave: COMMAND } }), says: (hook, { wave }) => (hook === 'afterWave' && wave?.number === 2 ? 1 : 0) }),
  },
  {
    name: 'the budget', reason: 'budget',
    options: (then) => ({ playbook, specs: [zeroInJson, zeroInJson, diesWithNewValue, zeroInJson], policy: policyOf(then, { budget: { run: hosts(1), per: [] } }) }),
  },
  {
    name: 'a person', reason: 'person',
    options: (then) => {
      let ask: (request: ControlRequest) => void = () => undefined;
      return {
        playbook, specs: fine(4), policy: policyOf('halt'), controls: { listen: (take) => { ask = take; return () => undefined; } },
        onEntry: (entry) => {
          if (entry.type === 'finished' && entry.host === 'node-2' && entry.outcome === 'changed') ask({ by: 'alice@desk', act: { do: 'undo', scope: then === 'undoRun' ? 'run' : 'wave' }, answer: () => undefined });
        },
      };
    },
  },
];

describe.each(WAYS)('an undo that $name brought about', ({ options, reason }) => {
  it.each([['undoWave', ['node-1']], ['undoRun', []]] as const)('%s is for good: a resume begins nothing and says the same', async (then, left) => {
    const fleet = await createFleet(options(then));
    const end = await fleet.apply();
    expect(end.stop).toMatchObject({ reason, then });
    expect(changedNodes(fleet)).toEqual(left);
    expect(exitCodeOf(end)).toBe(2);
    const before = await traces(fleet);
    for (let time = 0; time < 2; time += 1) {
      const again = await fleet.resume();
      expect(said(again)).toEqual(said(end));
      expect(again.stop).toEqual(end.stop);
      expect(exitCodeOf(again)).toBe(2);
      expect(await traces(fleet)).toEqual(before);
    }
  });

  it.each([['undoWave', ['node-1']], ['undoRun', []]] as const)('%s is completed by a resume, wherever in it the process died', async (then, left) => {
    const whole = await createFleet(options(then));
    const end = await whole.apply();
    const entries = await whole.journal.read(RUN);
    const decided = entries.findIndex(({ type }) => type === 'stopped') + 1;
    expect(decided).toBeGreaterThan(0);
    for (let point = decided; point < entries.length; point += 1) {
      const what = `dead after entry ${point} of ${entries.length}`;
      const fleet = await createFleet(options(then));
      await fleet.applyUntil(point);
      const again = await fleet.resume();
      expect(changedNodes(fleet), what).toEqual(left);
      expect(said(again), what).toEqual(said(end));
      expect(exitCodeOf(again), what).toBe(2);
      const before = await traces(fleet);
      expect(said(await fleet.resume()), what).toEqual(said(end));
      expect(await traces(fleet), what).toEqual(before);
    }
  });
});
