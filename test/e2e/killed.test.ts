/**
 * The controller is killed with SIGKILL at any instant of a run, and of the resume and the undo after it. One more resume
 * brings every node to an end that is what it is said to be; an undo brings back the start, byte for byte.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/bytes.js';
import type { AilmentName } from '../lab/ailments.js';
import { arrange } from '../lab/arrange.js';
import { forEachLimited } from '../lab/command.js';
import type { Ended, HostDocument, Started } from './fleetmend.js';
import { hostsOf, killTree } from './fleetmend.js';
import type { MendName } from './mends.js';
import { applyReplacement, MENDS, withoutFlag } from './mends.js';
import { runRows, shownHosts } from './runs.js';
import { seededNumbers, seedOf } from './seeded.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import type { Standing } from './standing.js';
import { AT_REST, digestIn, ownershipIn, standings } from './standing.js';

const MENDED: readonly MendName[] = [
  'json-zero', 'json-bom', 'yaml-zero', 'config-symlink', 'flag-dropin', 'flag-two-words', 'flag-environment-file', 'flag-execstart', 'notify',
];
/** Its kubelet dies with the new value. */
const DIES = 'dies';
const FLEET = [...MENDED, DIES];
const ACCESS = { bySudo: ['flag-dropin'] } as const;
const AILMENT_OF_DIES: MendName & AilmentName = 'flag-and-file';

/** The first kills fall into the looking and planning, the others into the changing. */
const PLAN_ROUNDS = 4;
const ROUNDS = 31;
/** In one round of this many the resume is killed as well; in another one the undo. */
const EVERY = 4;

const SEED = seedOf();
const random = seededNumbers(SEED);
/** Where in its part of the run each kill falls: one in each of as many equal pieces. */
const KILLS = Array.from({ length: ROUNDS }, (_, round) => {
  const inPlan = round < PLAN_ROUNDS;
  const share = inPlan ? (round + random()) / PLAN_ROUNDS : (round - PLAN_ROUNDS + random()) / (ROUNDS - PLAN_ROUNDS);
  return { round: round + 1, part: inPlan ? 'looking' : 'changing', share, resumeShare: random(), undoShare: random() } as const;
});
type Kill = (typeof KILLS)[number];

describe(`a controller that is killed again and again (seed ${SEED})`, () => {
  let stage: Stage;
  let start: ReadonlyMap<string, Standing>;
  const mended = new Map<string, ReadonlyMap<string, string>>();
  const lasted = { plan: 0, all: 0, resume: 0, undo: 0 };
  const figures = { positions: new Map<string, number>(), outcomes: new Map<string, number>(), kills: new Map<string, number>(), instants: [] as string[] };
  const startedAt = Date.now();

  const pathsOf = (name: string): string[] => Object.keys(MENDS[name === DIES ? AILMENT_OF_DIES : (name as MendName)]);
  const look = async (): Promise<Map<string, Standing>> => standings(stage.lab.nodes, pathsOf);
  const of = (seen: ReadonlyMap<string, Standing>, name: string): Standing => {
    const standing = seen.get(name);
    if (standing === undefined) throw new Error(`nobody looked at ${name}`);
    return standing;
  };
  const count = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1);

  beforeAll(async () => {
    stage = await raiseStage(FLEET, { prefix: 'fma', subnet: '10.83.0.0/16', playbook: { for: '1s', within: '20s', activation: '20s' } });
    await forEachLimited(MENDED, 8, async (name) => arrange(stage.node(name), name));
    await arrange(stage.node(DIES), AILMENT_OF_DIES);
    await stage.node(DIES).mustExec('echo "die-after 0.3 when streamingConnectionIdleTimeout=4h0m0s" >/etc/kubelet-faults');
    for (const name of MENDED) {
      const after = Object.entries(MENDS[name]).map(async ([path, replacement]) => {
        const text = (await stage.node(name).readFile(path)).toString('utf8');
        return [path, digestOf(Buffer.from(applyReplacement(text, replacement)))] as const;
      });
      mended.set(name, new Map(await Promise.all(after)));
    }
    start = await look();
    await measure();
  });

  afterAll(async () => {
    const table = (counts: ReadonlyMap<string, number>): string => [...counts].sort(([, left], [, right]) => right - left).map(([key, value]) => `${value} ${key}`).join(', ');
    console.log([
      `seed ${SEED}, ${figures.instants.length} rounds, ${Math.round((Date.now() - startedAt) / 1000)} s; undisturbed: plan ${lasted.plan} ms, apply ${lasted.all} ms, undo ${lasted.undo} ms`,
      `killed: ${table(figures.kills)}`, `where the hosts stood then: ${table(figures.positions)}`, `outcomes after the resume: ${table(figures.outcomes)}`,
      `instants: ${figures.instants.join(' ')}`,
    ].join('\n'));
    await stage?.end();
  });

  /** How long an undisturbed run takes, until its folder is there and in all; proves the start on the way. */
  async function measure(): Promise<void> {
    const begun = Date.now();
    const run = stage.start('apply', FLEET, { ...ACCESS, output: 'ndjson' });
    await run.said('"stage":"apply"');
    lasted.plan = Date.now() - begun;
    expect((await run.ended).code).toBe(2);
    lasted.all = Date.now() - begun;
    const undoing = Date.now();
    const [row] = await runRows(stage);
    expect((await stage.past('undo', [row?.run ?? ''])).code).toBe(0);
    lasted.undo = Date.now() - undoing;
    isBackAtStart(await look());
  }

  /** Kills the program and all that it started; false when it had ended before. */
  async function killAfter(started: Started, afterMs: number, what: string): Promise<boolean> {
    await Promise.race([sleep(afterMs), started.ended]);
    const wasRunning = started.child.exitCode === null && started.child.signalCode === null;
    killTree(started);
    await started.ended;
    count(figures.kills, wasRunning ? what : `${what} (too late: it had ended)`);
    return wasRunning;
  }

  function isBackAtStart(seen: ReadonlyMap<string, Standing>): void {
    for (const name of FLEET) {
      const was = of(start, name);
      expect([name, of(seen, name)]).toEqual([name, expect.objectContaining({ ...AT_REST, files: was.files, argv: was.argv })]);
    }
  }

  /** Each host is what its outcome says. */
  function isAsClaimed(hosts: ReadonlyMap<string, HostDocument>, before: ReadonlyMap<string, Standing>, seen: ReadonlyMap<string, Standing>): void {
    expect([...hosts.keys()].sort()).toEqual([...FLEET].sort());
    for (const [name, host] of hosts) {
      const [first, was, is] = [of(start, name), of(before, name), of(seen, name)];
      const why = JSON.stringify(host.failure ?? '');
      expect([name, is, why]).toEqual([name, expect.objectContaining(AT_REST), why]);
      if (host.outcome === 'changed') {
        expect([name, new Map(pathsOf(name).map((path) => [path, digestIn(is.files[path])]))]).toEqual([name, mended.get(name)]);
        expect([name, pathsOf(name).map((path) => ownershipIn(is.files[path]))]).toEqual([name, pathsOf(name).map((path) => ownershipIn(first.files[path]))]);
        expect([name, is.argv, is.starts]).toEqual([name, withoutFlag(first.argv), was.starts + 1]);
      } else {
        expect([name, host.outcome, why]).toEqual([name, 'restored', why]);
        expect([name, is.files, is.argv]).toEqual([name, first.files, first.argv]);
      }
    }
  }

  function agrees(audit: Ended, hosts: ReadonlyMap<string, HostDocument>): void {
    const verdicts = new Map([...hosts].map(([name, { outcome }]) => [name, outcome === 'changed' ? 'pass' : 'fail']));
    expect(new Map([...hostsOf(audit)].map(([name, host]) => [name, host.verdict]))).toEqual(verdicts);
  }

  it.each(KILLS)('round $round, killed while $part: every host ends as claimed, and undo brings the start back', async (kill: Kill) => {
    const before = await look();
    const known = new Set((await runRows(stage)).map(({ run }) => run));
    const afterMs = Math.round(kill.part === 'looking' ? kill.share * lasted.plan : lasted.plan + kill.share * (lasted.all - lasted.plan));
    figures.instants.push(`${afterMs}`);
    await killAfter(stage.start('apply', FLEET, ACCESS), afterMs, `apply, ${kill.part}`);
    const row = (await runRows(stage)).find(({ run }) => !known.has(run));
    if (row === undefined || row.failure !== undefined) {
      count(figures.positions, 'no run yet');
      isBackAtStart(await look());
      return;
    }
    const { run } = row;
    for (const { where, standing } of await shownHosts(stage, run)) count(figures.positions, where?.replace(/^(.*?(?:next: \w+ ?\w*|proved|restored)).*$/, '$1') ?? standing);
    if (kill.round % EVERY === 0) await killAfter(stage.startPast('resume', [run]), kill.resumeShare * (lasted.all - lasted.plan), 'resume');

    const resumed = await stage.past('resume', [run]);
    const hosts = hostsOf(resumed);
    for (const { outcome } of hosts.values()) count(figures.outcomes, outcome);
    expect(resumed.code).toBe(2);
    expect(hosts.get(DIES)?.outcome).toBe('restored');
    isAsClaimed(hosts, before, await look());
    agrees(await stage.run('audit', FLEET, ACCESS), hosts);

    if (kill.round % EVERY === 2) {
      await killAfter(stage.startPast('undo', [run]), kill.undoShare * lasted.undo, 'undo');
      // A resume ends an undo that had begun; those that it had not come to are left for the next.
      expect([0, 2]).toContain((await stage.past('resume', [run])).code);
    }
    const undone = await stage.past('undo', [run]);
    expect([undone.code, new Set([...hostsOf(undone).values()].map(({ outcome }) => outcome))]).toEqual([0, new Set(['restored'])]);
    isBackAtStart(await look());
  });
});
