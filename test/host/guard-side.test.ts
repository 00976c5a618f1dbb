/** What the lock and the guard do where the contract cannot look: what lies on the node, kills in the middle, full disks. Needs root. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, type TestContext } from 'vitest';
import type { Activation, Edit, Effect } from '../../src/core/effect.js';
import { ALREADY, edit, GUARD_FIRED, LOCKED, lock, NEW, NOW, OLD, perform, performAlone, restore, restoresOf, RUN, writeOf } from '../contracts/host-session-edits.js';
import { askAll, askOne } from '../contracts/host-session-read.js';
import { diesBefore } from './dies-before.js';
import { makeLocalNode, type LocalNode } from './local-node.js';

const isRoot = process.getuid?.() === 0;
/** For those that try every instant of an act, one after the other. */
const LONG_MS = 900_000;
const TOOLS = ['mktemp', 'mv', 'cp', 'rm', 'sync', 'stat', 'sha256sum', 'mkdir', 'systemctl', 'touch'];
const STAND_INS = ['systemctl'];
const RESTART: readonly Activation[] = [{ do: 'restart', unit: 'fm-test.service', timeoutMs: 5_000 }];

describe.skipIf(!isRoot)('lock and guard on the node (needs root)', () => {
  let node: LocalNode;
  beforeEach(async () => {
    node = await makeLocalNode({ shell: 'dash', loginShell: 'dash' });
  });
  afterEach(() => node.close());

  const path = (): string => join(node.root, 'config');
  const change = (): Edit => writeOf(path(), OLD, NEW);
  const guarded = (one: Edit): Effect => ({ do: 'edit', run: RUN, way: 'guarded', edit: one });
  const arm = (edits: readonly Edit[] = [], activations: readonly Activation[] = [], invocationId?: string): Effect =>
    ({ do: 'arm', run: RUN, order: { afterMs: 90_000, restores: restoresOf(edits), activations, ...(invocationId === undefined ? {} : { invocationId }) } });
  const bootUnit = (): string => join(node.unitRoot, `fleetmend-boot-${RUN}.service`);
  const bootLink = (): string => join(node.unitRoot, 'multi-user.target.wants', `fleetmend-boot-${RUN}.service`);
  const logOf = (): string => readFileSync(join(node.stateRoot, RUN, 'log'), 'utf8');
  const asked = (program: string): string => readFileSync(join(node.bin, `${program}.log`), 'utf8');
  const guard = () => askOne(node, { ask: 'guard', run: RUN });
  const fire = async (when: 'timer' | 'boot' = 'timer'): Promise<void> => node.fireGuard?.(RUN, when);

  it('a guard is a timer of systemd and a unit that comes before the service at the next start; disarmed, neither is left', async () => {
    expect(await perform(node, arm([change()], RESTART))).toMatchObject([NOW]);
    const script = join(node.stateRoot, RUN, 'guard', 'script');
    expect(asked('systemd-run')).toBe(`--unit=fleetmend-guard-${RUN} --on-active=90000ms --timer-property=AccuracySec=100ms /bin/sh ${script} timer\n`);
    const unit = readFileSync(bootUnit(), 'utf8');
    for (const line of [`RequiresMountsFor=${node.stateRoot}`, `ConditionPathExists=|${join(node.stateRoot, RUN, 'guard', 'armed')}`, `ConditionPathExists=|${join(node.stateRoot, RUN, 'guard', 'fired')}`, 'Before=fm-test.service', 'Type=oneshot', `ExecStart=/bin/sh ${script} boot`]) {
      expect(unit.split('\n')).toContain(line);
    }
    expect(readlinkSync(bootLink())).toBe(`../fleetmend-boot-${RUN}.service`);
    expect(await perform(node, { do: 'disarm', run: RUN })).toMatchObject([NOW]);
    expect(asked('systemctl')).toContain(`stop fleetmend-guard-${RUN}.timer\n`);
    expect([existsSync(bootUnit()), existsSync(bootLink())]).toEqual([false, false]);
  });

  it('is not armed by a systemd-run that says yes and starts no timer: that is said, and nothing is left armed', async () => {
    writeFileSync(join(node.bin, 'systemd-run.idle'), '');
    const [result] = await perform(node, arm([change()], RESTART));
    expect(result).toMatchObject({ ok: false, detail: expect.stringContaining(`fleetmend-guard-${RUN}.timer is not active`) as string });
    expect(await guard()).not.toMatchObject({ value: { state: 'armed' } });
    expect([existsSync(bootUnit()), existsSync(bootLink())]).toEqual([false, false]);
  });

  it('every line of the log says which run and by whom, the guard\'s too', async () => {
    await node.put(path(), OLD);
    await perform(node, arm([change()]), guarded(change()));
    await fire();
    await perform(node, { do: 'unlock', run: RUN });
    const lines = logOf().trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(new RegExp(`^${RUN} by alice@laptop( \\(guard\\))?: `));
    expect(lines.map((line) => /: (\w+ ?(fired|is)?)/.exec(line)?.[1]?.trim())).toEqual(['lock', 'arm', 'edit', 'guard fired', 'restore', 'guard is', 'lock', 'unlock']);
  });

  it('at the start of the node a unit that runs already is restarted without waiting, one that does not is left to start', async () => {
    await perform(node, arm([], RESTART, 'f'.repeat(32)));
    await fire('boot');
    expect(asked('systemctl')).toMatch(/^restart -- fm-test.service$/m);
    expect((await guard()).report).toBe('restart fm-test.service: now');
    await perform(node, { do: 'clean', run: RUN }, arm([], RESTART, 'f'.repeat(32)));
    execFileSync(join(node.bin, 'systemctl'), ['end']);
    await fire('boot');
    execFileSync(join(node.bin, 'systemctl'), ['begin']);
    expect((await guard()).report).toBe('restart fm-test.service: not needed');
    expect(await guard()).toMatchObject({ state: 'fired', ok: true });
  });

  it('a restart that fails makes the guard\'s verdict failed, after all files are back', async () => {
    await node.put(path(), OLD);
    await perform(node, arm([change()], [{ do: 'restart', unit: 'none.service', timeoutMs: 5_000 }]), guarded(change()));
    await fire();
    expect(await guard()).toMatchObject({ state: 'fired', ok: false, report: expect.stringMatching(/config: now\nrestart none.service: failed exit .*not found/) as unknown });
    expect(readFileSync(path())).toEqual(OLD);
  });

  it('an order is data: no path in it is ever run', async () => {
    const odd = [`${node.root}/$(touch ${node.root}/ran)`, `${node.root}/a\nrestart +1 +x`, `${node.root}/';rm -rf *;'`].filter((one) => !one.slice(node.root.length + 1).includes('/'));
    for (const one of odd) await node.put(one, OLD);
    const edits = odd.map((one) => writeOf(one, OLD, NEW));
    await perform(node, arm(edits), ...edits.map(guarded));
    await fire();
    expect(await guard()).toMatchObject({ state: 'fired', ok: true });
    for (const one of odd) expect(readFileSync(one)).toEqual(OLD);
    expect(readdirSync(node.root)).toHaveLength(odd.length);
  });

  it('cut short before any of its programs, a guard goes on at the next start of the node and ends in the old state', async () => {
    await node.put(path(), OLD, { mode: 0o640, modifiedAt: 1_600_000_000 });
    const before = await node.look(path());
    const edits = [change(), writeOf(join(node.root, 'new'), 'absent', NEW)];
    let survived = false;
    let step = 0;
    for (; !survived; step += 3) {
      await perform(node, arm(edits), ...edits.map(guarded));
      diesBefore(node, step, TOOLS.filter((tool) => !STAND_INS.includes(tool)));
      await fire();
      survived = (await guard()).state === 'fired';
      diesBefore(node, -1, TOOLS.filter((tool) => !STAND_INS.includes(tool)));
      await fire('boot');
      expect(await guard()).toMatchObject({ state: 'fired', ok: true });
      expect(await node.look(path())).toEqual(before);
      expect(readdirSync(node.root)).toEqual(['config']);
      expect(existsSync(bootLink())).toBe(false);
      expect(await perform(node, { do: 'clean', run: RUN })).toMatchObject([NOW]);
      expect(step).toBeLessThan(120);
    }
    expect(step).toBeGreaterThan(15);
  }, LONG_MS);

  it('killed before any of its programs, an arming leaves a node that the next visit arms or disarms', async () => {
    await node.put(path(), OLD);
    let survived = false;
    for (let step = 0; !survived; step += 3) {
      survived = await perform(node, arm([change()])).then(([result]) => result?.ok === true, () => false);
      diesBefore(node, -1, TOOLS.filter((tool) => !STAND_INS.includes(tool)));
      expect(await perform(node, arm([change()]), guarded(change()))).toMatchObject([NOW, NOW]);
      await fire();
      expect(await guard()).toMatchObject({ state: 'fired', ok: true });
      expect(readFileSync(path())).toEqual(OLD);
      expect(await perform(node, { do: 'clean', run: RUN })).toMatchObject([NOW]);
      diesBefore(node, step, TOOLS.filter((tool) => !STAND_INS.includes(tool)));
      survived &&= step > 90;
    }
    diesBefore(node, -1, TOOLS.filter((tool) => !STAND_INS.includes(tool)));
  }, LONG_MS);

  const onSmallDisk = async (context: TestContext, use: (fill: () => void) => Promise<void>): Promise<void> => {
    mkdirSync(node.stateRoot, { recursive: true, mode: 0o700 });
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k,mode=0700', 'tmpfs', node.stateRoot]).status !== 0) return context.skip('this machine mounts nothing');
    try {
      await use(() => void spawnSync('dd', ['if=/dev/zero', `of=${node.stateRoot}/filler`, 'bs=4k']));
    } finally {
      execFileSync('umount', [node.stateRoot]);
    }
  };

  it('on a full disk nothing is armed, and the reason is told', (context) => onSmallDisk(context, async (fill) => {
    await perform(node);
    fill();
    expect(await perform(node, arm([change()]))).toMatchObject([{ ok: false, effect: 'none', reason: 'noSpace' }]);
    expect((await guard()).state).toBe('none');
    expect(existsSync(bootLink())).toBe(false);
  }));

  it('an armed guard restores, says so and counts as fired when the disk of its own state is full', (context) => onSmallDisk(context, async (fill) => {
    await node.put(path(), OLD);
    expect(await perform(node, arm([change()]), guarded(change()))).toMatchObject([NOW, NOW]);
    fill();
    await fire();
    expect(readFileSync(path())).toEqual(OLD);
    expect(await guard()).toMatchObject({ state: 'fired', ok: true });
  }));

  it('a run takes its own lock over and undoes when the disk of the state is full', (context) => onSmallDisk(context, async (fill) => {
    await node.put(path(), OLD);
    await perform(node, edit(change()));
    fill();
    expect(await performAlone(node, lock(RUN, 'session-2'), restore(change()))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(readFileSync(path())).toEqual(OLD);
  }));

  it('a lock whose maker came no further than the directory is nobody\'s, and goes after five silent minutes', async () => {
    await perform(node, { do: 'unlock', run: RUN });
    mkdirSync(join(node.stateRoot, 'lock'), { mode: 0o700 });
    expect(await askOne(node, { ask: 'lock' })).toMatchObject({ held: true, run: '', who: '', session: '', staleAfterMs: 300_000, guard: 'none' });
    expect(await performAlone(node, lock())).toMatchObject([LOCKED]);
    await node.silence(301_000);
    expect(await performAlone(node, lock())).toMatchObject([NOW]);
  });

  it('a lock with names that are none shows none of them, and a person breaks it without one', async () => {
    await perform(node);
    writeFileSync(join(node.stateRoot, 'lock', 'holder'), `../etc\n\u001b[2J\nx/../y\n${'9'.repeat(30)}\n${'9'.repeat(30)}\n`);
    expect(await askOne(node, { ask: 'lock' })).toMatchObject({ held: true, run: '', who: '', session: '', staleAfterMs: 300_000, guard: 'none' });
    expect(await performAlone(node, lock('run-2', 'session-2'))).toMatchObject([{ ...LOCKED, detail: expect.stringMatching(/^run unknown of unknown, silent for \d+ s$/) as string }]);
    expect(await performAlone(node, { do: 'breakLock', session: 'x' }, { do: 'breakLock', session: '' }, lock())).toMatchObject([LOCKED, NOW, NOW]);
  });

  it('a breaker that came no further than its tombstone keeps a silent lock for as long as that may be silent, not for ever', async () => {
    await perform(node);
    await node.silence(900_000);
    mkdirSync(join(node.stateRoot, 'broken-session-1'), { mode: 0o700 });
    expect(await performAlone(node, lock('run-2', 'session-2'))).toMatchObject([LOCKED]);
    await node.silence(301_000);
    expect(await performAlone(node, lock('run-2', 'session-2'))).toMatchObject([NOW]);
    expect(await askOne(node, { ask: 'lock' })).toMatchObject({ run: 'run-2' });
  });

  it.each([
    ['dead', undefined, true],
    ['at work by its timer', `fleetmend-guard-${RUN}.service`, false],
    ['at work since the start of the node', `fleetmend-boot-${RUN}.service`, false],
    ['at work again', `fleetmend-guard-${RUN}-again.service`, false],
  ])('a guard in the middle of its work, now %s: arming starts it once more if it is dead, and only then', async (_name, atWork, again) => {
    await node.put(path(), OLD);
    await perform(node, arm([change()]), guarded(change()));
    renameSync(join(node.stateRoot, RUN, 'guard', 'armed'), join(node.stateRoot, RUN, 'guard', 'fired'));
    if (atWork !== undefined) writeFileSync(join(node.bin, `${atWork}.active`), '');
    expect(await perform(node, arm([change()]))).toMatchObject([GUARD_FIRED]);
    const started = `--unit=fleetmend-guard-${RUN}-again /bin/sh ${join(node.stateRoot, RUN, 'guard', 'script')} timer`;
    expect(asked('systemd-run').split('\n').includes(started)).toBe(again);
    expect(asked('systemctl').includes(`reset-failed -- fleetmend-guard-${RUN}-again.service`)).toBe(again);
    await fire();
    expect(await guard()).toMatchObject({ state: 'fired', ok: true });
    expect(await perform(node, arm([change()]))).toMatchObject([GUARD_FIRED]);
    expect(asked('systemd-run').split('\n').filter((line) => line === started)).toHaveLength(again ? 1 : 0);
  });

  it('a person breaks a lock whose maker came no further than the directory', async () => {
    await perform(node, { do: 'unlock', run: RUN });
    mkdirSync(join(node.stateRoot, 'lock'), { mode: 0o700 });
    expect(await performAlone(node, { do: 'breakLock', session: '' }, lock())).toMatchObject([NOW, NOW]);
  });

  it('cleaning takes the boot unit and what is left of locks that were broken days ago', async () => {
    await node.put(path(), OLD);
    await performAlone(node, lock('run-dead', 'dead'));
    await performAlone(node, { do: 'breakLock', session: 'dead' });
    await performAlone(node, lock('run-dead', 'young'));
    await performAlone(node, { do: 'breakLock', session: 'young' });
    const old = Date.now() / 1000 - 90_000;
    utimesSync(join(node.stateRoot, 'broken-dead'), old, old);
    await perform(node, arm([change()]), guarded(change()));
    await fire();
    expect(await perform(node, { do: 'clean', run: RUN }, { do: 'clean', run: RUN })).toMatchObject([NOW, ALREADY]);
    expect(readdirSync(node.stateRoot).sort()).toEqual(['broken-young', 'lock', 'run-dead']);
  });

  it('a guard without its files refuses nothing but what goes forwards', async () => {
    await node.put(path(), OLD);
    await perform(node, arm([change()]), guarded(change()));
    execFileSync('rm', ['-r', join(node.stateRoot, RUN, 'guard')]);
    expect(await perform(node, guarded(change()), restore(change()))).toMatchObject([GUARD_FIRED, NOW]);
  });

  it('where systemd does not run the node, nothing is armed', async () => {
    const bare = await makeLocalNode({ shell: 'dash', loginShell: 'dash', connector: { runningRoot: '/nonexistent' } });
    expect(await perform(bare, arm())).toMatchObject([{ ok: false, effect: 'none', reason: 'missingTool' }]);
    expect(await askAll(bare, [{ ask: 'guard', run: RUN }])).toMatchObject([{ ok: true, value: { state: 'none' } }]);
    await bare.close();
  });

  it('what was written by another hand is kept once with its mode, and an earlier one is not overwritten', async () => {
    await node.put(path(), OLD);
    for (const theirs of ['theirs', 'theirs', 'others']) {
      await perform(node, edit(change()));
      await node.put(path(), theirs, { mode: 0o604 });
      expect(await perform(node, restore(change(), 'save'))).toMatchObject([NOW]);
    }
    const kept = readdirSync(join(node.stateRoot, RUN)).filter((name) => /^[0-9a-f]{64}-[0-9a-f]{64}$/.test(name));
    const texts = kept.map((name) => readFileSync(join(node.stateRoot, RUN, name), 'utf8')).sort();
    expect(texts).toEqual([OLD.toString(), 'others', 'theirs'].sort());
    for (const name of kept) if (readFileSync(join(node.stateRoot, RUN, name), 'utf8') !== OLD.toString()) expect(lstatSync(join(node.stateRoot, RUN, name)).mode & 0o777).toBe(0o604);
  });

  it('brings back a file that another hand removed, when it is told to go over others', async () => {
    await node.put(path(), OLD);
    await perform(node, edit(change()));
    execFileSync('rm', [path()]);
    expect(await perform(node, restore(change()), restore(change(), 'save'))).toMatchObject([{ ok: false, effect: 'none', reason: 'drift' }, NOW]);
    expect(readFileSync(path())).toEqual(OLD);
  });
});
