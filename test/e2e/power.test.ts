/**
 * The power of a node fails in the middle of a run, with a controller that does not come back by itself. Looked at after
 * the boot and before anybody came: whole in one state. Then `resume` tells how the host ended, and it is so.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forEachLimited } from '../lab/command.js';
import type { LabNode } from '../lab/lab.js';
import type { Ended, Started } from './fleetmend.js';
import type { Halt } from './guard-halts.js';
import { goOn, makeHaltable, reached, setHalt } from './guard-halts.js';
import { BEGAN, createTurns, finishOf, killNow, play, runOf } from './guard-scenes.js';
import type { Before, BootTruth, Standing } from './guard-truth.js';
import { arrangeFlagged, bootIsOver, bootTruth, standingOf } from './guard-truth.js';
import type { Stage } from './stage.js';
import { raiseStage } from './stage.js';

const FIRST = 'kubelet/kubelet-config.json';
const SECOND = '10-kubelet-args.conf';
const RESTART = 'restart -- kubelet.service';

interface Cut {
  /** Where the node stands still while its power fails. Without one: while the kubelet is watched. */
  readonly halt?: Halt;
  /** When the halt is set. Default: before the run. `undo`: of a kubelet that does not get well. `guard`: fired, without a controller. */
  readonly during?: 'undo' | 'guard';
  /** The power fails once more while the guard of the next boot stands there. */
  readonly again?: Halt;
  readonly inOrder?: true;
  /** Before anybody came. Default: old. */
  readonly after?: 'new';
  readonly ends?: 'changed';
}

const CUTS: Readonly<Record<string, Cut>> = {
  'arming': { halt: { tool: 'mv', when: 'before', words: 'guard/armed' }, ends: 'changed' },
  'save-and-rename': { halt: { tool: 'mv', when: 'before', words: FIRST } },
  'renamed': { halt: { tool: 'mv', when: 'after', words: FIRST } },
  'between-edits': { halt: { tool: 'mv', when: 'before', words: SECOND } },
  'before-reload': { halt: { tool: 'systemctl', when: 'before', words: 'daemon-reload' } },
  'reload-and-restart': { halt: { tool: 'systemctl', when: 'before', words: RESTART } },
  'in-restart': { halt: { tool: 'systemctl', when: 'during', words: RESTART } },
  'restarted': { halt: { tool: 'systemctl', when: 'after', words: RESTART } },
  'watched': {},
  'shut-down': { inOrder: true },
  'undo-first': { during: 'undo', halt: { tool: 'mv', when: 'before', words: SECOND } },
  'undo-second': { during: 'undo', halt: { tool: 'mv', when: 'before', words: FIRST } },
  'undo-restart': { during: 'undo', halt: { tool: 'systemctl', when: 'before', words: RESTART } },
  'guard-decided': { during: 'guard', halt: { tool: 'mv', when: 'after', words: 'guard/fired' } },
  'guard-restores': { during: 'guard', halt: { tool: 'mv', when: 'before', words: FIRST } },
  'guard-restarts': { during: 'guard', halt: { tool: 'systemctl', when: 'before', words: RESTART } },
  'guard-concludes': { during: 'guard', halt: { tool: 'mv', when: 'before', words: 'guard/done' } },
  'boot-guard': { again: { tool: 'mv', when: 'before', words: FIRST } },
  'before-disarm': { halt: { tool: 'mv', when: 'before', words: 'guard/disarmed' } },
  'disarmed': { halt: { tool: 'mv', when: 'after', words: 'guard/disarmed' }, after: 'new', ends: 'changed' },
};

interface Played {
  readonly booted: Standing;
  readonly boot: BootTruth;
  readonly resumed: Ended;
  readonly ended: Standing;
}

const MINUTES_MS = 900_000;
/** A boot is mostly processor time. */
const SCENES_AT_ONCE = 6;

describe('a node whose power fails in the middle of a run', () => {
  const names = Object.keys(CUTS);
  let stage: Stage;
  let scene: (name: string) => Promise<Played>;
  let confirmed: () => Promise<Standing[]>;
  let living: () => Promise<{ ended: Ended; standing: Standing }>;
  const before = new Map<string, Before>();

  const beforeOf = (name: string): Before => {
    const found = before.get(name);
    if (!found) throw new Error(name);
    return found;
  };

  async function toTheCut(node: LabNode, { halt, during }: Cut, run: Started): Promise<void> {
    if (during !== undefined || halt === undefined) await run.said(BEGAN.watch);
    if (halt === undefined) return sleep(500);
    if (during !== undefined) setHalt(node, halt);
    if (during === 'guard') {
      await killNow(run);
      // Its own service, before its time.
      await node.mustExec("systemctl start --no-block \"$(basename /run/systemd/transient/fleetmend-guard-*.timer .timer).service\"");
    }
    await reached(node);
  }

  async function playCut(name: string, cut: Cut): Promise<Played> {
    const node = stage.node(name);
    if (cut.during === 'undo') await node.mustExec('echo "never-healthy when streamingConnectionIdleTimeout=4h0m0s" >/etc/kubelet-faults');
    if (cut.halt && cut.during === undefined) setHalt(node, cut.halt);
    const run = stage.start('apply', [name], { output: 'ndjson', connectTimeout: '2s' });
    await toTheCut(node, cut, run);
    await (cut.inOrder ? node.powerOff() : node.powerCut());
    await killNow(run);
    goOn(node);
    if (cut.again) {
      setHalt(node, cut.again);
      const interrupted = node.boot().catch(() => undefined);
      await reached(node);
      await node.powerCut();
      await interrupted;
      goOn(node);
    }
    await node.boot();
    await bootIsOver(node);
    const booted = await standingOf(node, beforeOf(name));
    const boot = await bootTruth(node);
    const { stdout } = await run.ended;
    const resumed = await stage.past('resume', [runOf(stdout)], { output: 'ndjson' });
    return { booted, boot, resumed, ended: await standingOf(node, beforeOf(name)) };
  }

  beforeAll(async () => {
    stage = await raiseStage([...names, 'confirmed', 'living'], {
      playbook: { for: '3s', within: '30s', activation: '60s', margin: '20s' },
    });
    await forEachLimited(stage.lab.nodes, 6, async (node) => {
      before.set(node.name, await arrangeFlagged(node));
      await makeHaltable(node);
    });
    const turns = createTurns(SCENES_AT_ONCE);
    const inTurn = <T>(act: () => Promise<T>) => (): Promise<T> => turns(act);
    scene = play(Object.fromEntries(Object.entries(CUTS).map(([name, cut]) => [name, inTurn(() => playCut(name, cut))])));
    const others = play({
      confirmed: inTurn(async () => {
        const node = stage.node('confirmed');
        const looks: Standing[] = [];
        const { code } = await stage.run('apply', ['confirmed'], { output: 'ndjson' });
        if (code !== 0) throw new Error(`exit ${String(code)}`);
        looks.push(await standingOf(node, beforeOf('confirmed')));
        for (const end of [() => node.powerCut(), () => node.powerOff()]) {
          await end();
          await node.boot();
          await bootIsOver(node);
          looks.push(await standingOf(node, beforeOf('confirmed')));
        }
        return looks;
      }),
    });
    confirmed = () => others('confirmed');
    const last = play({
      living: inTurn(async () => {
        const node = stage.node('living');
        const run = stage.start('apply', ['living'], { output: 'ndjson', connectTimeout: '2s' });
        await run.said(BEGAN.watch);
        await node.powerCut();
        await node.boot();
        const ended = await run.ended;
        return { ended, standing: await standingOf(node, beforeOf('living')) };
      }),
    });
    living = () => last('living');
  });

  afterAll(async () => {
    await stage?.end();
  });

  describe.each(Object.entries(CUTS))('%s', (name, cut) => {
    it('is whole in one state after the boot, before any controller comes', async () => {
      const { booted } = await scene(name);
      expect([booted.state, booted.wrong]).toEqual([cut.after ?? 'old', []]);
    }, MINUTES_MS);

    it('has started its kubelet once at that boot, after its guard', async () => {
      const { boot } = await scene(name);
      // Nothing was armed, or not any more: then there was no guard to wait for.
      expect(boot).toEqual({ starts: 1, guardFirst: cut.ends !== 'changed' && name !== 'guard-concludes' ? true : expect.any(Boolean) });
    }, MINUTES_MS);

    it('ends by one resume, and is what that says', async () => {
      const { resumed, ended } = await scene(name);
      const outcome = cut.ends ?? 'restored';
      expect([finishOf(resumed, name)?.outcome, resumed.code, resumed.stderr.includes('  at ')]).toEqual([outcome, outcome === 'changed' ? 0 : 2, false]);
      expect(ended).toMatchObject({ state: outcome === 'changed' ? 'new' : 'old', wrong: [], locked: false, left: [] });
      if (outcome === 'restored') expect(finishOf(resumed, name)?.failure?.done).toContain('the guard had put the old state back by itself');
    }, MINUTES_MS);
  });

  it('a confirmed mend stays over a power cut and over a reboot, and no unit of ours is left', async () => {
    for (const look of await confirmed()) expect(look).toMatchObject({ state: 'new', wrong: [], guard: ['disarmed'], locked: false, left: [] });
  }, MINUTES_MS);

  it('a controller that lives through it comes back by itself and reports what the guard did', async () => {
    const { ended, standing } = await living();
    expect([finishOf(ended, 'living')?.outcome, ended.code]).toEqual(['restored', 2]);
    expect(finishOf(ended, 'living')?.failure?.done).toContain('the guard had put the old state back by itself');
    expect(standing).toMatchObject({ state: 'old', wrong: [], guard: ['done', 'fired'], locked: false, left: [] });
  }, MINUTES_MS);
});
