/** What every journal promises. Each implementation runs this suite. */
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import type { JournalEntry } from '../../src/core/journal.js';
import type { Journal } from '../../src/core/ports.js';

export function entry(host: string, seq: number, run = 'run-1'): JournalEntry {
  return { type: 'began', step: `step-${seq}`, run, host, seq, at: '2026-01-01T00:00:00.000Z' };
}

export function journalContract(name: string, open: () => Promise<Journal>): void {
  describe(`${name} keeps the promises of a journal`, () => {
    it('gives back what was appended, in order', async () => {
      const journal = await open();
      const entries = [entry('a', 1), entry('b', 1), entry('a', 2)];
      for (const one of entries) await journal.append(one);
      expect(await journal.read('run-1')).toEqual(entries);
      await journal.close();
    });
    it('keeps runs apart', async () => {
      const journal = await open();
      await journal.append(entry('a', 1, 'run-1'));
      await journal.append(entry('a', 1, 'run-2'));
      expect(await journal.read('run-2')).toEqual([entry('a', 1, 'run-2')]);
      await journal.close();
    });
    it('lets a place of a host be taken once', async () => {
      const journal = await open();
      await journal.append(entry('a', 1));
      const refusal = await journal.append(entry('a', 1)).catch(failureOf);
      expect(refusal).toMatchObject({ kind: 'fenced' });
      expect(await journal.read('run-1')).toHaveLength(1);
      await journal.close();
    });
    it('takes many entries at once without losing one', async () => {
      const journal = await open();
      const entries = Array.from({ length: 500 }, (_, index) => entry(`host-${index % 50}`, Math.floor(index / 50) + 1));
      await Promise.all(entries.map((one) => journal.append(one)));
      expect((await journal.read('run-1')).length).toBe(500);
      await journal.close();
    });
  });
}
