/**
 * The link to a node is cut, or its controller is gone: the guard on the node decides, or we do, and never both. Every
 * claim is compared with a look from inside the node, which needs no link.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachLimited } from '../lab/command.js';
import type { Ended } from './fleetmend.js';
import { entriesOf } from './fleetmend.js';
import type { Halt } from './guard-halts.js';
import { makeHaltable } from './guard-halts.js';
import type { Played, Plays } from './guard-plays.js';
import { FAST, INSTANTS, createPlays, fireGuard } from './guard-plays.js';
import type { Lead } from './guard-scenes.js';
import { BEGAN, createLead, createTurns, finishOf, killNow, play, runOf } from './guard-scenes.js';
import type { Before, Standing } from './guard-truth.js';
import { ARGS, EDITED, arrangeFlagged, guardThrough, standingOf } from './guard-truth.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';

/** So many nodes are worked on at once; three quarters of them only wait at any moment. More would only make every step slower. */
const SCENES_AT_ONCE = 6;
const GATES = Array.from({ length: 12 }, (_, index) => `gate-${index + 1}`);

const SHORT = ['short-before', 'short-after'] as const;
const LONG = ['long-before', 'long-after'] as const;
/** These guards and those of KILLED fire by their own timers, and nobody waits in line for them. */
const GONE = ['gone-before', 'gone-after'] as const;
const KILLED = ['killed-1', 'killed-2', 'killed-3'] as const;
/** A controller is woken, or a resume started, so long before the guard is fired that either may be the quicker one. */
const WAKES = Array.from({ length: 16 }, (_, index) => `wake-${index + 1}`);
const RESUMES = Array.from({ length: 10 }, (_, index) => `take-up-${index + 1}`);

/** An act of a visit that stands still until the guard is through, and then goes on. */
const LATE: Readonly<Record<string, Halt>> = {
  'late-edit': { tool: 'mv', when: 'before', words: '10-kubelet-args.conf' },
  'late-reload': { tool: 'systemctl', when: 'before', words: 'daemon-reload' },
  'late-restart': INSTANTS.before,
};

const MINUTES_MS = 900_000;

describe('the guard of a node', () => {
  let stage: Stage;
  let scene: (name: string) => Promise<Played>;
  let stuck: (name: string) => Promise<{ alone: Standing; resumed: Ended; stuck: Standing; again: Ended; ended: Standing; kept: string }>;
  const before = new Map<string, Before>();
  const leadsMs = new Map<string, number>();

  const beforeOf = (name: string): Before => {
    const found = before.get(name);
    if (!found) throw new Error(name);
    return found;
  };
  const stand = (name: string): Promise<Standing> => standingOf(stage.node(name), beforeOf(name));

  /** One controller for all of them, which never comes back. */
  const killed = once(async (): Promise<{ run: string; alone: Standing[]; resumed: Ended; ended: Standing[] }> => {
    const run = stage.start('apply', KILLED, FAST);
    for (const name of KILLED) await run.said(new RegExp(`"type":"began","step":"\\d+-healthy".*"host":"${name}"|"host":"${name}".*"type":"began","step":"\\d+-healthy"`));
    await killNow(run);
    for (const name of KILLED) await guardThrough(stage.node(name));
    const alone = await Promise.all(KILLED.map(stand));
    const id = runOf((await run.ended).stdout);
    const resumed = await stage.past('resume', [id], { output: 'ndjson' });
    return { run: id, alone, resumed, ended: await Promise.all(KILLED.map(stand)) };
  });

  /** With the lead that the races before it have found; tells it who was quicker. */
  async function race(name: string, lead: Lead, act: (name: string, leadMs: () => number) => Promise<Played>): Promise<Played> {
    const played = await act(name, () => {
      leadsMs.set(name, lead.nowMs());
      return lead.nowMs();
    });
    if (played.ended.guard.includes('fired')) lead.lengthen();
    else lead.shorten();
    return played;
  }

  async function guardThatCannot(name: string, hinder: string, mend: (run: string) => Promise<Ended>): ReturnType<typeof stuck> {
    const node = stage.node(name);
    const run = stage.start('apply', [name], FAST);
    await run.said(BEGAN.watch);
    await killNow(run);
    await node.mustExec(hinder);
    await fireGuard(node);
    await guardThrough(node);
    const alone = await stand(name);
    const id = runOf((await run.ended).stdout);
    const resumed = await stage.past('resume', [id], { output: 'ndjson' });
    const between = await stand(name);
    const again = await mend(id);
    const kept = await node.mustExec(`cat /var/lib/fleetmend/${id}/*-* 2>/dev/null | grep -a -c 'by another hand' || :`);
    return { alone, resumed, stuck: between, again, ended: await stand(name), kept };
  }

  beforeAll(async () => {
    const names = [...SHORT, ...LONG, ...GONE, ...KILLED, ...WAKES, ...RESUMES, ...GATES, ...Object.keys(LATE), 'foreign', 'read-only', 'bare'];
    // All that a guard waits for together is two minutes, and each of it some ten times what it takes here.
    stage = await raiseStage(names, { playbook: { for: '2s', within: '20s', activation: '20s', margin: '1s' } });
    await forEachLimited(stage.lab.nodes, 6, async (node) => {
      before.set(node.name, await arrangeFlagged(node));
      if ([...SHORT, ...LONG, ...GONE, ...GATES, ...Object.keys(LATE)].some((name) => name === node.name)) await makeHaltable(node);
    });
    const plays: Plays = createPlays(stage, stand);
    // What is left of a run after its soak, and what a resume takes in all: where to begin.
    const [wakeLead, resumeLead] = [createLead(1_200, 500), createLead(4_000, 1_000)];
    const inTurn = createTurns(SCENES_AT_ONCE);
    void killed().catch(() => undefined);
    const scenes: [string, () => Promise<Played>][] = [
      ...LONG.map((name): [string, () => Promise<Played>] => [name, () => plays.cutLong(name)]),
      ...SHORT.map((name): [string, () => Promise<Played>] => [name, () => plays.cutShort(name)]),
      ...WAKES.map((name): [string, () => Promise<Played>] => [name, () => race(name, wakeLead, plays.freezeAndWake)]),
      ...Object.entries(LATE).map(([name, halt]): [string, () => Promise<Played>] => [name, () => plays.actLate(name, halt)]),
      ...GATES.map((name): [string, () => Promise<Played>] => [name, () => plays.bothAtOnce(name)]),
      ...RESUMES.map((name): [string, () => Promise<Played>] => [name, () => race(name, resumeLead, plays.killAndTakeUp)]),
    ];
    scene = play(Object.fromEntries([
      ...GONE.map((name): [string, () => Promise<Played>] => [name, () => plays.cutForGood(name)]),
      ...scenes.map(([name, act]): [string, () => Promise<Played>] => [name, () => inTurn(act)]),
    ]));
    stuck = play({
      foreign: () => inTurn(() => guardThatCannot('foreign', `echo '# by another hand' >>${ARGS}`, (run) => stage.past('undo', [run, '--force'], { output: 'ndjson' }))),
      'read-only': () => inTurn(() => guardThatCannot('read-only', `mount --bind ${ARGS} ${ARGS}; mount -o remount,ro,bind ${ARGS}`, async (run) => {
        await stage.node('read-only').mustExec(`umount ${ARGS}`);
        return stage.past('resume', [run], { output: 'ndjson' });
      })),
    });
  });

  afterAll(async () => {
    await stage?.end();
  });

  const expectRestored = (name: string, { run, ended }: Pick<Played, 'run' | 'ended'>): void => {
    expect([name, finishOf(run, name)?.outcome, run.code]).toEqual([name, 'restored', 2]);
    expect([name, ended]).toMatchObject([name, { state: 'old', wrong: [], locked: false, left: [] }]);
  };

  it.each(SHORT)('%s: a link that comes back in time ends changed or restored by us, and the guard is disarmed', async (name) => {
    const { run, ended } = await scene(name);
    const outcome = finishOf(run, name)?.outcome;
    expect([outcome, run.code]).toEqual(outcome === 'changed' ? ['changed', 0] : ['restored', 2]);
    expect(ended).toMatchObject({ state: outcome === 'changed' ? 'new' : 'old', wrong: [], guard: ['disarmed'], locked: false, left: [] });
  }, MINUTES_MS);

  it.each([...LONG, ...GONE])('%s: a link that stays away leaves the node to itself: it is old again while nobody can reach it, and that is told as the work of its guard', async (name) => {
    const { alone, run, ended } = await scene(name);
    expect(alone).toMatchObject({ state: 'old', wrong: [], guard: ['done', 'fired'], left: [] });
    expectRestored(name, { run, ended });
    expect(finishOf(run, name)?.failure).toMatchObject({ done: expect.stringContaining('the guard had put the old state back by itself') });
  }, MINUTES_MS);

  it.each(Object.keys(LATE))('%s: an act that was under way while it fired and ends after it changes nothing of what it did', async (name) => {
    const { alone, run, ended } = await scene(name);
    expect(alone).toMatchObject({ state: 'old', wrong: [], guard: ['done', 'fired'], left: [] });
    expectRestored(name, { run, ended });
  }, MINUTES_MS);

  describe('and a controller that comes back at the moment at which it fires', () => {
    const judge = (name: string, { run, ended }: Played): 'guard' | 'us' => {
      const outcome = finishOf(run, name)?.outcome;
      const byGuard = ended.guard.includes('fired');
      expect([name, ended.guard]).toEqual([name, byGuard ? ['done', 'fired'] : ['disarmed']]);
      // A controller that turned back by itself before the guard could is right too.
      const own = outcome === 'restored' ? (['restored', 2, 'old'] as const) : (['changed', 0, 'new'] as const);
      expect([name, outcome, run.code, ended.state]).toEqual([name, ...(byGuard ? (['restored', 2, 'old'] as const) : own)]);
      expect([name, ended]).toMatchObject([name, { wrong: [], locked: false, left: [] }]);
      if (byGuard) {
        expect([name, finishOf(run, name)?.failure?.done]).toEqual([name, expect.stringContaining('the guard had put the old state back by itself')]);
        expect(entriesOf(run.stdout).some(({ type }) => type === 'disarmed')).toBe(false);
      }
      return byGuard ? 'guard' : 'us';
    };

    it('let go together right before their renames: exactly one of both decides, and the claim is true', async () => {
      const decided = new Map([['guard', 0], ['us', 0]]);
      for (const name of GATES) {
        const who = judge(name, await scene(name));
        decided.set(who, (decided.get(who) ?? 0) + 1);
      }
      console.log(`let go together: ${[...decided].map(([who, count]) => `${who} ${count}`).join(', ')}`);
    }, MINUTES_MS);

    it.each([
      ['woken from a freeze', WAKES],
      ['a resume after SIGKILL', RESUMES],
    ])('%s: exactly one of both decides, and the claim is true', async (title, names) => {
      const decided = new Map<string, number[]>([['guard', []], ['us', []]]);
      for (const name of names) decided.get(judge(name, await scene(name)))?.push(leadsMs.get(name) ?? NaN);
      console.log(`${title}: ${[...decided].map(([who, leads]) => `${who} ${leads.length} (${leads.join(' ')} ms ahead)`).join(', ')}`);
    }, MINUTES_MS);
  });

  it('a controller that is killed for good: every node restores itself without anybody, and its own log and syslog say so', async () => {
    const { run, alone } = await killed();
    for (const look of alone) expect(look).toMatchObject({ state: 'old', wrong: [], guard: ['done', 'fired'], left: [] });
    for (const name of KILLED) {
      const log = await stage.node(name).mustExec(`cat /var/lib/fleetmend/${run}/log`);
      const syslog = await stage.node(name).mustExec('journalctl -q -o cat -t fleetmend');
      for (const text of [log, syslog]) expect(text).toMatch(new RegExp(`${run} by \\S+ \\(guard\\): guard fired \\(timer\\)[^]*: guard is through: ok`));
    }
  }, MINUTES_MS);

  it('and a later resume reports them as restored, exit code 2', async () => {
    const { resumed, ended } = await killed();
    KILLED.forEach((name, index) => {
      const look = ended[index];
      if (look) expectRestored(name, { run: resumed, ended: look });
    });
  }, MINUTES_MS);

  it('one that finds a file changed by another hand touches it not and says so; the host is stuck until `undo --force`, which keeps that file', async () => {
    const { alone, resumed, again, ended, kept } = await stuck('foreign');
    expect(alone).toMatchObject({ state: 'between', guard: ['done', 'fired'] });
    expect([finishOf(resumed, 'foreign')?.outcome, resumed.code]).toEqual(['stuck', 3]);
    expect(JSON.stringify(entriesOf(resumed.stdout).find(({ type }) => type === 'guardFired'))).toMatch(/"ok":false.*10-kubelet-args\.conf: failed drift/);
    expect([finishOf(again, 'foreign')?.outcome, again.code]).toEqual(['restored', 0]);
    expect(ended).toMatchObject({ state: 'old', wrong: [], locked: false, left: [] });
    expect(Number(kept)).toBeGreaterThan(0);
  }, MINUTES_MS);

  it('one that cannot write a file says so; the host is stuck until that is repaired and the run resumed', async () => {
    const { alone, resumed, stuck: between, again, ended } = await stuck('read-only');
    expect(alone).toMatchObject({ state: 'between', guard: ['done', 'fired'] });
    expect([finishOf(resumed, 'read-only')?.outcome, resumed.code]).toEqual(['stuck', 3]);
    expect(JSON.stringify(entriesOf(resumed.stdout))).toMatch(/10-kubelet-args\.conf: failed readOnly/);
    expect(between).toMatchObject({ state: 'between', locked: true });
    expectRestored('read-only', { run: again, ended });
  }, MINUTES_MS);

  it('cannot be on a node without systemd-run: it is refused with what to say, and mended when that is said', async () => {
    const node = stage.node('bare');
    const inventoryOnly = { output: 'text' } as const;
    const guarded = await stage.run('plan', ['bare'], inventoryOnly);
    expect(guarded.stdout).toMatch(/guard {5}the node puts all of this back by itself/);
    await node.mustExec('mv /usr/bin/systemd-run /usr/bin/systemd-run.away');
    const refused = await stage.run('apply', ['bare'], FAST);
    expect(finishOf(refused, 'bare')).toMatchObject({ outcome: 'refused', failure: { summary: expect.stringContaining('systemd-run'), next: expect.stringContaining('guard: none') } });
    expect(refused.code).toBe(2);
    expect(await stand('bare')).toMatchObject({ state: 'old', guard: [], left: [] });
    const unguarded = await stage.run('plan', ['bare'], { ...inventoryOnly, arguments: ['--guard', 'none'] });
    expect(unguarded.stdout).toContain('guard     none: a node that is lost in the middle stays there');
    const mended = await stage.run('apply', ['bare'], { ...FAST, arguments: ['--guard', 'none'] });
    expect([finishOf(mended, 'bare')?.outcome, mended.code]).toEqual(['changed', 0]);
    expect(await stand('bare')).toMatchObject({ state: 'new', guard: [], locked: false, left: [] });
  }, MINUTES_MS);

  it('compares files that carry marks', () => {
    expect(beforeOf('bare').files[0]).toMatch(/^regular file 640 2001:2001 \d+ 2024-02-29 12:34:56\.123456789/);
    expect(EDITED).toContain(ARGS);
  });
});

function once<T>(act: () => Promise<T>): () => Promise<T> {
  let played: Promise<T> | undefined;
  return () => (played ??= act());
}
