/** What a canary keeps from the fleet: a change that kills the kubelet in one pool only. */
import { beforeEach, describe, expect, it } from 'vitest';
import { forEachLimited } from '../lab/command.js';
import { hostsOf } from './fleetmend.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { byOutcome, DIES_WITH_NEW, expectUntouched, FLEET, inPool, labelsOf, stopOf } from './rollout-fleet.js';
import type { Files } from './truth.js';
import { changedPaths, filesOf } from './truth.js';

const BAD = inPool('a');
const GOOD = FLEET.filter((name) => !BAD.includes(name));
const BAD_LAST = [...GOOD, ...BAD];

export function describeCanary(of: () => RolloutFleet): void {
  describe('a change that kills the kubelet in one pool only', () => {
    beforeEach(async () => {
      await of().reset(FLEET);
      await of().fault(BAD, DIES_WITH_NEW);
    });

    const allFiles = async (): Promise<Map<string, Files>> => {
      const files = new Map<string, Files>();
      await forEachLimited(of().stage.lab.nodes, 8, async (node) => { files.set(node.name, await filesOf(node)); });
      return files;
    };

    it('is stopped by the canary: 1 host is restored, 39 are untouched', async () => {
      const { stage, access, playbook, look, restored } = of();
      const [before, files] = [await look(FLEET), await allFiles()];
      const ended = await stage.run('apply', FLEET, access(playbook({})));
      const [first = '', ...others] = FLEET;
      expect([ended.code, byOutcome(ended), stopOf(ended)?.reason]).toEqual([2, { restored: [first], skipped: others }, 'canary']);
      const now = await look(FLEET);
      restored([first], before, now);
      expectUntouched(others, before, now);
      const after = await allFiles();
      for (const name of others) expect([name, changedPaths(files.get(name) ?? new Map(), after.get(name) ?? new Map())]).toEqual([name, []]);
    });

    it('with the bad pool last: one host of each other pool is changed, 1 is restored, the rest is untouched', async () => {
      const { stage, access, playbook, look, changed, restored } = of();
      const before = await look(FLEET);
      const ended = await stage.run('apply', BAD_LAST, access(playbook({})));
      const outcomes = byOutcome(ended);
      expect([ended.code, stopOf(ended)?.reason, Object.keys(outcomes).sort()]).toEqual([2, 'canary', ['changed', 'restored', 'skipped']]);
      const { changed: canaries = [], restored: bad = [], skipped = [] } = outcomes;
      expect(canaries.map((name) => labelsOf(name).pool).sort()).toEqual(['b', 'c', 'd']);
      expect(bad.map((name) => labelsOf(name).pool)).toEqual(['a']);
      const now = await look(FLEET);
      changed(canaries, before, now);
      restored(bad, before, now);
      expectUntouched(skipped, before, now);
    });

    it('and onStop undoRun: every host is as it was, byte for byte', async () => {
      const { stage, access, playbook, look, restored } = of();
      const before = await look(FLEET);
      const ended = await stage.run('apply', BAD_LAST, access(playbook({ onStop: 'undoRun' })));
      const { restored: back = [], skipped = [], ...more } = byOutcome(ended);
      expect([ended.code, more, stopOf(ended)]).toEqual([2, {}, expect.objectContaining({ reason: 'canary', then: 'undoRun' })]);
      expect(back.map((name) => labelsOf(name).pool).sort()).toEqual(['a', 'b', 'c', 'd']);
      expect(back.map((name) => hostsOf(ended).get(name)?.failure === undefined).filter((isFine) => !isFine)).toHaveLength(1);
      const now = await look(FLEET);
      restored(back, before, now);
      expectUntouched(skipped, before, now);
    });
  });
}
