/** Outside its maintenance window a rollout begins nothing, and says until when. */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RolloutFleet } from './rollout-fleet.js';
import { begunHosts, byOutcome, expectUntouched, finishes, FLEET, runFacts } from './rollout-fleet.js';

const NODES = FLEET.slice(0, 3);
const HOUR_MS = 3_600_000;

export function describeWindow(of: () => RolloutFleet): void {
  describe('a maintenance window', () => {
    beforeEach(async () => of().reset(NODES));

    /** It opens in two to three hours. */
    const closedWindow = (): { readonly rollout: object; readonly opensAt: string } => {
      const opens = new Date(Math.floor(Date.now() / HOUR_MS + 3) * HOUR_MS);
      const clock = (at: Date): string => at.toISOString().slice(11, 16);
      const window = { from: clock(opens), to: clock(new Date(opens.getTime() + HOUR_MS)), timeZone: 'UTC' };
      return { rollout: { waves: ['100%'], canary: 'none', budget: 'none', window }, opensAt: opens.toISOString() };
    };

    it('that is closed: nothing begins, it says until when it waits, and Ctrl-C leaves every node as it was', async () => {
      const { stage, access, playbook, look } = of();
      const before = await look(NODES);
      const { rollout, opensAt } = closedWindow();
      const run = stage.start('apply', NODES, access(playbook(rollout), { output: 'ndjson' }));
      await run.said('"type":"waiting"');
      await sleep(2_000);
      expectUntouched(NODES, before, await look(NODES));
      run.child.kill('SIGINT');
      const ended = await run.ended;
      expect(runFacts(ended.stdout)).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'waiting', for: 'window', until: opensAt })]));
      expect([ended.code, begunHosts(ended.stdout), [...finishes(ended.stdout)]]).toEqual([130, [], NODES.map((name) => [name, 'skipped'])]);
      expectUntouched(NODES, before, await look(NODES));
    });

    it('that is closed, with --window none: the hosts are changed now', async () => {
      const { stage, access, playbook, look, changed } = of();
      const before = await look(NODES);
      const ended = await stage.run('apply', NODES, access(playbook(closedWindow().rollout), { arguments: ['--window', 'none'] }));
      expect([ended.code, byOutcome(ended)]).toEqual([0, { changed: NODES }]);
      changed(NODES, before, await look(NODES));
    });
  });
}
