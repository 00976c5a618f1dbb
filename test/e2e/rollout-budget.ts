/** A budget for each zone: the host that reaches it is the last one that is begun, and silent nodes count. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { entriesOf, hostsOf } from './fleetmend.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { begunHosts, byOutcome, DIES_WITH_NEW, expectUntouched, FLEET, finishes, inPool, labelsOf, runFacts, stopOf } from './rollout-fleet.js';

/** East and west in turn, so that the one zone's failures do not come first by luck. */
const NODES = inPool('c').slice(0, 5).flatMap((name, index) => [name, inPool('c')[index + 5] ?? '']).concat(inPool('d'));
const WEST = NODES.filter((name) => labelsOf(name).zone === 'west');
const WITHIN = 3;
const ROLLOUT = { waves: ['100%'], within: WITHIN };
const FLAGS = ['--canary', 'none', '--budget', 'none', '--budget-per', 'zone=2'];

export function describeZoneBudget(of: () => RolloutFleet): void {
  describe('a budget of 2 hosts for each zone', () => {
    beforeEach(async () => of().reset(NODES));
    afterAll(async () => of().reset(FLEET));

    it('stops at the 2nd failed host of one zone: nothing is begun after it, whatever the other zone does', async () => {
      const { stage, access, playbook, look, changed, restored, fault } = of();
      await fault(WEST, DIES_WITH_NEW);
      const before = await look(NODES);
      const ended = await stage.run('apply', NODES, access(playbook(ROLLOUT), { arguments: FLAGS, output: 'ndjson' }));
      expect(ended.code).toBe(2);
      const stops = runFacts(ended.stdout).flatMap((fact) => (fact.type === 'stopped' ? [[fact.reason, fact.summary, fact.then]] : []));
      expect(stops).toEqual([['budget', expect.stringContaining('the 2nd of 10 hosts in zone west failed'), 'halt']]);

      const outcomes = finishes(ended.stdout);
      const having = (outcome: string): string[] => NODES.filter((name) => outcomes.get(name) === outcome);
      expect(having('restored').every((name) => WEST.includes(name))).toBe(true);
      expect(having('restored').length).toBeGreaterThanOrEqual(2);
      // The two, and at most those that were under way beside the second.
      expect(having('restored').length).toBeLessThanOrEqual(2 + WITHIN - 1);
      expect(having('changed').some((name) => WEST.includes(name))).toBe(false);
      expect(having('changed').length + having('restored').length + having('skipped').length).toBe(NODES.length);
      const entries = entriesOf(ended.stdout);
      const stoppedAt = entries.findIndex(({ type }) => type === 'stopped');
      const begunLater = begunHosts(entries.slice(stoppedAt).map((entry) => JSON.stringify({ event: 'entry', entry })).join('\n'));
      const secondAt = entries.map((entry, index) => (entry.type === 'finished' && entry.outcome === 'restored' ? index : -1)).filter((index) => index >= 0)[1] ?? -1;
      expect(secondAt).toBeGreaterThan(0);
      const openThen = new Set(entries.slice(0, secondAt).flatMap((entry) => (entry.type === 'planned' || entry.type === 'began' ? [entry.host] : [])));
      expect(begunLater.filter((name) => !openThen.has(name))).toEqual([]);

      const now = await look(NODES);
      changed(having('changed'), before, now);
      restored(having('restored'), before, now);
      expectUntouched(having('skipped'), before, now);
    });

    it('counts nodes that do not answer: with 2 of them in one zone nothing is begun', async () => {
      const { stage, access, playbook, look } = of();
      const before = await look(NODES);
      const silent = [WEST[0] ?? '', WEST[3] ?? ''];
      try {
        for (const name of silent) await stage.node(name).cutLink();
        const ended = await stage.run('apply', NODES, access(playbook(ROLLOUT), { arguments: FLAGS, connectTimeout: '2s' }));
        const skipped = NODES.filter((name) => !silent.includes(name));
        expect([ended.code, byOutcome(ended)]).toEqual([2, { unreachable: NODES.filter((name) => silent.includes(name)), skipped }]);
        expect(stopOf(ended)).toMatchObject({ reason: 'budget', summary: expect.stringContaining('the 2nd of 10 hosts in zone west failed') as string });
        expect(hostsOf(ended).get(skipped[0] ?? '')?.failure?.summary).toMatch(/^not begun: /);
        expectUntouched(NODES, before, await look(NODES));
      } finally {
        for (const name of silent) await stage.node(name).restoreLink();
      }
    });
  });
}
