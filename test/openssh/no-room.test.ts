/** A process without a free file descriptor: what it cannot start is the failure of one host, and nothing is left behind. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createScratch } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';

let scratch: Scratch;
beforeEach(() => { scratch = createScratch(); });
afterEach(() => { scratch.remove(); });

/** `open` is called with all descriptors taken but `left`. */
function outcomesOf(left: number): unknown {
  const program = `
    import { openSync, closeSync } from 'node:fs';
    import { createOpenSshTransport } from './src/openssh/transport.ts';
    import { startSsh } from './src/openssh/ssh-process.ts';
    const host = { name: 'n', address: '127.0.0.1', port: 1, become: 'none', labels: {}, ssh: { config: 'none' } };
    const transport = createOpenSshTransport({ environment: process.env });
    const failureOf = (work) => work.then(() => 'opened', (error) => error.failure?.kind ?? String(error));
    // All that is loaded late is loaded now.
    const outcomes = [await failureOf(transport.open(host, 'true', new AbortController().signal))];
    const taken = [];
    try { for (;;) taken.push(openSync('/dev/null')); } catch { for (const fd of taken.splice(0, ${left})) closeSync(fd); }
    outcomes.push(await failureOf(transport.open(host, 'true', new AbortController().signal)), await failureOf(startSsh('ssh', ['-V'], process.env)));
    for (const fd of taken) closeSync(fd);
    outcomes.push(await failureOf(transport.open(host, 'true', new AbortController().signal)));
    process.stdout.write(JSON.stringify(outcomes));
  `;
  const ran = spawnSync('/bin/sh', ['-c', 'ulimit -n 120; exec "$@"', 'sh', process.execPath, '--import', 'tsx', '--input-type=module', '-e', program], {
    env: { ...process.env, TMPDIR: scratch.directory }, encoding: 'utf8', timeout: 30_000,
  });
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  return JSON.parse(ran.stdout);
}

it.each([0, 3])('an ssh that cannot be started for want of room is a failure of its host, and the next one is started (%i descriptors left)', (left) => {
  expect(outcomesOf(left)).toEqual(['refusedConnection', 'connectTimeout', 'connectTimeout', 'refusedConnection']);
  expect(readdirSync(scratch.directory).filter((name) => name.startsWith('fleetmend-ssh-log'))).toEqual([]);
});
