/** The writing half of the host session's contract. */
import { describe, expect, it } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit } from '../../src/core/effect.js';
import { directoryTimeContract } from './host-session-directory-time.js';
import { ALREADY, DRIFT, edit, lock, NEW, NOW, OLD, perform, removeOf, restore, RUN, writeOf } from './host-session-edits.js';
import type { NodeUnderTest } from './node-under-test.js';

async function contentOf(node: NodeUnderTest, path: string): Promise<string | undefined> {
  const looked = await node.look(path);
  return looked && Buffer.from(looked.bytes).toString('latin1');
}

export function writeContract(node: () => NodeUnderTest): void {
  describe('edit', () => {
    it('writes the new content once, keeps mode and owner, leaves nothing beside it', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD, { mode: 0o640, modifiedAt: 1_600_000_000 });
      const before = await node().look(path);
      const change = edit(writeOf(path, OLD, NEW));
      expect(await perform(node(), change, change)).toMatchObject([NOW, ALREADY]);
      const after = await node().look(path);
      expect(after && Buffer.from(after.bytes).equals(NEW)).toBe(true);
      expect(after).toMatchObject({ mode: 0o640, uid: before?.uid, gid: before?.gid });
      expect(after?.modifiedAt).toBeGreaterThan(1_600_000_000);
      expect(await node().names(node().root)).toEqual(['config']);
    });

    it('refuses a file with any other content and leaves it as it is', async () => {
      const path = `${node().root}/config`;
      await node().put(path, 'someone else wrote this', { modifiedAt: 1_600_000_000 });
      expect(await perform(node(), edit(writeOf(path, OLD, NEW)), edit(removeOf(path, OLD)), edit(writeOf(path, 'absent', NEW)))).toMatchObject([DRIFT, DRIFT, DRIFT]);
      expect(await node().look(path)).toMatchObject({ modifiedAt: 1_600_000_000 });
      expect(await contentOf(node(), path)).toBe('someone else wrote this');
      expect(await node().names(node().root)).toEqual(['config']);
    });

    it('refuses a path that is a link, a directory or in no directory', async () => {
      const { root } = node();
      await node().put(`${root}/config`, OLD);
      await node().makeDirectory(`${root}/directory`);
      await node().link(`${root}/link`, 'config');
      const results = await perform(node(), edit(writeOf(`${root}/link`, OLD, NEW)), edit(writeOf(`${root}/directory`, 'absent', NEW)), edit(writeOf(`${root}/missing`, OLD, NEW)), edit(writeOf(`${root}/no/where`, 'absent', NEW)));
      expect(results.slice(0, 3)).toMatchObject([DRIFT, DRIFT, DRIFT]);
      expect(results[3]).toMatchObject({ ok: false, effect: 'none' });
      expect(await contentOf(node(), `${root}/config`)).toBe(OLD.toString());
      expect(await node().names(root)).toEqual(['config', 'directory', 'link']);
    });

    it('creates a file with mode 0644 where there was none', async () => {
      const path = `${node().root}/20-new.conf`;
      const change = edit(writeOf(path, 'absent', NEW));
      expect(await perform(node(), change, change)).toMatchObject([NOW, ALREADY]);
      expect(await node().look(path)).toMatchObject({ kind: 'file', mode: 0o644, uid: 0, gid: 0 });
      expect(await node().names(node().root)).toEqual(['20-new.conf']);
    });

    it('removes a file, and finds it removed the second time', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      expect(await perform(node(), edit(removeOf(path, OLD)), edit(removeOf(path, OLD)))).toMatchObject([NOW, ALREADY]);
      expect(await node().names(node().root)).toEqual([]);
    });

    it('carries 900 KB and an empty file', async () => {
      const large = Buffer.alloc(900_000, NEW);
      const path = `${node().root}/large`;
      await node().put(path, OLD);
      expect(await perform(node(), edit(writeOf(path, OLD, large)), edit(writeOf(path, large, Buffer.alloc(0))))).toMatchObject([NOW, NOW]);
      expect(await node().look(path)).toMatchObject({ bytes: new Uint8Array(0) });
    });

    it.each(['with space', 'new\nline', "it's $HOME", '-rf', 'trailing newline\n', 'ü'])('writes and restores a file named %j', async (name) => {
      const path = `${node().root}/${name}`;
      await node().put(path, OLD);
      const change = writeOf(path, OLD, NEW);
      expect(await perform(node(), edit(change))).toMatchObject([NOW]);
      expect(await contentOf(node(), path)).toBe(NEW.toString('latin1'));
      expect(await perform(node(), restore(change))).toMatchObject([NOW]);
      expect(await contentOf(node(), path)).toBe(OLD.toString());
      expect(await node().names(node().root)).toEqual([name]);
    });

    it('does not take for its own what another hand wrote, created or removed, even when it is what was wanted', async () => {
      const { root } = node();
      await node().put(`${root}/config`, NEW, { modifiedAt: 1_600_000_000 });
      const [written, created, removed] = [writeOf(`${root}/config`, OLD, NEW), writeOf(`${root}/config`, 'absent', NEW), removeOf(`${root}/gone`, OLD)];
      expect(await perform(node(), edit(written), edit(created), edit(removed))).toMatchObject([DRIFT, DRIFT, DRIFT]);
      const nothingToGoBackTo = { ok: false, effect: 'none', reason: 'missingCopy' };
      expect(await perform(node(), restore(written), restore(created), restore(removed))).toMatchObject([nothingToGoBackTo, nothingToGoBackTo, nothingToGoBackTo]);
      expect(await node().look(`${root}/config`)).toMatchObject({ modifiedAt: 1_600_000_000 });
      expect(await node().names(root)).toEqual(['config']);
    });

    it('that is undone does not take for its own what another hand created afterwards', async () => {
      const path = `${node().root}/new.conf`;
      const change = writeOf(path, 'absent', NEW);
      await perform(node(), edit(change), restore(change));
      await node().put(path, NEW);
      expect(await perform(node(), edit(change))).toMatchObject([DRIFT]);
    });

    it('refuses content that does not have the digest it claims', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      const lie: Edit = { do: 'write', path, before: digestOf(OLD), after: digestOf(NEW), content: toBase64(Buffer.from('something else')) };
      expect(await perform(node(), edit(lie))).toMatchObject([{ ok: false, effect: 'none' }]);
      expect(await contentOf(node(), path)).toBe(OLD.toString());
    });
  });

  describe('restore', () => {
    it('puts a written file back with content, mode, owner and its original time', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD, { mode: 0o600, modifiedAt: 1_600_000_000 });
      const before = await node().look(path);
      const change = writeOf(path, OLD, NEW);
      expect(await perform(node(), edit(change), restore(change), restore(change))).toMatchObject([NOW, NOW, ALREADY]);
      expect(await node().look(path)).toEqual(before);
      expect(await node().names(node().root)).toEqual(['config']);
    });

    it('brings a removed file back as it was', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD, { mode: 0o640, modifiedAt: 1_600_000_000 });
      const before = await node().look(path);
      const change = removeOf(path, OLD);
      expect(await perform(node(), edit(change), restore(change), restore(change))).toMatchObject([NOW, NOW, ALREADY]);
      expect(await node().look(path)).toEqual(before);
    });

    it('removes a file that the run created', async () => {
      const path = `${node().root}/new.conf`;
      const change = writeOf(path, 'absent', NEW);
      expect(await perform(node(), edit(change), restore(change), restore(change))).toMatchObject([NOW, NOW, ALREADY]);
      expect(await node().names(node().root)).toEqual([]);
    });

    it('has nothing to do where the write never happened', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      expect(await perform(node(), restore(writeOf(path, OLD, NEW)))).toMatchObject([ALREADY]);
      expect(await perform(node(), restore(writeOf(`${node().root}/none`, 'absent', NEW)))).toMatchObject([ALREADY]);
    });

    it('puts mode and time right where somebody brought the old content back without them', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD, { mode: 0o600, modifiedAt: 1_600_000_000 });
      const before = await node().look(path);
      const change = writeOf(path, OLD, NEW);
      await perform(node(), edit(change));
      await node().put(path, OLD, { mode: 0o666, modifiedAt: 1_600_000_001 });
      expect(await perform(node(), restore(change), restore(change))).toMatchObject([NOW, ALREADY]);
      expect(await node().look(path)).toEqual(before);
    });

    it('never overwrites what somebody wrote in between', async () => {
      const path = `${node().root}/config`;
      await node().put(path, OLD);
      const change = writeOf(path, OLD, NEW);
      await perform(node(), edit(change));
      await node().put(path, 'a third hand');
      expect(await perform(node(), restore(change))).toMatchObject([DRIFT]);
      expect(await contentOf(node(), path)).toBe('a third hand');
    });

    it('says when there is no saved copy to go back to', async () => {
      const path = `${node().root}/config`;
      await node().put(path, NEW);
      expect(await perform(node(), restore(writeOf(path, OLD, NEW)))).toMatchObject([{ ok: false, effect: 'none', reason: 'missingCopy' }]);
      expect(await contentOf(node(), path)).toBe(NEW.toString('latin1'));
    });

    it('undoes two edits of one file in reverse order', async () => {
      const path = `${node().root}/config`;
      const middle = Buffer.from('middle');
      await node().put(path, OLD, { modifiedAt: 1_600_000_000 });
      const before = await node().look(path);
      const [first, second] = [writeOf(path, OLD, middle), writeOf(path, middle, NEW)];
      expect(await perform(node(), edit(first), edit(second), restore(second), restore(first))).toMatchObject([NOW, NOW, NOW, NOW]);
      expect(await node().look(path)).toEqual(before);
    });

    it('splits a hard link and restores the name that was edited', async (context) => {
      const { root, hardLink } = node();
      if (!hardLink) return context.skip('this node makes no hard links');
      await node().put(`${root}/one`, OLD);
      await hardLink(`${root}/two`, `${root}/one`);
      const change = writeOf(`${root}/one`, OLD, NEW);
      expect(await perform(node(), edit(change))).toMatchObject([NOW]);
      expect(await contentOf(node(), `${root}/two`)).toBe(OLD.toString());
      expect(await perform(node(), restore(change))).toMatchObject([NOW]);
      expect(await contentOf(node(), `${root}/one`)).toBe(OLD.toString());
    });
  });

  directoryTimeContract(node);

  describe('hindrances: the file is unchanged, and the answer proves it', () => {
    const cases = [
      ['a read-only mount', 'readOnly', (one: NodeUnderTest) => one.makeReadOnly, (root: string) => `${root}/d`],
      ['an immutable file', 'immutable', (one: NodeUnderTest) => one.makeImmutable, (root: string) => `${root}/d/config`],
      ['a full disk', 'noSpace', (one: NodeUnderTest) => one.fill, (root: string) => `${root}/d`],
    ] as const;
    it.for(cases)('%s', async ([name, reason, abilityOf, target], context) => {
      const { root } = node();
      const ability = abilityOf(node());
      if (!ability) return context.skip(`this node cannot have ${name}`);
      await node().put(`${root}/d/config`, OLD, { modifiedAt: 1_600_000_000 });
      const undo = await ability(target(root));
      try {
        expect(await perform(node(), edit(writeOf(`${root}/d/config`, OLD, Buffer.alloc(70_000, NEW))))).toMatchObject([{ ok: false, effect: 'none', reason }]);
        expect(await contentOf(node(), `${root}/d/config`)).toBe(OLD.toString());
        expect((await node().names(`${root}/d`)).filter((name) => name.includes('fleetmend'))).toEqual([]);
      } finally {
        await undo();
      }
    });
  });

  describe('a lost connection', () => {
    it('in the middle of an edit leaves a state that the next visit finishes or undoes', async (context) => {
      const { root, cutNextAnswer } = node();
      if (!cutNextAnswer) return context.skip('this node cuts no connection');
      const path = `${root}/config`;
      await node().put(path, OLD, { modifiedAt: 1_600_000_000 });
      const before = await node().look(path);
      const change = writeOf(path, OLD, NEW);
      cutNextAnswer();
      await expect(perform(node(), edit(change))).rejects.toMatchObject({ failure: { kind: 'connectionLost' } });
      const [again] = await perform(node(), edit(change));
      expect(again).toMatchObject({ ok: true });
      expect(await contentOf(node(), path)).toBe(NEW.toString('latin1'));
      expect(await perform(node(), restore(change))).toMatchObject([NOW]);
      expect(await node().look(path)).toEqual(before);
      expect(await node().names(root)).toEqual(['config']);
    });
  });

  describe('activation', () => {
    it('restarts a unit: another process runs afterwards', async (context) => {
      const { unit } = node();
      if (unit === undefined) return context.skip('this node runs no unit');
      const session = await node().connector.openToWrite(node().host, new AbortController().signal);
      try {
        const pidOf = async (): Promise<number | undefined> => {
          const [answer] = await session.ask([{ ask: 'unit', unit }]);
          return answer?.ok && answer.ask === 'unit' ? answer.value.process?.pid : undefined;
        };
        const before = await pidOf();
        expect(before).toBeGreaterThan(1);
        expect(await session.perform(lock())).toMatchObject(NOW);
        expect(await session.perform({ do: 'daemonReload', run: RUN, way: 'unguarded', timeoutMs: 30_000 })).toMatchObject(NOW);
        expect(await session.perform({ do: 'resetFailed', run: RUN, way: 'back', unit, timeoutMs: 30_000 })).toMatchObject(NOW);
        expect(await session.perform({ do: 'restart', run: RUN, way: 'unguarded', unit, timeoutMs: 30_000 })).toMatchObject(NOW);
        expect(await pidOf()).not.toBe(before);
      } finally {
        await session.close();
      }
    });

    it('a restart that fails says so, with the exit code and an unknown effect', async (context) => {
      if (node().unit === undefined) return context.skip('this node runs no unit');
      expect(await perform(node(), { do: 'restart', run: RUN, way: 'unguarded', unit: 'no-such-thing.service', timeoutMs: 10_000 })).toMatchObject([{ ok: false, effect: 'unknown', reason: 'exit', exit: 5 }]);
    });
  });

  it('a session opened to read cannot perform', async () => {
    const session = await node().connector.openToRead(node().host, new AbortController().signal);
    expect('perform' in session).toBe(false);
    await session.close();
  });
}
