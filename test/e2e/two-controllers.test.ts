/**
 * Two controllers on the same nodes: two runs at once, one run from two places, one that froze and wakes, one that died. Each
 * node is changed by one of them at a time, and what either says of it is true.
 */
import { cpSync, mkdirSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrange } from '../lab/arrange.js';
import { forEachLimited, quote } from '../lab/command.js';
import { EKS_CONFIG } from '../lab/layouts.js';
import type { Ended, HostDocument, Started } from './fleetmend.js';
import { entriesOf, hostsOf, killTree } from './fleetmend.js';
import { newestRun, runOf, shownHosts } from './runs.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';
import type { Standing } from './standing.js';
import { AT_REST, standings } from './standing.js';

const SHARED = ['shared-1', 'shared-2', 'shared-3', 'shared-4'];
const COPIED = ['copied-1', 'copied-2'];
const NODES = [...SHARED, ...COPIED, 'twice', 'frozen', 'silent', 'left'];
const EDITED = [EKS_CONFIG, '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf'];
const LOCK = '/var/lib/fleetmend/lock';
const ME = `${userInfo().username}@${hostname()}`;

const BEGAN = /"type":"began"/;
const LOOKING_AGAIN = /looking again before the first write/;
const WATCHING = /"phase":"verifying"[^\n]*well for/;

describe('two controllers on the same nodes', () => {
  let stage: Stage;
  let start: ReadonlyMap<string, Standing>;

  const look = async (names: readonly string[]): Promise<Map<string, Standing>> => standings(names.map((name) => stage.node(name)), () => EDITED);
  const of = (seen: ReadonlyMap<string, Standing>, name: string): Standing => {
    const standing = seen.get(name);
    if (standing === undefined) throw new Error(`nobody looked at ${name}`);
    return standing;
  };

  beforeAll(async () => {
    stage = await raiseStage(NODES, { playbook: { for: '4s', within: '60s', activation: '60s' } });
    await forEachLimited(stage.lab.nodes, 8, async (node) => arrange(node, 'flag-dropin'));
    start = await look(NODES);
  });

  afterAll(async () => {
    await stage?.end();
  });

  /** The node is in the new or in the old state, whole, as its outcome says; and at rest. */
  function isAsClaimed(name: string, outcome: string | undefined, is: Standing): void {
    const was = of(start, name);
    expect([name, is]).toEqual([name, expect.objectContaining(AT_REST)]);
    if (outcome === 'changed' || outcome === 'compliant') {
      expect([name, is.argv.join(' ').includes('streaming'), EDITED.some((path) => is.files[path] === was.files[path])]).toEqual([name, false, false]);
    } else {
      expect([name, outcome, is.files, is.argv]).toEqual([name, 'restored', was.files, was.argv]);
    }
  }

  const lines = (ended: Ended): string => ended.stdout + ended.stderr;
  const finishOf = (ended: Ended, name: string): string | undefined =>
    entriesOf(ended.stdout).flatMap((entry) => (entry.type === 'finished' && entry.host === name ? [entry.outcome] : [])).at(-1);
  const failureOf = (hosts: ReadonlyMap<string, HostDocument>, name: string): string => {
    const failure = hosts.get(name)?.failure;
    return [failure?.summary, failure?.done, failure?.next].join('; ');
  };

  describe('with a run each', () => {
    it.each([0, 1_000, 2_500])('the second %i ms later: each node is changed once, by one of them, and the other is told by whom', async (laterMs) => {
      const before = await look(SHARED);
      const first = stage.start('apply', SHARED);
      await sleep(laterMs);
      const second = stage.start('apply', SHARED);
      const ends = await Promise.all([first.ended, second.ended]);
      const [left, right] = ends.map((ended) => ({ run: runOf(ended), hosts: hostsOf(ended), code: ended.code }));
      if (left === undefined || right === undefined) throw new Error('two ended');
      const now = await look(SHARED);
      for (const name of SHARED) {
        const [winner, loser] = left.hosts.get(name)?.outcome === 'changed' ? [left, right] : [right, left];
        expect([name, winner.hosts.get(name)?.outcome]).toEqual([name, 'changed']);
        expect(['refused', 'compliant']).toContain(loser.hosts.get(name)?.outcome);
        if (loser.hosts.get(name)?.outcome === 'refused') {
          expect(loser.hosts.get(name)?.failure?.kind).toBe('locked');
          expect(failureOf(loser.hosts, name)).toMatch(new RegExp(`^locked by run ${winner.run} of ${ME} for .*last sign of life .* ago.*; nothing was touched; wait for that run or ask ${ME}`));
        }
        isAsClaimed(name, 'changed', of(now, name));
        expect([name, of(now, name).starts]).toEqual([name, of(before, name).starts + 1]);
      }
      for (const { hosts, code } of [left, right]) expect(code).toBe([...hosts.values()].every(({ outcome }) => outcome !== 'refused') ? 0 : 2);
      for (const { run } of [left, right]) expect((await stage.past('undo', [run])).code).toBe(0);
      const undone = await look(SHARED);
      for (const name of SHARED) isAsClaimed(name, 'restored', of(undone, name));
    });
  });

  describe('with one run on one machine', () => {
    it.each(['resume', 'undo', 'clean'] as const)('a %s of a run that is being worked on is refused, with who and which process', async (verb) => {
      const first = stage.start('apply', ['twice'], { output: 'ndjson' });
      await first.said(BEGAN);
      const run = await newestRun(stage);
      const second = await stage.past(verb, [run]);
      expect(second).toMatchObject({ code: 1, stdout: '' });
      expect(second.stderr).toMatch(new RegExp(`run ${run} is being worked on by ${ME} \\(process ${first.child.pid} on ${hostname()}, since .*nothing was touched; wait until it is done`));
      expect((await first.ended).code).toBe(0);
      isAsClaimed('twice', 'changed', of(await look(['twice']), 'twice'));
      expect((await stage.past('undo', [run])).code).toBe(0);
    });
  });

  describe('with one run on two machines', () => {
    /** Other user's folder, other name, other processes: what makes another machine to the tool. */
    function resumeElsewhere(run: string): Started {
      const state = join(stage.folder, 'elsewhere');
      mkdirSync(join(state, 'fleetmend', 'runs'), { recursive: true, mode: 0o700 });
      cpSync(join(stage.folder, 'state', 'fleetmend', 'runs', run), join(state, 'fleetmend', 'runs', run), { recursive: true });
      const command = stage.pastCommand('resume', [run], 'ndjson').map(quote).join(' ');
      return stage.launch(
        ['unshare', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc', '/bin/sh', '-c', `hostname other-machine && exec ${command}`],
        { HOME: state, XDG_STATE_HOME: state },
      );
    }

    it('the one that comes with a copy of the folder goes on; the first can do nothing more and says so; no node ends between', async () => {
      const first = stage.start('apply', COPIED, { output: 'ndjson' });
      await first.said(WATCHING);
      const run = await standStill(first);
      const second = resumeElsewhere(run);
      // From here on both work: the second holds the nodes and has its proof still before it.
      await second.said(/"type":"armed"[^]*"type":"armed"/);
      first.child.kill('SIGCONT');
      const [fenced, ended] = [await first.ended, await second.ended];
      expect(ended.stderr).toContain('taken over from');
      const now = await look(COPIED);
      for (const name of COPIED) isAsClaimed(name, finishOf(ended, name), of(now, name));
      expect(ended.code).toBe(COPIED.every((name) => finishOf(ended, name) === 'changed') ? 0 : 2);
      expect([fenced.code, COPIED.map((name) => finishOf(fenced, name))]).toEqual([3, [undefined, undefined]]);

      // The first machine's journal knows less: it finds out, and agrees with the node.
      const again = await stage.past('resume', [run]);
      const after = await look(COPIED);
      for (const name of COPIED) isAsClaimed(name, hostsOf(again).get(name)?.outcome, of(after, name));
      expect([0, 2]).toContain(again.code);
    });

    /** So that what is copied is a run in the middle, however slow this machine is. */
    async function standStill(first: Started): Promise<string> {
      first.child.kill('SIGSTOP');
      return newestRun(stage);
    }
  });

  describe('one of which froze', () => {
    it('unlock names the holder and asks; without a yes nothing is broken', async () => {
      const { frozen, run } = await freeze();
      try {
        const command = stage.command('unlock', ['frozen'], { output: 'text' }).map(quote).join(' ');
        const terminal = stage.launch(['script', '-qec', command, '/dev/null'], { TERM: 'dumb', SHELL: '/bin/sh' });
        await terminal.said(/Break 1 lock\?.* \[y\/N\]/);
        terminal.child.stdin?.write('n\n');
        const ended = await terminal.ended;
        expect(ended.stdout).toMatch(new RegExp(`frozen +locked by run ${run} of ${ME} for .*, last sign of life .* ago`));
        expect(ended.code).toBe(1);
        expect((await stage.node('frozen').exec(`[ -d ${LOCK} ]`)).code).toBe(0);
      } finally {
        thaw(frozen);
      }
      expect((await frozen.ended).code).toBe(0);
      expect((await stage.past('undo', [run])).code).toBe(0);
      isAsClaimed('frozen', 'restored', of(await look(['frozen']), 'frozen'));
    });

    it('after unlock it changes nothing more when it wakes, says so, and a resume brings the node to an end', async () => {
      const { frozen, run } = await freeze();
      const before = await look(['frozen']);
      const unlocked = await stage.run('unlock', ['frozen']);
      expect(unlocked.code).toBe(0);
      expect(JSON.parse(unlocked.stdout)).toMatchObject({ hosts: [{ host: 'frozen', broken: true, lock: { held: true, run, who: ME } }] });
      expect((await stage.node('frozen').exec(`[ -d ${LOCK} ]`)).code).toBe(1);

      thaw(frozen);
      const ended = await frozen.ended;
      expect(ended.code).toBe(3);
      expect(lines(ended)).toContain('the lock of this node was taken away from this run');
      expect(finishOf(ended, 'frozen')).toMatch(/^stuck$/);
      expect(lines(ended)).toContain('the guard on the node puts the old state back');
      // Between, and named so; but not a byte further than where it froze.
      const woken = of(await look(['frozen']), 'frozen');
      expect([woken.files, woken.invocation, woken.starts]).toEqual([of(before, 'frozen').files, of(before, 'frozen').invocation, of(before, 'frozen').starts]);
      expect(woken.leftovers.some((what) => what.endsWith('/guard/armed'))).toBe(true);

      const resumed = await stage.past('resume', [run]);
      isAsClaimed('frozen', hostsOf(resumed).get('frozen')?.outcome, withoutTombs(of(await look(['frozen']), 'frozen')));
      expect(hostsOf(resumed).get('frozen')?.outcome).not.toBe('stuck');
    });

    /** Stands still after its first write was begun. */
    async function freeze(): Promise<{ frozen: Started; run: string }> {
      const frozen = stage.start('apply', ['frozen'], { output: 'ndjson' });
      await frozen.said(WATCHING);
      frozen.child.kill('SIGSTOP');
      return { frozen, run: await newestRun(stage) };
    }

    function thaw(frozen: Started): void {
      frozen.child.kill('SIGCONT');
    }
  });

  describe('one of which died', () => {
    const grow = async (name: string): Promise<void> => void (await stage.node(name).mustExec(`touch -d '10 minutes ago' ${LOCK}/beat`));

    it('before it touched anything: its lock keeps others out while it is young, and is taken over once it is stale', async () => {
      const dead = stage.start('apply', ['silent'], { output: 'ndjson' });
      await dead.said(LOOKING_AGAIN);
      killTree(dead);
      await dead.ended;
      const run = await newestRun(stage);
      await stage.node('silent').mustExec(`test -d ${LOCK}; ! test -e ${LOCK}/touched`);
      const early = await stage.run('apply', ['silent']);
      expect([early.code, failureOf(hostsOf(early), 'silent')]).toEqual([2, expect.stringMatching(new RegExp(`^locked by run ${run} of ${ME} for `))]);

      await grow('silent');
      const late = await stage.run('apply', ['silent']);
      expect([late.code, hostsOf(late).get('silent')?.outcome]).toEqual([0, 'changed']);
      isAsClaimed('silent', 'changed', withoutTombs(of(await look(['silent']), 'silent')));
      // The dead run has nothing left to do there.
      const resumed = await stage.past('resume', [run]);
      expect([resumed.code, hostsOf(resumed).get('silent')?.outcome]).toEqual([0, 'compliant']);
    });

    it('in the middle: its lock is refused however old it is, with the commands that end it', async () => {
      const dead = stage.start('apply', ['left'], { output: 'ndjson', arguments: ['--guard', 'none'] });
      await dead.said(WATCHING);
      killTree(dead);
      await dead.ended;
      const run = await newestRun(stage);
      expect((await shownHosts(stage, run)).map(({ standing, open }) => [standing, open])).toEqual([['middle', true]]);
      await grow('left');
      const before = await look(['left']);
      const other = await stage.run('apply', ['left']);
      expect([other.code, hostsOf(other).get('left')?.outcome]).toEqual([2, 'refused']);
      expect(failureOf(hostsOf(other), 'left')).toMatch(
        new RegExp(`^locked by run ${run} of ${ME} .* and left it in the middle; nothing was touched; \`fleetmend resume ${run}\` or \`fleetmend undo ${run}\` where that run was started; \`fleetmend unlock\` breaks the lock$`),
      );
      expect(of(await look(['left']), 'left')).toEqual(of(before, 'left'));
      const resumed = await stage.past('resume', [run]);
      expect([resumed.code, hostsOf(resumed).get('left')?.outcome]).toEqual([0, 'changed']);
      isAsClaimed('left', 'changed', of(await look(['left']), 'left'));
    });
  });

  /** What a broken lock leaves on purpose: a day's memory that it was broken. */
  function withoutTombs(standing: Standing): Standing {
    return { ...standing, leftovers: standing.leftovers.filter((what) => !what.startsWith('/var/lib/fleetmend/broken-')) };
  }
});
