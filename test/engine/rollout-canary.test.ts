/** A canary that did not prove its change stops the rollout, whatever kept it from that; and what counts for the budget. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import type { ControlRequest } from '../../src/core/ports.js';
import type { Rollout } from '../../src/core/rollout.js';
import type { FakeNode } from '../fake/fake-node.js';
import { eksAl2, jsonConfig, zeroInJson } from '../fake/layouts.js';
import { openVisit } from '../fake/open-visit.js';
import { withShortSoak } from './crash-rig.js';
import type { Fleet } from './rollout-fleet.js';
import { COMMAND, changedNodes, createFleet, exitCodeOf, outcomes, visited } from './rollout-fleet.js';
import { loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const ALL = { unit: 'percent', percent: 100 } as const;
const hosts = (count: number) => ({ unit: 'hosts', count }) as const;
const ok = (count: number) => Array.from({ length: count }, () => zeroInJson);
const CANARY: Partial<Rollout> = { waves: [hosts(1), ALL], canary: { by: [] } };

type Befall = (node: FakeNode) => void;
const BEFALLS: Readonly<Record<'locked' | 'drifted' | 'sick' | 'unreachable' | 'compliant', Befall>> = {
  locked: (node) => { openVisit(node, 'run-of-alice', { session: 'alice' }); },
  drifted: (node) => { node.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '0s', registryPullQPS: 7 })); },
  sick: (node) => {
    node.faults = [{ kind: 'neverHealthy' }];
    node.systemd.restart(node.unit);
  },
  unreachable: (node) => { node.powerCut(); },
  compliant: (node) => {
    node.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '4h0m0s' }));
    node.systemd.restart(node.unit);
  },
};

/** Something befalls nodes after their plan was shown. */
function after(fleet: Fleet, what: Befall, ...numbers: readonly number[]): Fleet {
  for (const number of numbers) {
    const node = fleet.rig.nodes[number - 1];
    if (node === undefined) throw new Error(`no node ${number}`);
    what(node);
  }
  return fleet;
}

describe('a canary that since its plan', () => {
  it.each([['locked', 'refused', 'locked'], ['drifted', 'refused', 'drift'], ['sick', 'refused', 'unhealthy'], ['unreachable', 'unreachable', 'connectTimeout']] as const)('was %s stops the rollout before another host is begun', async (what, outcome, kind) => {
    const fleet = after(await createFleet({ playbook, specs: ok(4), policy: CANARY }), BEFALLS[what], 1);
    const end = await fleet.apply();
    expect(end.results[0]).toMatchObject({ outcome, failure: { kind } });
    expect(outcomes(end.results.slice(1))).toEqual({ skipped: 3 });
    expect(end.stop).toMatchObject({ reason: 'canary', summary: 'the canary node-1 did not prove its change' });
    expect(visited(fleet)).toEqual(['node-1']);
    expect(exitCodeOf(end)).toBe(2);
  });

  it('was locked stops a resume as well', async () => {
    const fleet = after(await createFleet({ playbook, specs: ok(3), policy: CANARY }), BEFALLS.locked, 1);
    await fleet.apply();
    const again = await fleet.resume();
    expect(again.stop?.reason).toBe('canary');
    expect(visited(fleet)).toEqual(['node-1']);
  });

  it('was unreachable is tried again by a resume, and lets the rest follow once it is proved', async () => {
    const fleet = after(await createFleet({ playbook, specs: ok(3), policy: CANARY }), BEFALLS.unreachable, 1);
    await fleet.apply();
    fleet.rig.nodes[0]?.boot();
    const again = await fleet.resume();
    expect(again.stop).toBeUndefined();
    expect(outcomes(again.results)['skipped']).toBeUndefined();
    expect(changedNodes(fleet)).toContain('node-3');
  });

  it('was mended by somebody else is proof', async () => {
    const fleet = after(await createFleet({ playbook, specs: ok(3), policy: CANARY }), BEFALLS.compliant, 1);
    const end = await fleet.apply();
    expect(end.results.map(({ outcome }) => outcome)).toEqual(['compliant', 'changed', 'changed']);
    expect(end.stop).toBeUndefined();
    expect(exitCodeOf(end)).toBe(0);
  });
});

it('a canary cannot be left out by a person, who is told why', async () => {
  let ask: (request: ControlRequest) => void = () => undefined;
  const answers: [boolean, string][] = [];
  const fleet = await createFleet({
    playbook, specs: ok(4), policy: { ...CANARY, canary: { by: ['pool'] }, hooks: { beforeRun: COMMAND } }, labels: (index) => ({ pool: index % 2 === 0 ? 'a' : 'b' }),
    controls: { listen: (take) => { ask = take; return () => undefined; } },
    onEntry: (entry) => {
      if (entry.type === 'rolloutBegan') for (const host of ['node-1', 'node-2', 'node-4']) ask({ by: 'alice@desk', act: { do: 'skip', host }, answer: (accepted, text) => { answers.push([accepted, text]); } });
    },
  });
  const end = await fleet.apply();
  expect(answers).toEqual([
    [false, expect.stringMatching(/^node-1 is a canary: its change would spread without proof/)], [false, expect.stringMatching(/^node-2 is a canary/)], [true, 'node-4 is left out'],
  ]);
  expect(end.results.map(({ outcome }) => outcome)).toEqual(['changed', 'changed', 'changed', 'skipped']);
});

it('a host that a person left out is told as that, also when a stop comes before its turn', async () => {
  let ask: (request: ControlRequest) => void = () => undefined;
  const say = (act: ControlRequest['act']): void => { ask({ by: 'alice@desk', act, answer: () => undefined }); };
  const fleet = await createFleet({
    playbook, specs: ok(3), policy: { waves: [hosts(1), ALL], within: hosts(1) },
    controls: { listen: (take) => { ask = take; return () => undefined; } },
    onEntry: (entry) => {
      if (entry.type === 'rolloutBegan') say({ do: 'skip', host: 'node-3' });
      if (entry.type === 'wavePassed') say({ do: 'stop' });
    },
  });
  const end = await fleet.apply();
  expect(end.results.map(({ outcome, failure }) => [outcome, failure?.summary])).toEqual([
    ['changed', undefined], ['skipped', 'not begun: the rollout was stopped first (a person wanted it so)'], ['skipped', 'a person left this host out'],
  ]);
});

describe('of hosts that their plan no longer fits', () => {
  const policy: Partial<Rollout> = { within: hosts(1), budget: { run: hosts(2), per: [] } };

  it('those that got sick count', async () => {
    const fleet = after(await createFleet({ playbook, specs: ok(4), policy }), BEFALLS.sick, 1, 2);
    const end = await fleet.apply();
    expect(outcomes(end.results)).toEqual({ refused: 2, skipped: 2 });
    expect(end.stop).toMatchObject({ reason: 'budget', summary: expect.stringContaining('the 2nd of 4 hosts failed') });
    expect(changedNodes(fleet)).toEqual([]);
    expect((await fleet.resume()).stop?.reason).toBe('budget');
  });

  it.each(['locked', 'drifted'] as const)('those that are %s do not', async (what) => {
    const fleet = await createFleet({ playbook, specs: ok(4), policy });
    after(fleet, BEFALLS[what], 1, 2);
    const end = await fleet.apply();
    expect(outcomes(end.results)).toEqual({ refused: 2, changed: 2 });
    expect(end.stop).toBeUndefined();
  });

  it('those with a full disk count', async () => {
    const fleet = after(await createFleet({ playbook, specs: ok(4), policy }), (node) => { node.files.setFreeBytes('/', 0); }, 1, 2);
    const end = await fleet.apply();
    expect(end.results.slice(0, 2).map(({ failure }) => failure?.kind)).toEqual(['noSpace', 'noSpace']);
    expect(outcomes(end.results)).toEqual({ refused: 2, skipped: 2 });
    expect(end.stop?.reason).toBe('budget');
  });
});
