/** A program gives a secret by its first line, and nothing that it writes there is ever shown. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { expandPlaceholders, runSecretCommand } from '../../src/commands/secret-command.js';
import { FleetmendError } from '../../src/core/failure.js';
import type { Failure } from '../../src/core/failure.js';

const PLACE = { directory: '/', environment: { PATH: process.env['PATH'], GIVEN: 'yes' }, timeoutMs: 30_000 };
const never = new AbortController().signal;
const sh = (script: string, place = PLACE): Promise<string> => runSecretCommand(['/bin/sh', '-c', script, 'sh', 'secret-argument'], 'sudo password', never, place);

async function refused(work: Promise<string>): Promise<Failure> {
  const thrown: unknown = await work.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(FleetmendError);
  const { failure } = thrown as FleetmendError;
  expect(failure.kind).toBe('authentication');
  expect(JSON.stringify(failure)).not.toMatch(/hunter2|secret-argument/);
  return failure;
}

describe('a program that knows a secret', () => {
  it.each([
    ['a line', 'echo hunter2', 'hunter2'],
    ['a line of several', 'printf "hunter2\\nuser: x\\n"', 'hunter2'],
    ['a line without an end', 'printf hunter2', 'hunter2'],
    ['a line of Windows', 'printf "hunter2\\r\\nx"', 'hunter2'],
    ['blanks belong to it', 'echo "  hunter 2 "', '  hunter 2 '],
    ['far more than it was asked for', 'echo hunter2; head -c 5000000 /dev/zero', 'hunter2'],
    ['its input is empty', 'read x || echo hunter2', 'hunter2'],
    ['its environment is the one that is handed in', 'echo "$GIVEN-$HOME"', 'yes-'],
  ])('%s', async (_, script, secret) => {
    expect(await sh(script)).toBe(secret);
  });

  it.each([
    ['an exit code, with what it complains about and not what it prints', 'echo hunter2; printf "locked\\033[31m" >&2; exit 3', /no sudo password: \/bin\/sh ended with exit code 3/, 'locked[31m'],
    ['a signal', 'kill -9 $$', /was ended by SIGKILL/, undefined],
    ['nothing', 'true', /wrote no line of 1 to 4096 bytes of text/, undefined],
    ['an empty first line', 'echo; echo hunter2', /wrote no line/, undefined],
    ['a line that never ends', 'head -c 100000 /dev/zero | tr "\\0" x', /wrote no line/, undefined],
    ['no text', 'printf "hunter2\\377"', /wrote no line/, undefined],
    ['a NUL', 'printf "hunter2\\0x"', /wrote no line/, undefined],
  ])('is refused: %s', async (_, script, summary, detail) => {
    const failure = await refused(sh(script));
    expect(failure.summary).toMatch(summary);
    expect(failure.detail).toBe(detail);
  });

  it('that is not there is named', async () => {
    expect((await refused(runSecretCommand(['/nowhere/pass'], 'password', never, PLACE))).summary).toContain('/nowhere/pass could not be started: not found');
  });
  it('that takes too long is ended with all that it started', async () => {
    const failure = await refused(sh('sleep 1000 & echo $! >&2; sleep 1000', { ...PLACE, timeoutMs: 500 }));
    expect(failure.summary).toContain('took longer than 0.5 s');
    const child = Number(failure.detail);
    expect(child).toBeGreaterThan(1);
    // A zombie that nobody has reaped yet answers to signal 0 in a container without an init.
    expect(spawnSync('ps', ['-o', 'stat=', '-p', String(child)], { encoding: 'utf8' }).stdout.trim()).toMatch(/^(Z.*)?$/);
  });
  it('is stopped when nobody waits for it any more', async () => {
    const stop = new AbortController();
    const asked = runSecretCommand(['/bin/sh', '-c', 'sleep 1000'], 'password', stop.signal, PLACE);
    stop.abort();
    expect((await refused(asked)).summary).toContain('was stopped');
  });
});

it('placeholders are replaced once, where they stand', () => {
  const host = { name: '{user}', address: '10.0.0.1', user: 'ops' };
  expect(expandPlaceholders(['pass', 'x/{host}@{address}:{user}{user}', '{other}', '{HOST}'], host)).toEqual(['pass', 'x/{user}@10.0.0.1:opsops', '{other}', '{HOST}']);
});
