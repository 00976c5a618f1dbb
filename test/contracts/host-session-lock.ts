/** The part of the host session's contract about who holds the node. */
import { describe, expect, it } from 'vitest';
import type { Effect, EffectResult } from '../../src/core/effect.js';
import type { WriteSession } from '../../src/core/ports.js';
import type { LockAnswer } from '../../src/core/query.js';
import { ALREADY, edit, LOCKED, lock, NEW, NOT_LOCKED, NOW, OLD, performAlone, restore, RUN, withVisits, writeOf } from './host-session-edits.js';
import { askOne } from './host-session-read.js';
import type { NodeUnderTest } from './node-under-test.js';

const OTHER = 'run-of-another';

export function lockContract(node: () => NodeUnderTest): void {
  const holder = (): Promise<LockAnswer> => askOne(node(), { ask: 'lock' });
  /** A visit that holds the node for RUN, or as told, and has ended. */
  const held = async (...then: readonly Effect[]): Promise<EffectResult[]> => performAlone(node(), lock(), ...then);

  describe('the lock', () => {
    it('is nobody\'s before anybody asked, and then of who asked first', async () => {
      expect(await holder()).toEqual({ held: false });
      expect(await performAlone(node(), lock(), lock())).toMatchObject([NOW, ALREADY]);
      const found = await holder();
      expect(found).toMatchObject({ held: true, run: RUN, who: 'alice@laptop', session: 'session-1', staleAfterMs: 300_000, touched: false, guard: 'none' });
      if (found.held) expect(Math.max(found.heldForMs, found.silentForMs)).toBeLessThan(60_000);
    });

    it('is refused to another run, with the facts', async () => {
      await held();
      const [refused] = await performAlone(node(), lock(OTHER, 'session-2'));
      expect(refused).toMatchObject(LOCKED);
      expect(refused?.ok === false && refused.detail).toMatch(new RegExp(`${RUN}.*alice@laptop`));
      expect(await holder()).toMatchObject({ run: RUN, session: 'session-1' });
    });

    it('goes over to a later visit of the same run, and the earlier one changes nothing any more', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      await withVisits(node(), 2, async ([earlier, later]) => {
        expect(await earlier?.perform(lock())).toMatchObject(NOW);
        expect(await later?.perform(lock(RUN, 'session-2'))).toMatchObject(NOW);
        expect(await earlier?.perform(edit(writeOf(path, OLD, NEW)))).toMatchObject({ ok: false, effect: 'none', reason: expect.stringMatching(/^(notLocked|superseded)$/) as unknown });
        expect(await earlier?.perform(lock())).toMatchObject({ ok: false, effect: 'none', reason: 'superseded' });
        expect(await later?.perform(edit(writeOf(path, OLD, NEW)))).toMatchObject(NOW);
      });
      expect(await holder()).toMatchObject({ run: RUN, session: 'session-2', touched: true });
    });

    it('is taken from a run that was silent for longer than it said, and its visit changes nothing any more', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      await withVisits(node(), 2, async ([silent, next]) => {
        expect(await silent?.perform(lock(RUN, 'session-1', 600_000))).toMatchObject(NOW);
        await node().silence(500_000);
        expect(await next?.perform(lock(OTHER, 'session-2', 1000))).toMatchObject(LOCKED);
        await node().silence(700_000);
        expect(await holder()).toMatchObject({ run: RUN, staleAfterMs: 600_000 });
        expect(await next?.perform(lock(OTHER, 'session-2'))).toMatchObject(NOW);
        expect(await silent?.perform(edit(writeOf(path, OLD, NEW)))).toMatchObject(NOT_LOCKED);
        expect(await silent?.perform(lock())).toMatchObject(LOCKED);
      });
      expect(await holder()).toMatchObject({ run: OTHER, session: 'session-2', touched: false });
    });

    it('of a run that has begun to change the node goes to no other, however long it is silent', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      await held(edit(writeOf(path, OLD, NEW)));
      await node().silence(9_000_000);
      expect(await performAlone(node(), lock(OTHER, 'session-2'))).toMatchObject([LOCKED]);
      const found = await holder();
      expect(found).toMatchObject({ run: RUN, touched: true });
      expect(found.held && found.silentForMs).toBeGreaterThan(8_000_000);
      expect(await performAlone(node(), lock(RUN, 'session-3'), restore(writeOf(path, OLD, NEW)))).toMatchObject([NOW, NOW]);
    });

    it('shows a sign of life at every request of its visit, and at none of a reading one', async () => {
      const silentForMs = async (): Promise<number> => {
        const found = await holder();
        return found.held ? found.silentForMs : -1;
      };
      await withVisits(node(), 1, async ([visit]) => {
        await visit?.perform(lock());
        await node().silence(200_000);
        expect(await silentForMs()).toBeGreaterThan(190_000);
        expect(await silentForMs()).toBeGreaterThan(190_000);
        await visit?.ask([{ ask: 'capability' }]);
        expect(await silentForMs()).toBeLessThan(100_000);
      });
    });

    it('is given back once, and only by the visit that holds it', async () => {
      const unlock = (run: string): Effect => ({ do: 'unlock', run });
      await withVisits(node(), 2, async ([earlier, later]) => {
        expect(await earlier?.perform(lock())).toMatchObject(NOW);
        expect(await later?.perform(unlock(OTHER))).toMatchObject(ALREADY);
        expect(await later?.perform(unlock(RUN))).toMatchObject(NOT_LOCKED);
        expect(await later?.perform(lock(RUN))).toMatchObject(NOW);
        expect(await earlier?.perform(unlock(RUN))).toMatchObject(NOT_LOCKED);
        expect(await holder()).toMatchObject({ held: true, run: RUN });
        expect(await later?.perform(unlock(RUN))).toMatchObject(NOW);
        expect(await earlier?.perform(unlock(RUN))).toMatchObject(ALREADY);
      });
      expect(await holder()).toEqual({ held: false });
      expect(await performAlone(node(), lock(OTHER, 'session-2'))).toMatchObject([NOW]);
    });

    it('says that an undo has begun to change the node, and not that it found nothing to do', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      const change = writeOf(path, OLD, NEW);
      await held(edit(change), { do: 'unlock', run: RUN });
      await held(restore(change));
      expect(await holder()).toMatchObject({ touched: true });
      await held({ do: 'unlock', run: RUN });
      await held(restore(change));
      expect(await holder()).toMatchObject({ touched: false });
    });

    it('of a session that was broken once is broken again when it is silent again, by one', async () => {
      for (let turn = 0; turn < 2; turn += 1) {
        await performAlone(node(), lock());
        await node().silence(900_000);
        const results = await withVisits(node(), 3, (visits) => Promise.all(visits.map((visit, index) => visit.perform(lock(`run-${index}`, `session-of-${index}`)))));
        const winner = results.findIndex((result) => result.ok);
        expect(results.filter((result) => !result.ok)).toMatchObject([LOCKED, LOCKED]);
        expect(await holder()).toMatchObject({ run: `run-${winner}` });
        expect(await performAlone(node(), { do: 'breakLock', session: `session-of-${winner}` })).toMatchObject([NOW]);
      }
    });

    it('is broken by a person who names its session, touched or not', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      await withVisits(node(), 1, async ([visit]) => {
        await visit?.perform(lock());
        await visit?.perform(edit(writeOf(path, OLD, NEW)));
        expect(await performAlone(node(), { do: 'breakLock', session: 'session-9' })).toMatchObject([LOCKED]);
        expect(await performAlone(node(), { do: 'breakLock', session: 'session-1' }, { do: 'breakLock', session: 'session-1' })).toMatchObject([NOW, ALREADY]);
        expect(await holder()).toEqual({ held: false });
        expect(await visit?.perform(restore(writeOf(path, OLD, NEW)))).toMatchObject(NOT_LOCKED);
      });
      expect(await performAlone(node(), lock(OTHER, 'session-2'))).toMatchObject([NOW]);
    });

    it('has one winner when many ask for a free node at once, and when many find the same silent holder', async () => {
      const ask = (names: string) => (visits: readonly WriteSession[]): Promise<EffectResult[]> =>
        Promise.all(visits.map((visit, index) => visit.perform(lock(`${names}-${index}`, `${names}-${index}`))));
      for (const names of ['first', 'second', 'third']) {
        const results = await withVisits(node(), 5, ask(names));
        const winners = results.flatMap((result, index) => (result.ok ? [`${names}-${index}`] : []));
        expect(winners).toHaveLength(1);
        expect(results.filter((result) => !result.ok && result.effect === 'none' && result.reason === 'locked')).toHaveLength(4);
        expect(await holder()).toMatchObject({ held: true, session: winners[0] });
        await node().silence(900_000);
      }
    });
  });

  describe('without the lock', () => {
    const SOME = writeOf('/nowhere/config', OLD, NEW);
    const effects: readonly Effect[] = [
      edit(SOME), restore(SOME),
      { do: 'resetFailed', run: RUN, way: 'back', unit: 'none.service', timeoutMs: 5_000 },
      { do: 'daemonReload', run: RUN, way: 'back', timeoutMs: 5_000 },
      { do: 'restart', run: RUN, way: 'unguarded', unit: 'none.service', timeoutMs: 5_000 },
      { do: 'arm', run: RUN, order: { afterMs: 1000, restores: [], activations: [] } },
      { do: 'disarm', run: RUN },
      { do: 'clean', run: RUN },
    ];

    it.each(effects)('$do is refused', async (effect) => {
      expect(await performAlone(node(), effect)).toMatchObject([NOT_LOCKED]);
      expect(await performAlone(node(), lock(OTHER, 'session-2'), effect)).toMatchObject([NOW, NOT_LOCKED]);
    });
  });
}
