/** Programs of hooks and gates, with real processes: whatever they do, they end in time, leave nothing running, and say in words how they ended. */
import { chmod, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCommandRunner } from '../../src/commands/run-command.js';
import type { CommandEnd } from '../../src/core/ports.js';

const PLENTY_MS = 30_000;
const SHORT_MS = 200;
const never = new AbortController().signal;

let directory: string;
beforeEach(async () => { directory = await realpath(await mkdtemp(join(tmpdir(), 'fleetmend-command-'))); });
afterEach(async () => { await rm(directory, { recursive: true }); });

async function script(text: string, mode = 0o755): Promise<void> {
  await writeFile(join(directory, 'hook'), `#!/bin/sh\n${text}\n`);
  await chmod(join(directory, 'hook'), mode);
}

async function runHook(options: { facts?: unknown; timeoutMs?: number; signal?: AbortSignal; run?: readonly string[]; environment?: NodeJS.ProcessEnv } = {}): Promise<CommandEnd> {
  const runner = createCommandRunner({ directory, environment: { PATH: process.env['PATH'], ...options.environment } });
  return await runner.run({ run: options.run ?? ['./hook'], timeoutMs: options.timeoutMs ?? PLENTY_MS }, options.facts ?? {}, options.signal ?? never);
}

/** Is the process whose number stands in that file there, and no corpse? */
async function lives(file: string): Promise<boolean> {
  const pid = (await readFile(join(directory, file), 'utf8')).trim();
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat !== undefined && !/\) [ZX] /.test(stat);
}

describe('a program', () => {
  it('gets its facts as one JSON document on standard input, and its words as they are', async () => {
    await script('cat; printf "%s|" "$@"');
    const end = await runHook({ run: ['./hook', 'a b', '$HOME', '`x`', ''], facts: { run: 'r', hosts: ['n1', 'é'] } });
    expect(end).toEqual({ code: 0, output: '{"run":"r","hosts":["n1","é"]}\na b|$HOME|`x`||' });
  });
  it('runs where fleetmend was started, with its environment and what the facts say', async () => {
    await script('pwd; echo "$OWN $FLEETMEND_RUN $FLEETMEND_HOOK $FLEETMEND_HOST $FLEETMEND_WAVE"');
    const end = await runHook({ facts: { run: 'r', hook: 'beforeHost', host: 'n1', wave: 2 }, environment: { OWN: 'own' } });
    expect(end.output).toBe(`${directory}\nown r beforeHost n1 2`);
  });
  it('a variable that does not apply is absent, also when an outer fleetmend had set it', async () => {
    await script('echo "${FLEETMEND_HOST-absent} ${FLEETMEND_WAVE-absent}"');
    expect((await runHook({ facts: { run: 'r', host: { name: 'n2' } }, environment: { FLEETMEND_WAVE: '7' } })).output).toBe('n2 absent');
    expect((await runHook({ facts: { wave: { number: 3, of: 4 } }, environment: { FLEETMEND_HOST: 'outer' } })).output).toBe('absent 3');
  });
  it.each([[0], [1], [77]])('that exits with %i says so', async (code) => {
    await script(`echo out; echo err >&2; exit ${code}`);
    const end = await runHook();
    expect(end.code).toBe(code);
    expect(end.output.split('\n').sort()).toEqual(['err', 'out']);
  });
  it('that is ended by a signal has no good exit code', async () => {
    await script('kill -SEGV $$');
    expect(await runHook()).toEqual({ code: 139, output: 'ended by SIGSEGV' });
  });
  it('may exit without reading megabytes of facts', async () => {
    await script('exit 3');
    expect((await runHook({ facts: 'x'.repeat(8 << 20) })).code).toBe(3);
  });
  it('that floods both outputs fills no memory: the last lines are kept, clean', async () => {
    await script('yes "$(printf "\\033[2Jnoise")" | head -c 20000000; yes err | head -c 1000000 >&2; printf "the \\342\\200\\256end\\n"');
    const { code, output } = await runHook();
    expect(code).toBe(0);
    expect(output.length).toBeLessThanOrEqual(8192);
    expect(output.split('\n').length).toBeLessThanOrEqual(20);
    expect(output).toContain('the end');
    expect(output).not.toMatch(/[^\P{Cc}\n]/u);
  });
  it('that floods without end is cut off by its time limit', async () => {
    await script('yes flood');
    expect((await runHook({ timeoutMs: SHORT_MS })).code).toBe('timeout');
  });
});

describe('a program that cannot be started says why', () => {
  it.each<[string, readonly string[], RegExp]>([
    ['not found here', ['./missing'], /^\.\/missing: not found \(looked for from /],
    ['not found in PATH', ['no-such-program-of-fleetmend'], /: not found/],
    ['a directory', ['/'], /: no permission/],
    ['no words', [], /no words/],
    ['a NUL in a word', ['./hook', 'a\0b'], /null bytes/],
  ])('%s', async (_, run, words) => {
    await script('true');
    const end = await runHook({ run });
    expect(end.code).toBe('notStarted');
    expect(end.output).toMatch(words);
  });
  it('not executable', async () => {
    await script('true', 0o644);
    expect(await runHook()).toEqual({ code: 'notStarted', output: './hook: no permission to execute it' });
  });
  it('its directory is gone', async () => {
    const runner = createCommandRunner({ directory: join(directory, 'gone'), environment: process.env });
    expect(await runner.run({ run: ['true'], timeoutMs: PLENTY_MS }, {}, never)).toEqual({ code: 'notStarted', output: `true: the directory ${join(directory, 'gone')} is gone` });
  });
});

describe('when time is up', () => {
  it('a program that ignores SIGTERM is killed, with all that it started', async () => {
    await script('trap "" TERM; (trap "" TERM; while :; do sleep 0.1; done) & echo $! > child; echo $$ > self; echo begun; while :; do sleep 0.1; done');
    const end = await runHook({ timeoutMs: SHORT_MS });
    expect(end).toEqual({ code: 'timeout', output: 'begun' });
    expect([await lives('self'), await lives('child')]).toEqual([false, false]);
  }, 20_000);
  it('one that heeds SIGTERM may still say its last words', async () => {
    await script('trap "echo tidied; exit 0" TERM; echo begun; while :; do sleep 0.05; done');
    const { code, output } = await runHook({ timeoutMs: SHORT_MS });
    expect(code).toBe('timeout');
    expect(output).toMatch(/^begun\n.*tidied$/s);
  });
  it('the same for a run that is stopped at once, and nothing is started after that', async () => {
    await script('echo $$ > self; sleep 60');
    const stop = new AbortController();
    setTimeout(() => { stop.abort(); }, SHORT_MS);
    expect((await runHook({ signal: stop.signal })).code).toBe('stopped');
    expect(await lives('self')).toBe(false);
    await rm(join(directory, 'self'));
    expect(await runHook({ signal: stop.signal })).toEqual({ code: 'stopped', output: '' });
    await expect(readFile(join(directory, 'self'))).rejects.toThrow();
  });
});

describe('a program that ends and leaves others behind', () => {
  it('has its own exit code, and what it left in its group is ended', async () => {
    await script('sleep 60 & echo $! > child; exit 4');
    expect((await runHook()).code).toBe(4);
    expect(await lives('child')).toBe(false);
  });
  it('one that went to a group of its own does not hold up the run', async () => {
    await script('setsid sh -c "echo \\$\\$ > child; sleep 20" & while [ ! -s child ]; do sleep 0.05; done; exit 0');
    expect((await runHook({ timeoutMs: 15_000 })).code).toBe(0);
    expect(await lives('child')).toBe(true);
    process.kill(Number(await readFile(join(directory, 'child'), 'utf8')), 'SIGKILL');
  });
});
