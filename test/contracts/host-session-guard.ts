/** The part of the host session's contract about the guard: what the node does by itself when nobody comes back. */
import { describe, expect, it, type TestContext } from 'vitest';
import type { Activation, Edit, Effect, EffectResult, GuardOrder } from '../../src/core/effect.js';
import type { GuardAnswer } from '../../src/core/query.js';
import { ALREADY, edit, GUARD_FIRED, LOCKED, lock, NEW, NOW, OLD, perform, performAlone, removeOf, restore, restoresOf, RUN, writeOf } from './host-session-edits.js';
import { askOne } from './host-session-read.js';
import type { NodeUnderTest } from './node-under-test.js';

const LONG_MS = 600_000;
const LONG_AGO = 1_600_000_000;
const MIDDLE = Buffer.from('middle\n');

const guarded = (one: Edit): Effect => ({ do: 'edit', run: RUN, way: 'guarded', edit: one });
/** `edits`: in the order in which they are made. */
const arm = ({ edits = [], ...order }: Partial<Omit<GuardOrder, 'restores'>> & { readonly edits?: readonly Edit[] } = {}): Effect =>
  ({ do: 'arm', run: RUN, order: { afterMs: LONG_MS, restores: restoresOf(edits), activations: [], ...order } });
const disarm: Effect = { do: 'disarm', run: RUN };
const clean: Effect = { do: 'clean', run: RUN };

export function guardContract(node: () => NodeUnderTest): void {
  const guard = (): Promise<GuardAnswer> => askOne(node(), { ask: 'guard', run: RUN });
  const textOf = async (path: string): Promise<string | undefined> => {
    const looked = await node().look(path);
    return looked && Buffer.from(looked.bytes).toString('latin1');
  };
  const fire = (when: 'timer' | 'boot' = 'timer'): Promise<void> => node().fireGuard?.(RUN, when) ?? Promise.resolve();
  /** Skips where nothing can be fired; gives a file with the old content and an edit of it. */
  const prepare = async (context: TestContext): Promise<Edit> => {
    if (!node().fireGuard) context.skip('no guard can be fired on this node');
    await node().put(`${node().root}/config`, OLD, { mode: 0o640, modifiedAt: LONG_AGO });
    return writeOf(`${node().root}/config`, OLD, NEW);
  };

  describe('the guard', () => {
    it('allows guarded edits only while it is armed', async (context) => {
      const change = await prepare(context);
      expect(await guard()).toEqual({ state: 'none' });
      expect(await perform(node(), guarded(change), arm({ edits: [change] }), guarded(change))).toMatchObject([GUARD_FIRED, NOW, NOW]);
      const { state, firesInMs } = await guard();
      expect(state).toBe('armed');
      expect(firesInMs).toBeGreaterThan(LONG_MS - 120_000);
      expect(firesInMs).toBeLessThanOrEqual(LONG_MS + 2_000);
      expect(await perform(node(), disarm, disarm, guarded(change))).toMatchObject([NOW, ALREADY, GUARD_FIRED]);
      expect(await guard()).toMatchObject({ state: 'disarmed' });
      expect(await askOne(node(), { ask: 'lock' })).toMatchObject({ touched: false, guard: 'disarmed' });
    });

    it('puts back two edits of one file, a created and a removed file, each as it was, and says so', async (context) => {
      await prepare(context);
      const { root } = node();
      await node().put(`${root}/gone`, OLD, { mode: 0o600, modifiedAt: LONG_AGO });
      const before = [await node().look(`${root}/config`), await node().look(`${root}/gone`)];
      const edits = [writeOf(`${root}/config`, OLD, MIDDLE), writeOf(`${root}/config`, MIDDLE, NEW), writeOf(`${root}/new`, 'absent', NEW), removeOf(`${root}/gone`, OLD)];
      expect(await perform(node(), arm({ edits }), ...edits.map(guarded))).toMatchObject([NOW, NOW, NOW, NOW, NOW]);
      await fire();
      expect([await node().look(`${root}/config`), await node().look(`${root}/gone`)]).toEqual(before);
      expect(await node().names(root)).toEqual(['config', 'gone']);
      const { state, ok, report } = await guard();
      expect({ state, ok }).toEqual({ state: 'fired', ok: true });
      expect(report?.split('\n')).toEqual([`restore ${root}/gone: now`, `restore ${root}/new: now`, `restore ${root}/config: now`, `restore ${root}/config: now`]);
    });

    it('leaves a file alone that is further back already, and so does an undo', async (context) => {
      const first = await prepare(context);
      const middle = writeOf(first.path, OLD, MIDDLE);
      const last = writeOf(first.path, MIDDLE, NEW);
      await perform(node(), arm({ edits: [middle, last] }), guarded(middle), guarded(last), restore(last), restore(middle));
      const before = await node().look(first.path);
      for (const foreign of ['refuse', 'save'] as const) {
        expect(await perform(node(), restore(last, foreign, ['f'.repeat(64), middle.before]))).toEqual([ALREADY]);
      }
      expect(await perform(node(), restore(last))).toMatchObject([{ ok: false, effect: 'none', reason: 'drift' }]);
      await fire();
      expect(await guard()).toEqual({ state: 'fired', ok: true, report: `restore ${first.path}: already\nrestore ${first.path}: already` });
      expect(await node().look(first.path)).toEqual(before);
    });

    it('restores nothing that was not changed yet, and what another hand wrote stays', async (context) => {
      const change = await prepare(context);
      const { root } = node();
      await node().put(`${root}/theirs`, OLD);
      await node().put(`${root}/never`, OLD, { modifiedAt: LONG_AGO });
      const theirs = writeOf(`${root}/theirs`, OLD, NEW);
      await perform(node(), arm({ edits: [change, theirs, writeOf(`${root}/never`, OLD, NEW)] }), guarded(change), guarded(theirs));
      await node().put(`${root}/theirs`, 'a third hand');
      await fire();
      expect([await textOf(`${root}/theirs`), await textOf(`${root}/config`)]).toEqual(['a third hand', OLD.toString()]);
      const { state, ok, report } = await guard();
      expect({ state, ok }).toEqual({ state: 'fired', ok: false });
      const lines = report?.split('\n') ?? [];
      expect([lines[0], lines[2]]).toEqual([`restore ${root}/never: already`, `restore ${root}/config: now`]);
      expect(lines[1]).toMatch(/^restore .*\/theirs: failed drift/);
    });

    it('that was disarmed does nothing when its time comes', async (context) => {
      const change = await prepare(context);
      await perform(node(), arm({ edits: [change] }), guarded(change), disarm);
      await fire();
      await fire('boot');
      expect(await textOf(`${node().root}/config`)).toBe(NEW.toString('latin1'));
      expect(await guard()).toEqual({ state: 'disarmed' });
    });

    it('that has fired ends all that goes forwards, is not armed again, and leaves an undo nothing to do', async (context) => {
      const change = await prepare(context);
      await perform(node(), arm({ edits: [change] }), guarded(change));
      await fire();
      const forwards: Effect[] = [guarded(change), edit(change), { do: 'restart', run: RUN, way: 'guarded', unit: 'x.service', timeoutMs: 1000 }, disarm, arm()];
      expect(await perform(node(), ...forwards)).toMatchObject(forwards.map(() => GUARD_FIRED));
      expect(await perform(node(), restore(change))).toMatchObject([ALREADY]);
      expect(await textOf(`${node().root}/config`)).toBe(OLD.toString());
    });

    it('fires once', async (context) => {
      const change = await prepare(context);
      await perform(node(), arm({ edits: [change] }), guarded(change));
      await fire();
      const first = await guard();
      await node().put(`${node().root}/config`, NEW);
      await fire();
      await fire('boot');
      expect(await textOf(`${node().root}/config`)).toBe(NEW.toString('latin1'));
      expect(await guard()).toEqual(first);
    });

    it('and its disarming: exactly one of them happens, also at the same moment', async (context) => {
      const change = await prepare(context);
      for (let turn = 0; turn < 3; turn += 1) {
        await node().put(`${node().root}/config`, OLD);
        await perform(node(), arm({ edits: [change] }), guarded(change));
        const [[result]] = await Promise.all([perform(node(), disarm), fire()]);
        const { state } = await guard();
        if (result?.ok) expect([state, await textOf(`${node().root}/config`)]).toEqual(['disarmed', NEW.toString('latin1')]);
        else expect([result, state, await textOf(`${node().root}/config`)]).toMatchObject([GUARD_FIRED, 'fired', OLD.toString()]);
        expect(await perform(node(), restore(change), clean)).toMatchObject([{ ok: true }, NOW]);
      }
    });

    it('is armed again after it was disarmed, with the time anew', async (context) => {
      const change = await prepare(context);
      expect(await perform(node(), arm({ afterMs: 60_000 }), arm({ edits: [change] }), disarm, arm({ edits: [change] }), guarded(change))).toMatchObject([NOW, NOW, NOW, NOW, NOW]);
      expect((await guard()).firesInMs).toBeGreaterThan(LONG_MS - 120_000);
      await fire();
      expect(await textOf(`${node().root}/config`)).toBe(OLD.toString());
    });

    it('that cannot be armed is not armed', async (context) => {
      const change = await prepare(context);
      const undo = await node().breakSystemdRun?.();
      if (!undo) return context.skip('timers always can be made on this node');
      const results = await perform(node(), arm({ edits: [change] }), guarded(change));
      await undo();
      expect(results).toMatchObject([{ ok: false, effect: 'none' }, GUARD_FIRED]);
      expect(['none', 'disarmed']).toContain((await guard()).state);
    });

    it('that was never armed cannot be disarmed', async (context) => {
      await prepare(context);
      expect(await perform(node(), disarm)).toMatchObject([{ ok: false, effect: 'none', reason: 'exit' }]);
    });

    it.each([['timer', false], ['timer', true]] as const)('restarts a unit by its %s unless it still lives the same life: %s', async (when, isSame) => {
      const { unit, fireGuard } = node();
      if (unit === undefined || !fireGuard) return;
      const { properties, process } = await askOne(node(), { ask: 'unit', unit });
      const invocationId = isSame ? properties['InvocationID'] ?? '' : 'f'.repeat(32);
      const activations: Activation[] = [{ do: 'daemonReload', timeoutMs: 30_000 }, { do: 'restart', unit, timeoutMs: 30_000 }];
      await perform(node(), arm({ activations, invocationId }));
      await fire(when);
      const after = await askOne(node(), { ask: 'unit', unit });
      expect(after.process?.pid === process?.pid).toBe(isSame);
      expect(await guard()).toMatchObject({ state: 'fired', ok: true });
      expect((await guard()).report?.split('\n')).toEqual(['daemonReload: now', `restart ${unit}: ${isSame ? 'not needed' : 'now'}`]);
    });
  });

  describe('the lock of a silent run with a guard', () => {
    it.for<[string, boolean, (change: Edit) => Promise<unknown>]>([
      ['armed', false, () => Promise.resolve()],
      ['fired and restored everything', true, () => fire()],
      ['fired and could not restore everything', false, async ({ path }) => { await node().put(path, 'theirs'); await fire(); }],
      ['disarmed', true, () => perform(node(), disarm)],
    ])('that is %s: may be taken by another: %s', async ([, mayTake, end], context) => {
      const change = await prepare(context);
      await perform(node(), arm({ edits: [change] }), guarded(change));
      await end(change);
      await node().silence(900_000);
      expect(await performAlone(node(), lock('run-of-another', 'session-2'))).toMatchObject([mayTake ? NOW : LOCKED]);
    });

    it.for([['everything', true], ['not everything', false]] as const)('shows whether it has restored everything: %s', async ([, guardOk], context) => {
      const change = await prepare(context);
      await perform(node(), arm({ edits: [change] }), guarded(change));
      if (!guardOk) await node().put(change.path, 'theirs');
      await fire();
      expect(await askOne(node(), { ask: 'lock' })).toMatchObject({ held: true, guard: 'fired', guardOk });
    });

    it('when that lock was broken, is shown all the same and keeps every other run away, not its own', async (context) => {
      await prepare(context);
      const other = lock('run-of-another', 'session-2');
      await performAlone(node(), lock(), arm());
      expect(await askOne(node(), { ask: 'lock' })).toMatchObject({ held: true, run: RUN, guard: 'armed' });
      expect(await askOne(node(), { ask: 'lock' })).not.toHaveProperty('armed');
      await performAlone(node(), { do: 'breakLock', session: 'session-1' });
      expect(await askOne(node(), { ask: 'lock' })).toEqual({ held: false, armed: RUN });
      expect(await performAlone(node(), other)).toMatchObject([{ ...LOCKED, detail: `the guard of run ${RUN} is armed` }]);
      expect(await askOne(node(), { ask: 'lock' })).toEqual({ held: false, armed: RUN });
      expect(await performAlone(node(), lock(), disarm, { do: 'unlock', run: RUN })).toMatchObject([NOW, NOW, NOW]);
      expect(await askOne(node(), { ask: 'lock' })).toEqual({ held: false });
      expect(await performAlone(node(), other)).toMatchObject([NOW]);
    });

    it('is not free while the guard is armed, even when nothing was changed', async (context) => {
      await prepare(context);
      await perform(node(), arm());
      await node().silence(900_000);
      expect(await performAlone(node(), lock('run-of-another', 'session-2'))).toMatchObject([LOCKED]);
    });
  });

  describe('cleaning', () => {
    it('removes what a run left, once, but not under an armed guard', async (context) => {
      const change = await prepare(context);
      const results: EffectResult[] = await perform(node(), arm({ edits: [change] }), guarded(change), clean, disarm, clean, clean);
      expect(results).toMatchObject([NOW, NOW, GUARD_FIRED, NOW, NOW, ALREADY]);
      expect(await guard()).toEqual({ state: 'none' });
      expect(await perform(node(), restore(change))).toMatchObject([{ ok: false, effect: 'none', reason: 'missingCopy' }]);
      expect(await askOne(node(), { ask: 'lock' })).toMatchObject({ held: true, run: RUN });
    });
  });

  describe('an undo over what another hand wrote', () => {
    it('keeps that first when it is told to, and brings the old file back', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD, { mode: 0o640, modifiedAt: LONG_AGO });
      const before = await node().look(path);
      const change = writeOf(path, OLD, NEW);
      await perform(node(), edit(change));
      await node().put(path, 'a third hand');
      const [refused, saved] = await perform(node(), restore(change), restore(change, 'save'));
      expect([refused, saved]).toMatchObject([{ ok: false, effect: 'none', reason: 'drift' }, NOW]);
      const kept = /\/\S+/.exec((saved?.ok && saved.detail) || '')?.[0] ?? '';
      expect(await textOf(kept)).toBe('a third hand');
      expect(await node().look(path)).toEqual(before);
    });

    it('leaves a link alone all the same', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      await node().put(`${node().root}/other`, 'theirs');
      const change = removeOf(path, OLD);
      await perform(node(), edit(change));
      await node().link(path, 'other');
      expect(await perform(node(), restore(change, 'save'))).toMatchObject([{ ok: false, effect: 'none', reason: 'drift' }]);
      expect(await node().look(path)).toMatchObject({ kind: 'link' });
    });
  });
}
