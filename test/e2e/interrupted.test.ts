/** Runs that are disturbed: links that are cut, a person who presses Ctrl-C. No node is left between its two states unnamed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../src/core/journal.js';
import { arrange } from '../lab/arrange.js';
import { forEachLimited } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended, Started } from './fleetmend.js';
import { entriesOf } from './fleetmend.js';
import { lookAt } from './snapshot.js';
import type { NodeTruth } from './snapshot.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import { changedPaths, fileTruth } from './truth.js';

const ARGS = '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf';
const EDITED = [EKS_CONFIG, ARGS];

/** What a run has written when it begins a step of this kind; titles and ids come from the plan. */
const BEGAN = {
  firstWrite: /"type":"began","step":"[^"]+"/,
  watching: /"phase":"verifying"[^\n]*well for [1-9]\d* of 8 s/,
  reload: /"phase":"activating"[^\n]*daemon-reload/,
} as const;

/** A link that is cut at a moment and comes back after some seconds, or never. */
const CUTS = {
  'cut-at-write': { at: BEGAN.firstWrite, backAfterMs: 5_000 },
  'cut-at-reload': { at: BEGAN.reload, backAfterMs: 5_000 },
  'cut-while-watched': { at: BEGAN.watching, backAfterMs: 5_000 },
  'cut-until-lost': { at: BEGAN.reload, backAfterMs: 75_000 },
  'cut-for-good': { at: BEGAN.reload, backAfterMs: undefined },
} as const satisfies Record<string, { at: RegExp; backAfterMs: number | undefined }>;
type CutName = keyof typeof CUTS;

/** All patience for a lost node is used up in about three. */
const MINUTES_MS = 300_000;

const DRAINED = ['drain-1', 'drain-2', 'drain-3', 'drain-4', 'drain-5'];
const STOPPED = ['stop-1', 'stop-2'];

function finishOf(ended: Ended, host: string): Extract<JournalEntry, { type: 'finished' }> | undefined {
  return entriesOf(ended.stdout).flatMap((entry) => (entry.type === 'finished' && entry.host === host ? [entry] : []))[0];
}

describe('a disturbed run', () => {
  let stage: Stage;
  let before: (name: string) => NodeTruth;
  const files = new Map<string, string[]>();
  const runs = new Map<string, Promise<Ended>>();

  async function cutAsPlanned(name: CutName, { said }: Started): Promise<void> {
    const { at, backAfterMs } = CUTS[name];
    await said(at);
    await stage.node(name).cutLink();
    if (backAfterMs === undefined) return;
    await sleep(backAfterMs);
    await stage.node(name).restoreLink();
  }

  beforeAll(async () => {
    const cuts = Object.keys(CUTS) as CutName[];
    // Long enough to be stopped in, whatever it takes to say so twice.
    stage = await raiseStage([...cuts, ...DRAINED, ...STOPPED], { playbook: { for: '8s', within: '60s' } });
    await forEachLimited(stage.lab.nodes, 8, async (node) => {
      await arrange(node, 'flag-dropin');
      files.set(node.name, await Promise.all(EDITED.map(async (path) => fileTruth(node, path))));
    });
    before = await lookAt(stage.lab.nodes);
    // All at once: the longest of them takes minutes.
    for (const name of cuts) {
      const run = stage.start('apply', [name], { output: 'ndjson', connectTimeout: '2s' });
      runs.set(name, Promise.all([run.ended, cutAsPlanned(name, run)]).then(([ended]) => ended));
      runs.get(name)?.catch(() => undefined);
    }
  });

  afterAll(async () => {
    await stage?.end();
  });

  const endOf = async (name: string): Promise<Ended> => {
    const run = runs.get(name);
    if (!run) throw new Error(name);
    return run;
  };

  describe('by Ctrl-C', () => {
    it('once: the hosts in progress are finished, the others are skipped and untouched, exit code 130', async () => {
      const run = stage.start('apply', DRAINED, { output: 'ndjson', arguments: ['--concurrency', '2'] });
      await run.said(/"type":"began".*[^]*"type":"began"/);
      run.child.kill('SIGINT');
      const ended = await run.ended;
      const begun = new Set(entriesOf(ended.stdout).flatMap((entry) => (entry.type === 'began' ? [entry.host] : [])));
      expect(begun.size).toBeGreaterThan(0);
      expect(begun.size).toBeLessThanOrEqual(2);
      const now = await lookAt(DRAINED.map((name) => stage.node(name)));
      for (const name of DRAINED) {
        expect([name, finishOf(ended, name)?.outcome]).toEqual([name, begun.has(name) ? 'changed' : 'skipped']);
        const starts = before(name).service.starts + (begun.has(name) ? 1 : 0);
        expect([name, now(name).service]).toEqual([name, { ...now(name).service, ActiveState: 'active', starts, timeout: begun.has(name) ? '4h0m0s' : '0s' }]);
        if (!begun.has(name)) expect([name, changedPaths(before(name).files, now(name).files)]).toEqual([name, []]);
      }
      expect(ended.code).toBe(130);
      expect(ended.stderr).toContain('no new host is begun');
    });

    it('twice: it stops at once and names the hosts that are in between', async () => {
      const run = stage.start('apply', STOPPED, { output: 'text', arguments: ['--yes'] });
      await run.said(/ stop-1 began: \S*healthy/i);
      run.child.kill('SIGINT');
      await run.said('no new host is begun');
      run.child.kill('SIGINT');
      const ended = await run.ended;
      expect(ended.code).toBe(3);
      expect(ended.stdout).toMatch(/stuck .*stop-/);
      expect(ended.stdout).toContain('stopped in the middle');
    });
  });

  describe('by a link that is cut and comes back', () => {
    const passing = (Object.keys(CUTS) as CutName[]).filter((name) => CUTS[name].backAfterMs !== undefined);
    it.each(passing)('%s: the host ends changed or restored, never between', async (name) => {
      const ended = await endOf(name);
      const outcome = finishOf(ended, name)?.outcome ?? 'none';
      expect(['changed', 'restored']).toContain(outcome);
      expect(ended.code).toBe(outcome === 'changed' ? 0 : 2);
      const node = stage.node(name);
      const { service } = (await lookAt([node]))(name);
      expect(service).toMatchObject({ ActiveState: 'active', NeedDaemonReload: 'no', NRestarts: '0', timeout: outcome === 'changed' ? '4h0m0s' : '0s' });
      const now = await Promise.all(EDITED.map(async (path) => fileTruth(node, path)));
      if (outcome === 'restored') {
        expect(now).toEqual(files.get(name));
        expect(service.argv).toEqual(before(name).service.argv);
      } else {
        expect(service.starts).toBe(before(name).service.starts + 1);
        expect(service.argv.join(' ')).not.toContain('streaming');
      }
      expect(await node.mustExec("find /etc -name '*fleetmend*'")).toBe('');
    }, MINUTES_MS);
  });

  describe('by a link that stays cut', () => {
    it('ends by itself; the host is named as stuck with the reason and what its guard will do, exit code 3', async () => {
      const ended = await endOf('cut-for-good');
      const done = expect.stringMatching(/^neither the new nor the old state is proved; the guard on the node puts the old state back within .* of the last sign of life$/) as string;
      expect(finishOf(ended, 'cut-for-good')).toMatchObject({ outcome: 'stuck', failure: { done } });
      expect(ended.code).toBe(3);
    }, MINUTES_MS);

    it('keeps others out, and is brought to an end by a resume once the node is back', async () => {
      const ended = await endOf('cut-for-good');
      const run = entriesOf(ended.stdout)[0]?.run ?? '';
      const node = stage.node('cut-for-good');
      await node.restoreLink();
      const other = await stage.run('apply', ['cut-for-good'], { output: 'ndjson' });
      expect([other.code, finishOf(other, 'cut-for-good')]).toEqual([2, expect.objectContaining({ outcome: 'refused' })]);
      expect(finishOf(other, 'cut-for-good')?.failure?.summary).toContain(`locked by run ${run} of `);
      const resumed = await stage.past('resume', [run], { output: 'ndjson' });
      const outcome = finishOf(resumed, 'cut-for-good')?.outcome;
      expect(['changed', 'restored']).toContain(outcome);
      expect(resumed.code).toBe(outcome === 'changed' ? 0 : 2);
      const { service } = (await lookAt([node]))('cut-for-good');
      expect(service).toMatchObject({ ActiveState: 'active', NeedDaemonReload: 'no', timeout: outcome === 'changed' ? '4h0m0s' : '0s' });
      if (outcome === 'restored') expect(await Promise.all(EDITED.map(async (path) => fileTruth(node, path)))).toEqual(files.get('cut-for-good'));
    }, MINUTES_MS);
  });
});
