/** A person steers a rollout from a second terminal: what was asked is what the nodes then see, and the journal says who asked. */
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/core/journal.js';
import type { Started } from './fleetmend.js';
import { entriesOf } from './fleetmend.js';
import type { RolloutFleet } from './rollout-fleet.js';
import { begunHosts, byOutcome, expectUntouched, finishes, FLEET, runFacts, takenHosts } from './rollout-fleet.js';
import { newestRun, runRows } from './runs.js';

const NODES = FLEET.slice(14, 26);
const ME = `${userInfo().username}@${hostname()}`;
/** Two at once, all in one wave: whatever holds a host back is a person. */
const TWO_AT_ONCE = { waves: ['100%'], canary: 'none', budget: 'none', within: 2 };

/** So many hosts are through, to the last word with the node. */
const through = (count: number): RegExp => new RegExp(`"event":"rollout"[^\\n]*\\b${count} of ${NODES.length} hosts through`);

/** The largest number of hosts that were between their first step and their end at one time. */
function mostAtOnce(entries: readonly JournalEntry[]): number {
  const open = new Set<string>();
  let most = 0;
  for (const { type, host } of entries) {
    if (type === 'began') open.add(host);
    if (type === 'finished') open.delete(host);
    most = Math.max(most, open.size);
  }
  return most;
}

export function describeSteering(of: () => RolloutFleet): void {
  describe('a rollout that is steered from a second terminal', () => {
    beforeEach(async () => of().reset(NODES));

    const begin = async (): Promise<{ rollout: Started; run: string }> => {
      const { stage, access, playbook } = of();
      const known = new Set((await runRows(stage)).map(({ run }) => run));
      const rollout = stage.start('apply', NODES, access(playbook(TWO_AT_ONCE), { output: 'ndjson' }));
      await rollout.said(through(1));
      const run = await newestRun(stage);
      expect(known.has(run)).toBe(false);
      return { rollout, run };
    };
    /** What it answered; it must have agreed. */
    const ask = async (run: string, ...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await of().stage.past('ctl', [run, ...words]);
      expect([words, code, stderr]).toEqual([words, 0, '']);
      return (JSON.parse(stdout) as { text: string }).text;
    };
    const refused = async (run: string, ...words: string[]): Promise<string> => {
      const { code, stdout, stderr } = await of().stage.past('ctl', [run, ...words], { output: 'text' });
      expect([words, code, stdout]).toEqual([words, 1, '']);
      return stderr;
    };
    const outputOf = async (rollout: Started): Promise<string> => rollout.said('');

    it('pause, continue, within, skip and stop do what they say; a rerun takes exactly the rest', async () => {
      const { stage, look, changed } = of();
      const before = await look(NODES);
      const { rollout, run } = await begin();
      expect(await ask(run, 'pause')).toMatch(/^paused: no new host is begun; (none|[12]) (is|are|under)/);

      // Those under way come to their end, and from then on nothing moves on any node.
      await rollout.said('"type":"controlled"');
      const begun = takenHosts(await outputOf(rollout));
      expect(begun.length).toBeLessThan(NODES.length - 4);
      await rollout.said(through(begun.length));
      expect(mostAtOnce(entriesOf(await outputOf(rollout)))).toBeLessThanOrEqual(2);
      const waiting = NODES.filter((name) => !begun.includes(name));
      const paused = await look(NODES);
      changed(begun, before, paused);
      expectUntouched(waiting, before, paused);
      await sleep(2_000);
      expectUntouched(NODES, paused, await look(NODES));
      expect(takenHosts(await outputOf(rollout))).toEqual(begun);

      const last = NODES.at(-1) ?? '';
      expect(await refused(run, 'pause')).toContain('refused: it is paused already');
      expect(await refused(run, 'skip', begun[0] ?? '')).toContain(`refused: ${begun[0] ?? ''} was begun already`);
      expect(await ask(run, 'skip', last)).toBe(`${last} is left out`);
      expect(await ask(run, 'within', '3')).toBe('3 at once');
      expect(await ask(run, 'continue')).toBe('going on');
      await rollout.said(through(begun.length + 1));
      expect(await ask(run, 'stop')).toMatch(/^stopping: no new host is begun/);

      const ended = await rollout.ended;
      expect(ended.code).toBe(130);
      const acts = runFacts(ended.stdout).flatMap((fact) => (fact.type === 'controlled' ? [[fact.by, fact.act]] : []));
      expect(acts).toEqual([
        [ME, { do: 'pause' }], [ME, { do: 'skip', host: last }], [ME, { do: 'within', count: 3 }], [ME, { do: 'continue' }], [ME, { do: 'stop' }],
      ]);
      const directory = (await runRows(stage)).flatMap((row) => (row.run === run && row.failure === undefined ? [row.directory] : []))[0] ?? '';
      expect(readFileSync(join(directory, 'journal.ndjson'), 'utf8').match(/"type":"controlled"/g)).toHaveLength(acts.length);

      expect(mostAtOnce(entriesOf(ended.stdout))).toBeLessThanOrEqual(3);
      const outcomes = finishes(ended.stdout);
      const done = NODES.filter((name) => outcomes.get(name) === 'changed');
      const rest = NODES.filter((name) => outcomes.get(name) === 'skipped');
      expect([...done, ...rest].sort()).toEqual([...NODES].sort());
      expect(done).toEqual(expect.arrayContaining(begun));
      expect(rest).toContain(last);
      expect(rest.length).toBeGreaterThan(1);
      const stopped = await look(NODES);
      changed(done, before, stopped);
      expectUntouched(rest, before, stopped);

      const rerun = await stage.past('apply', ['--rerun', 'failed,skipped', run]);
      expect([rerun.code, byOutcome(rerun)]).toEqual([0, { changed: rest }]);
      const now = await look(NODES);
      changed(rest, before, now);
      expectUntouched(done, stopped, now);
    });

    it('undo run brings every changed host back, those under way included', async () => {
      const { look, restored } = of();
      const before = await look(NODES);
      const { rollout, run } = await begin();
      expect(await refused(run, 'undo', 'run')).toContain('--yes');
      expect(await ask(run, 'undo', 'run', '--yes')).toMatch(/^stopping; .* then the changed hosts of the run are brought back$/);
      const ended = await rollout.ended;
      expect(ended.code).toBe(2);
      expect(runFacts(ended.stdout)).toEqual(expect.arrayContaining([expect.objectContaining({ type: 'controlled', by: ME, act: { do: 'undo', scope: 'run' } })]));
      const begun = begunHosts(ended.stdout);
      const outcomes = finishes(ended.stdout);
      expect(new Set(begun.map((name) => outcomes.get(name)))).toEqual(new Set(['restored']));
      const now = await look(NODES);
      restored(begun, before, now);
      expectUntouched(NODES.filter((name) => !begun.includes(name)), before, now);
      expect(await refused(run, 'pause')).toContain(`no process of this machine works on run ${run}`);
    });
  });
}
