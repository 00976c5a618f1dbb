/** What hooks and gates are told holds no secret, also none that was learned after the rollout began. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { learnSecrets, withOutlet } from '../../src/cli/outlet.js';
import { withRolloutPorts } from '../../src/cli/rollout-ports.js';

it('a password that a program gives in the middle is hidden in what the next hook is told', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fleetmend-hooks-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const told = join(directory, 'told');
  const session = { say: () => undefined, output: 'json', run: 'r', fleet: { playbook: { rollout: {} } } };
  await withOutlet(() => withRolloutPorts(directory, session as never, { emit: () => undefined } as never, async ({ commands }) => {
    learnSecrets({ names: [], values: ['hunter2-hunter2'] });
    const facts = { host: 'a', failure: { kind: 'protocol', summary: 'it said hunter2-hunter2' } };
    const end = await commands?.run({ run: ['/bin/sh', '-c', `cat >'${told}'; env >>'${told}'`], timeoutMs: 10_000 }, facts, new AbortController().signal);
    expect(end?.code).toBe(0);
  }));
  const text = await readFile(told, 'utf8');
  expect(text).toContain('it said [redacted]');
  expect(text).not.toContain('hunter2');
});
