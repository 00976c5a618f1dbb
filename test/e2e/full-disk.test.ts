/**
 * The controller's disk fills up while it journals. Nothing new begins, what was touched is brought back, and the exit code
 * says that something is wrong; once there is room again, resume brings every host to its end.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import { forEachLimited, mustRun, run as runProgram } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended, Started } from './fleetmend.js';
import { entriesOf, hostsOf, killTree } from './fleetmend.js';
import { newestRun } from './runs.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import type { Standing } from './standing.js';
import { AT_REST, standings } from './standing.js';

const BEGUN = ['first-1', 'first-2', 'first-3', 'first-4'];
const WAITING = ['later-1', 'later-2'];
const FLEET = [...BEGUN, ...WAITING];
const EDITED = [EKS_CONFIG, '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf'];

describe("a controller's disk that is full", () => {
  let stage: Stage;
  let disk: string;
  let environment: Record<string, string>;
  let start: ReadonlyMap<string, Standing>;

  const look = async (): Promise<Map<string, Standing>> => standings(stage.lab.nodes, () => EDITED);
  const fill = async (): Promise<void> => void (await runProgram(['/bin/sh', '-c', 'cat /dev/zero >"$1/ballast"', 'sh', disk]));
  const makeRoom = (): void => { rmSync(join(disk, 'ballast'), { force: true }); };

  beforeAll(async () => {
    stage = await raiseStage(FLEET, { playbook: { for: '3s', within: '60s', activation: '60s' } });
    disk = join(stage.folder, 'small-disk');
    mkdirSync(disk);
    await mustRun(['mount', '-t', 'tmpfs', '-o', 'size=400k,mode=700', 'tmpfs', disk]);
    environment = { XDG_STATE_HOME: disk };
    await forEachLimited(stage.lab.nodes, 8, async (node) => arrange(node, 'flag-dropin'));
    start = await look();
  });

  afterEach(() => {
    makeRoom();
  });

  afterAll(async () => {
    if (disk !== undefined) await runProgram(['umount', '-l', disk]);
    await stage?.end();
  });

  function isAsClaimed(outcomes: ReadonlyMap<string, string | undefined>, seen: ReadonlyMap<string, Standing>): void {
    for (const name of FLEET) {
      const [was, is, outcome] = [start.get(name), seen.get(name), outcomes.get(name)];
      expect([name, is]).toEqual([name, expect.objectContaining(AT_REST)]);
      if (outcome === 'changed') {
        expect([name, is?.argv.join(' ').includes('streaming'), is?.files === was?.files]).toEqual([name, false, false]);
      } else {
        expect(['restored', 'refused', 'skipped']).toContain(outcome);
        expect([name, outcome, is?.files, is?.argv]).toEqual([name, outcome, was?.files, was?.argv]);
      }
    }
  }

  const streamed = ({ stdout }: Ended): Map<string, string> =>
    new Map(entriesOf(stdout).flatMap((entry) => (entry.type === 'finished' ? [[entry.host, entry.outcome] as const] : [])));
  const reported = (ended: Ended): Map<string, string> => new Map([...hostsOf(ended)].map(([name, { outcome }]) => [name, outcome]));

  /** The disk is full from the first change on. */
  async function applyOnFillingDisk(): Promise<Started> {
    const started = stage.start('apply', FLEET, { output: 'ndjson', environment, arguments: ['--concurrency', `${BEGUN.length}`] });
    await started.said(/"type":"began"/);
    await fill();
    return started;
  }

  async function finish(run: string): Promise<void> {
    makeRoom();
    const resumed = await stage.past('resume', [run], { environment });
    const outcomes = reported(resumed);
    // A host that was brought back on the full disk may have had its kubelet restarted: then the resume brings it back as well.
    for (const name of BEGUN) expect(['changed', 'restored']).toContain(outcomes.get(name));
    for (const name of WAITING) expect([name, outcomes.get(name)]).toEqual([name, 'changed']);
    expect(resumed.code).toBe(BEGUN.every((name) => outcomes.get(name) === 'changed') ? 0 : 2);
    isAsClaimed(outcomes, await look());
    expect((await stage.past('undo', [run], { environment })).code).toBe(0);
    isAsClaimed(new Map(FLEET.map((name) => [name, 'restored'])), await look());
  }

  it('from the start lets nothing begin: no node is touched', async () => {
    await fill();
    const ended = await stage.run('apply', FLEET, { environment });
    makeRoom();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/ENOSPC|no space/i);
    const now = await look();
    for (const name of FLEET) expect([name, now.get(name)]).toEqual([name, start.get(name)]);
  });

  it('in the middle brings back what was touched and begins nothing new; with room again, resume ends it', async () => {
    const ended = await (await applyOnFillingDisk()).ended;
    const outcomes = streamed(ended);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/journal\.ndjson cannot be written.*no further change is begun/);
    // The one that found the disk full is refused, and stops the rollout before the others.
    for (const name of WAITING) expect([name, ['refused', 'skipped'].includes(outcomes.get(name) ?? '')]).toEqual([name, true]);
    expect([...outcomes.values()]).toContain('restored');
    isAsClaimed(outcomes, await look());
    await finish(await newestRun(stage, environment));
  });

  it('in the middle, and then killed: with room again, resume brings every host to its end', async () => {
    const started = await applyOnFillingDisk();
    await started.said('no further change is begun');
    killTree(started);
    await started.ended;
    await finish(await newestRun(stage, environment));
  });
});
