/** The end of a command that changed hosts: when the journal is not whole, no command is named that would go by it. */
import { afterEach, expect, it, vi } from 'vitest';
import { changeHosts } from '../../src/cli/change-hosts.js';
import { nextCommands } from '../../src/cli/next-commands.js';
import type { Session } from '../../src/cli/run-stage.js';
import { FleetmendError } from '../../src/core/failure.js';
import type { JournalEntry } from '../../src/core/journal.js';
import type { HostResult } from '../../src/core/report.js';

afterEach(() => { vi.restoreAllMocks(); });

const results: HostResult[] = [{ host: 'n1', outcome: 'changed' }, { host: 'n2', outcome: 'stuck', failure: { kind: 'journal', summary: 'x' } }];
const entry: JournalEntry = { type: 'began', step: 's', run: 'R', host: 'n1', seq: 1, at: '2026-01-02T03:04:05.000Z' };

async function end(append: () => Promise<void>): Promise<string> {
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, done?: () => void) => { out += chunk; done?.(); return true; }) as never);
  const session = {
    run: 'R', output: 'text', say: () => undefined, interrupts: { drain: new AbortController().signal }, ports: () => ({}),
    stage: (_stage: string, _hosts: unknown, work: (emit: () => void) => Promise<unknown>) => work(() => undefined),
  } as unknown as Session;
  await changeHosts({
    stage: 'apply', session, directory: '/somewhere', names: ['n1', 'n2'], exitCode: () => 3, next: (fleet) => nextCommands('R', fleet),
    journal: { append, read: () => Promise.resolve([]), close: () => Promise.resolve() },
    work: async ({ journal }) => {
      await journal.append(entry).catch(() => undefined);
      return { results, complaints: [] };
    },
  });
  return out;
}

it('with a whole journal says what goes on and what takes it back', async () => {
  expect(await end(() => Promise.resolve())).toMatch(/fleetmend resume R[^]*fleetmend undo R/);
});

it('without one names neither', async () => {
  const out = await end(() => Promise.reject(new FleetmendError({ kind: 'journal', summary: 'the disk is full' })));
  expect(out).toContain('the journal of this run is not whole');
  expect(out).not.toMatch(/fleetmend (?:resume|undo)/);
});
