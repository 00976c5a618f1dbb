/** The part of the host session's contract about the time of the directory that an edited file lies in. */
import { describe, expect, it } from 'vitest';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit } from '../../src/core/effect.js';
import { ALREADY, edit, NEW, NOW, OLD, perform, removeOf, restore, writeOf } from './host-session-edits.js';
import type { NodeUnderTest } from './node-under-test.js';

export function directoryTimeContract(node: () => NodeUnderTest): void {
  describe('the time of the directory', () => {
    const LONG_AGO = 1_600_000_000;
    const timeOf = async (path: string): Promise<number> => (await node().look(path))?.modifiedAt ?? 0;

    it.for<[string, (root: string) => Edit]>([
      ['written', (root) => writeOf(`${root}/d/config`, OLD, NEW)],
      ['created', (root) => writeOf(`${root}/d/new`, 'absent', NEW)],
      ['removed', (root) => removeOf(`${root}/d/config`, OLD)],
    ])('is new when a file was %s, and the old one again when that was undone', async ([, changeIn], context) => {
      const { root, age } = node();
      if (!age) return context.skip('this node turns no time back');
      await node().put(`${root}/d/config`, OLD);
      await age(`${root}/d`, LONG_AGO);
      const change = changeIn(root);
      expect(await perform(node(), edit(change))).toMatchObject([NOW]);
      expect(await timeOf(`${root}/d`)).toBeGreaterThan(LONG_AGO);
      expect(await perform(node(), restore(change), restore(change))).toMatchObject([NOW, ALREADY]);
      expect(await timeOf(`${root}/d`)).toBe(LONG_AGO);
      expect(await perform(node(), edit(change), restore(change))).toMatchObject([NOW, NOW]);
      expect(await timeOf(`${root}/d`)).toBe(LONG_AGO);
    });

    it('comes back through two edits in it that are undone in reverse', async (context) => {
      const { root, age } = node();
      if (!age) return context.skip('this node turns no time back');
      await node().put(`${root}/d/config`, OLD);
      await age(`${root}/d`, LONG_AGO);
      const [first, second] = [writeOf(`${root}/d/config`, OLD, NEW), writeOf(`${root}/d/new`, 'absent', NEW)];
      expect(await perform(node(), edit(first), edit(second), restore(second), restore(first))).toMatchObject([NOW, NOW, NOW, NOW]);
      expect(await timeOf(`${root}/d`)).toBe(LONG_AGO);
    });

    it('is left alone when somebody else changed the directory meanwhile', async (context) => {
      const { root, age } = node();
      if (!age) return context.skip('this node turns no time back');
      await node().put(`${root}/d/config`, OLD);
      await age(`${root}/d`, LONG_AGO);
      const change = writeOf(`${root}/d/config`, OLD, NEW);
      await perform(node(), edit(change));
      await node().put(`${root}/d/theirs`, 'theirs');
      await age(`${root}/d`, LONG_AGO + 1000);
      expect(await perform(node(), restore(change))).toMatchObject([NOW]);
      expect(await timeOf(`${root}/d`)).toBeGreaterThan(LONG_AGO);
    });

    it('is the old one after an edit that failed', async (context) => {
      const { root, age } = node();
      if (!age) return context.skip('this node turns no time back');
      await node().put(`${root}/d/config`, OLD);
      await age(`${root}/d`, LONG_AGO);
      const lie: Edit = { do: 'write', path: `${root}/d/config`, before: digestOf(OLD), after: digestOf(NEW), content: toBase64(Buffer.from('something else')) };
      expect(await perform(node(), edit(lie), restore(lie))).toMatchObject([{ ok: false, effect: 'none' }, ALREADY]);
      expect(await timeOf(`${root}/d`)).toBe(LONG_AGO);
    });
  });
}
