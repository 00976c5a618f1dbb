/**
 * The controller is killed with SIGKILL at any instant of a run, then again and again in the resumes of that run, and in its
 * undo. One more resume brings every node to an end that is what it is said to be; an undo brings back the start, byte for byte.
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

/** In the first rounds the apply is killed in the looking and planning, in the others in the changing. */
const PLAN_ROUNDS = 2;
const ROUNDS = 10;
/** Of each round: the resumes that are killed one after the other, each where the one before left the nodes. */
const RESUMES_KILLED = 3;
/** In one round of so many the undo is killed as well, and then a resume of that undo. */
const EVERY = 2;
/** Of 50 kills some 30 to 40 find a process at work, fewer when the machine gets faster after the measure. Below this the instants are drawn wrongly. */
const KILLS_THAT_COUNT = 12;
/** What a resume needs before it goes on where the run was killed: its own start, and the proof of what was done. */
const RESUME_STARTS_MS = 1_500;

const SEED = seedOf();
const random = seededNumbers(SEED);
/** Where in its part of the run each kill falls: one in each of as many equal pieces. */
const KILLS = Array.from({ length: ROUNDS }, (_, round) => {
  const inPlan = round < PLAN_ROUNDS;
  const share = inPlan ? (round + random()) / PLAN_ROUNDS : (round - PLAN_ROUNDS + random()) / (ROUNDS - PLAN_ROUNDS);
  const resumeShares = Array.from({ length: RESUMES_KILLED }, random);
  return { round: round + 1, part: inPlan ? 'looking' : 'changing', share, resumeShares, undoShares: [random(), random()] } as const;
});
type Kill = (typeof KILLS)[number];

describe(`a controller that is killed again and again (seed ${SEED})`, () => {
  let stage: Stage;
  let start: ReadonlyMap<string, Standing>;
  const mended = new Map<string, ReadonlyMap<string, string>>();
  const lasted = { plan: 0, all: 0, undo: 0 };
  let killsAtWork = 0;
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
    stage = await raiseStage(FLEET, { playbook: { for: '1s', within: '60s', activation: '60s' } });
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
      `seed ${SEED}, ${ROUNDS} rounds, ${killsAtWork} kills of a process at work, ${Math.round((Date.now() - startedAt) / 1000)} s; undisturbed: plan ${lasted.plan} ms, apply ${lasted.all} ms, undo ${lasted.undo} ms`,
      `killed: ${table(figures.kills)}`, `where the hosts stood then: ${table(figures.positions)}`, `outcomes after the resume: ${table(figures.outcomes)}`,
      `instants, in ms (+: of a resume): ${figures.instants.join(' ')}`,
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

  /** Kills the program and all that it started, unless it has ended before. */
  async function killAfter(started: Started, afterMs: number, what: string): Promise<void> {
    await Promise.race([sleep(afterMs), started.ended]);
    const wasRunning = started.child.exitCode === null && started.child.signalCode === null;
    killTree(started);
    await started.ended;
    count(figures.kills, wasRunning ? what : `${what} (too late: it had ended)`);
    if (wasRunning) killsAtWork += 1;
  }

  /** Each resume gets less far than what was left: the next kill falls into the rest. */
  async function killResumes(run: string, shares: readonly number[], allMs: number, what: string): Promise<void> {
    let leftMs = allMs;
    for (const share of shares) {
      const afterMs = Math.round(RESUME_STARTS_MS / 3 + share * (RESUME_STARTS_MS + leftMs));
      figures.instants.push(`+${afterMs}`);
      await killAfter(stage.startPast('resume', [run]), afterMs, what);
      leftMs = Math.max(0, leftMs - Math.max(0, afterMs - RESUME_STARTS_MS));
    }
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
    await killResumes(run, kill.resumeShares, lasted.all - Math.max(afterMs, lasted.plan), 'resume');

    const resumed = await stage.past('resume', [run]);
    const hosts = hostsOf(resumed);
    for (const { outcome } of hosts.values()) count(figures.outcomes, outcome);
    expect(resumed.code).toBe(2);
    expect(hosts.get(DIES)?.outcome).toBe('restored');
    isAsClaimed(hosts, before, await look());
    agrees(await stage.run('audit', FLEET, ACCESS), hosts);

    if (kill.round % EVERY === 0) {
      const [undoShare, resumeShare] = kill.undoShares;
      await killAfter(stage.startPast('undo', [run]), undoShare * lasted.undo, 'undo');
      await killResumes(run, [resumeShare], lasted.undo * (1 - undoShare), 'resume of an undo');
      // A resume ends an undo that had begun; those that it had not come to are left for the next.
      expect([0, 2]).toContain((await stage.past('resume', [run])).code);
    }
    const undone = await stage.past('undo', [run]);
    expect([undone.code, new Set([...hostsOf(undone).values()].map(({ outcome }) => outcome))]).toEqual([0, new Set(['restored'])]);
    isBackAtStart(await look());
  });

  it('the kills found a process at work', () => {
    expect(killsAtWork).toBeGreaterThanOrEqual(KILLS_THAT_COUNT);
  });
});
