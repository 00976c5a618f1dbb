/** The controller of a rollout is killed in its second wave: a resume goes on in that wave. */
import { beforeEach, describe, expect, it } from 'vitest';
import { killTree } from './fleetmend.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { begunHosts, byOutcome, expectUntouched, finishes, FLEET, runFacts } from './rollout-fleet.js';
import { newestRun, shownHosts } from './runs.js';

const NODES = FLEET.slice(16, 26);
const WAVES = [NODES.slice(0, 2), NODES.slice(2, 7), NODES.slice(7)];
const ROLLOUT = { waves: [2, 7, '100%'], canary: 'none', budget: 'none', within: 2 };

export function describeKilledRollout(of: () => RolloutFleet): void {
  describe('a rollout whose controller is killed', () => {
    beforeEach(async () => of().reset(NODES));

    it('in the second wave: a resume goes on there, begins no passed wave again, and all hosts end changed', async () => {
      const { stage, access, playbook, look, changed } = of();
      const before = await look(NODES);
      const killed = stage.start('apply', NODES, access(playbook(ROLLOUT), { output: 'ndjson' }));
      const [first = []] = WAVES;
      await killed.said(/"type":"waveBegan","wave":2[^]*"type":"began"/);
      killTree(killed);
      const dead = await killed.ended;
      const begun = begunHosts(dead.stdout);
      expect(begun.length).toBeGreaterThan(first.length);
      expect(begun.length).toBeLessThan(NODES.length);
      expect(WAVES[2]?.some((name) => begun.includes(name))).toBe(false);

      const run = await newestRun(stage);
      const standings = new Map((await shownHosts(stage, run)).map(({ host, standing }) => [host, standing]));
      expect(first.map((name) => standings.get(name))).toEqual(['ended', 'ended']);
      const between = await look(NODES);
      changed(first, before, between);
      expectUntouched(WAVES[2] ?? [], before, between);

      const resumed = await stage.past('resume', [run], { output: 'ndjson' });
      expect(resumed.code).toBe(0);
      expect(runFacts(resumed.stdout).flatMap((fact) => (fact.type === 'waveBegan' || fact.type === 'wavePassed' ? [`${fact.type} ${fact.wave}`] : []))).toEqual([
        'waveBegan 2', 'wavePassed 2', 'waveBegan 3', 'wavePassed 3',
      ]);
      const left = NODES.filter((name) => standings.get(name) !== 'ended');
      expect(left).toEqual(expect.arrayContaining([...(WAVES[2] ?? [])]));
      expect(new Map([...finishes(resumed.stdout)].sort())).toEqual(new Map(left.map((name) => [name, 'changed'])));
      const now = await look(NODES);
      changed(NODES, before, now);
      expectUntouched(first, between, now);

      const again = await stage.past('resume', [run]);
      expect([again.code, byOutcome(again)]).toEqual([0, { changed: NODES }]);
      expectUntouched(NODES, now, await look(NODES));
    });
  });
}
