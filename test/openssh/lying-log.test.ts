/** What a server can do through the log of `ssh`, played by a script in its place: write lines of its own, and flood. */
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ShellStream } from '../../src/core/ports.js';
import { createOpenSshTransport } from '../../src/openssh/transport.js';
import { createScratch, failureIn, hostAt, readAll } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';

const KEY_A = 'SHA256:HhH+6LBPQ6THQstSimw1TG/hjeOpl19upnM5quNSIOE';
const KEY_B = 'SHA256:h/Cv9SDpnvRH4YuED54Bbe2jJfp/WmrBK+9Gic2SD1s';

let scratch: Scratch;
beforeEach(() => { scratch = createScratch(); });
afterEach(() => { scratch.remove(); });

/** `script` sees the log as file descriptor 3. */
function open(script: string): Promise<ShellStream> {
  const program = scratch.write('ssh', `#!/bin/sh\nwhile [ "$1" != -E ]; do shift; done\nexec 3>>"$2"\nlog() { printf '%s\\r\\n' "$@" >&3; }\n${script}\n`);
  chmodSync(program, 0o700);
  return createOpenSshTransport({ environment: process.env, program, closeGraceMs: 500 }).open(hostAt(22), 'true', new AbortController().signal);
}

const shown = (key: string): string => `log 'debug1: Server host key: ssh-ed25519 ${key}'`;
const RUNNING = `log 'debug1: Sending command: true'`;

it('a command is running only when a host key was shown', async () => {
  const failure = await failureIn(open(`${RUNNING}; exit 255`));
  expect(failure.kind).toBe('channelRefused');
});

it('lines about a host key that come before the real one are found out before a byte of output is believed', async () => {
  const shell = await open(`${shown(KEY_A)}; ${RUNNING}; read line; ${shown(KEY_B)}; echo "$line"; exec sleep 600`);
  expect(shell.hostKey).toBe(KEY_A);
  shell.stdin.write('go\n');
  shell.stderr.resume();
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => { output += chunk.toString(); });
  expect(await shell.ended).toMatchObject({ how: 'lost', why: { kind: 'protocol' } });
  expect(output).toBe('');
});

it('two host keys open nothing', async () => {
  expect((await failureIn(open(`${shown(KEY_A)}; ${shown(KEY_B)}; ${RUNNING}; exec sleep 600`))).kind).toBe('protocol');
});

it('an exit code that only the log has is not believed', async () => {
  const shell = await open(`${shown(KEY_A)}; ${RUNNING}; log 'debug1: Exit status 0'; exit 255`);
  shell.stderr.resume();
  await readAll(shell.stdout);
  expect(await shell.ended).toEqual({ how: 'lost' });
});

it('an ssh that comes to its log after the death of fleetmend ends instead of waiting', async () => {
  const url = new URL('../../src/openssh/log-pipes.ts', import.meta.url).href;
  const text = `const { createLogPipes } = await import('${url}'); const pipe = await createLogPipes().open(() => undefined); process.stdout.write(pipe.path, () => process.kill(process.pid, 'SIGKILL'));`;
  const died = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], { env: { ...process.env, TMPDIR: scratch.directory }, encoding: 'utf8' });
  expect(died.stdout).toMatch(/^\/proc\//);
  expect(spawnSync('ssh', ['-E', died.stdout, '-F', 'none', '-G', 'x'], { timeout: 20_000 }).signal).toBeNull();
});

it('a flood of log lines passes by', async () => {
  const flood = `yes 'debug1: Remote: ${'x'.repeat(900)}' | head -c 30000000 >&3; head -c 5000000 /dev/zero >&3; log ''`;
  const shell = await open(`${shown(KEY_A)}; ${RUNNING}; ${flood}; echo done; log 'debug1: Exit status 0'; exit 0`);
  shell.stderr.resume();
  expect((await readAll(shell.stdout)).toString()).toBe('done\n');
  expect(await shell.ended).toEqual({ how: 'exit', code: 0 });
});

it('what a command says right before its end is never lost, however soon ssh ends after it', async () => {
  const script = `${shown(KEY_A)}; ${RUNNING}; log 'debug1: Exit status 0'; echo said; exit 0`;
  for (let time = 0; time < 20; time += 1) {
    const shell = await open(script);
    shell.stderr.resume();
    expect([(await readAll(shell.stdout)).toString(), await shell.ended]).toEqual(['said\n', { how: 'exit', code: 0 }]);
  }
});
