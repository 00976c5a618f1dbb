/** An error that nobody caught, in a process of its own: the exit code never says that nothing was touched when a run had begun. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

function endOf(begun: boolean, rest: string): { readonly status: number | null; readonly stderr: string } {
  const program = `
    import { listenForInterrupts } from './src/cli/interrupts.ts';
    import { listenForCrash } from './src/cli/listen-for-crash.ts';
    import { learnSecrets, say, withOutlet } from './src/cli/outlet.ts';
    await withOutlet(async () => {
      const resume = () => (${String(begun)} ? 'fleetmend resume run-1' : undefined);
      learnSecrets({ names: [], values: ['hunter2hunter2'] });
      setTimeout(() => { throw new TypeError('no stream: hunter2hunter2'); }, 1);
      ${rest}
    });
  `;
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { encoding: 'utf8', timeout: 30_000 });
  return { status, stderr };
}

const STOPS = `
  const { stop, drain } = listenForInterrupts(say, resume);
  const awake = setInterval(() => undefined, 1000);
  await new Promise((resolve) => stop.addEventListener('abort', resolve));
  clearInterval(awake);
  say('stopped ' + drain.aborted);
  process.exitCode = 130;
`;
const HANGS = `
  listenForCrash({ say, resume, stop: () => undefined, graceMs: 50 });
  setInterval(() => undefined, 1000);
`;

it('a run that has begun stops, says how to go on, and ends with 3', () => {
  const { status, stderr } = endOf(true, STOPS);
  expect(stderr).toMatch(/internal error: unexpected error: no stream[^]*resume: fleetmend resume run-1\n[^]*stopped true/);
  expect(stderr).not.toContain('hunter2hunter2');
  expect(status).toBe(3);
});

it('what has begun nothing ends with 1', () => {
  expect(endOf(false, STOPS)).toMatchObject({ status: 1, stderr: expect.stringContaining('no run has begun') as string });
});

it('what does not stop by itself is ended', () => {
  expect(endOf(true, HANGS).status).toBe(3);
});
