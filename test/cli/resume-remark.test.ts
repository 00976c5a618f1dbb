/** `fleetmend resume` says what a person asked of the process before and what does not hold any more. Reaches for no host: none is left. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { runCommandLine } from '../../src/cli/index.js';
import type { RunFact } from '../../src/core/rollout.js';
import { createRunFolder } from '../../src/journals/index.js';
import { sampleRecord } from '../journals/sample-run.js';

const RUN = '20260102T030405-abcdef';
let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'fleetmend-resume-'));
  vi.stubEnv('XDG_STATE_HOME', state);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = 0;
  await rm(state, { recursive: true });
});

const BEGAN: RunFact = { type: 'rolloutBegan', by: 'alice@laptop' };
const PAUSE: RunFact = { type: 'controlled', by: 'bob@desk', act: { do: 'pause' } };
const WITHIN: RunFact = { type: 'controlled', by: 'bob@desk', act: { do: 'within', count: 5 } };

it.each<[string, RunFact[], string | undefined]>([
  ['a pause', [BEGAN, PAUSE], 'the pause of bob@desk ended with the process before: say so again if it is to hold'],
  ['a pause and a number', [BEGAN, WITHIN, PAUSE], 'the pause of bob@desk and the change to 5 hosts at once ended with the process before: say so again if it is to hold'],
  ['a pause that was over', [BEGAN, PAUSE, { type: 'controlled', by: 'bob@desk', act: { do: 'continue' } }], undefined],
  ['nothing', [BEGAN], undefined],
])('%s', async (_, facts, words) => {
  const folder = await createRunFolder(join(state, 'fleetmend/runs'), sampleRecord(RUN, ['node-1']), []);
  const journal = await folder.openJournal();
  const at = '2026-01-02T03:04:05.000Z';
  for (const [index, fact] of facts.entries()) await journal.append({ ...fact, run: RUN, host: '*', seq: index + 1, at });
  await journal.append({ type: 'finished', outcome: 'compliant', run: RUN, host: 'node-1', seq: 1, at });
  await journal.close();
  let err = '';
  vi.spyOn(process.stderr, 'write').mockImplementation(((chunk: string) => { err += chunk; return true; }) as never);
  vi.spyOn(process.stdout, 'write').mockImplementation(((_chunk: string, done?: () => void) => { done?.(); return true; }) as never);
  await runCommandLine(['resume', RUN, '-o', 'json']);
  expect(err.split('\n').filter((line) => line.includes('ended with the process before'))).toEqual(words === undefined ? [] : [`fleetmend: ${words}`]);
  expect(err).toContain(`fleetmend: run ${RUN} (idle timeout`);
});
