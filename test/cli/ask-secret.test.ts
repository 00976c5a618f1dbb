/** A secret that is typed on a terminal: asked once for a fleet, never echoed, nowhere afterwards; and the terminal is as it was on every way out. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEmbeddedFleet } from '../demo/embedded-fleet.js';
import { eksAl2 } from '../fake/layouts.js';
import type { Pty } from './pty.js';
import { openPty } from './pty.js';
import { run } from './run-command-line.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const NODE = `${process.execPath} --import ${ROOT}node_modules/tsx/dist/esm/index.mjs`;
const WORKER = `${NODE} ${ROOT}test/cli/read-secret-worker.ts`;
const PLAYBOOK = `${ROOT}playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml`;
const SECRET = 'Zq7Kp2 Wm9Xv4-ä';
const SHOWN = SECRET.slice(0, 6);
let directory: string;
let pty: Pty | undefined;

beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'fleetmend-asked-')); });
afterEach(async () => {
  pty?.kill();
  await pty?.ended;
  pty = undefined;
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

/** The modes of the terminal are written down before and after. */
function start(commandLine: string): Pty {
  pty = openPty(`stty -a > ${directory}/before; ${commandLine}; echo "CODE $?"; stty -a > ${directory}/after; echo OVER`, {
    HOME: directory, XDG_STATE_HOME: join(directory, 'state'), SSH_AUTH_SOCK: '',
  });
  return pty;
}

async function expectTerminalAsBefore(): Promise<void> {
  const [before, after] = await Promise.all(['before', 'after'].map((name) => readFile(join(directory, name), 'utf8')));
  expect(after).toBe(before);
  expect(before).toMatch(/ echo /);
}

describe('what is typed', () => {
  it.each([
    ['a line with corrections', `wrong\u0015${SECRET}xä\u007f\u007f\r`, `GIVEN ${Buffer.from(SECRET).toString('hex')}`],
    ['more than there is room for is said, not cut', `${'x'.repeat(1_025)}\u007f\u007f\r`, 'FAILED badInput: the sudo password of ops is too long'],
    ['a line as long as there is room for', `${'x'.repeat(1_030)}\u0015${'x'.repeat(1_024)}\r`, `GIVEN ${'78'.repeat(1_024)}`],
    ['Ctrl-C is an interrupt', 'half\u0003', 'FAILED interrupted: interrupted'],
    ['nothing is no secret', '\r', 'FAILED badInput: no sudo password of ops: nothing was typed'],
    ['the end of the input is no secret', '\u0004', 'FAILED badInput: no sudo password of ops: nothing was typed'],
  ])('%s, and the terminal is as it was', async (_, keys, told) => {
    const terminal = start(WORKER);
    await terminal.until('sudo password of ops: ');
    terminal.press(keys);
    await terminal.until(told);
    await terminal.until('OVER');
    expect(terminal.shown()).not.toMatch(/Zq7|wrong|half/);
    await expectTerminalAsBefore();
  });

  it('goes on after a stop, from the beginning, and the terminal echoes meanwhile', async () => {
    const terminal = start(`bash -mc '${WORKER}; stty -a > ${directory}/stopped; fg'`);
    await terminal.until('sudo password of ops: ');
    terminal.press('half\u001a');
    await terminal.until('sudo password of ops: ');
    terminal.press(`\u0015${SECRET}\r`);
    await terminal.until(`GIVEN ${Buffer.from(SECRET).toString('hex')}`);
    await terminal.until('OVER');
    expect(await readFile(join(directory, 'stopped'), 'utf8')).toMatch(/ icanon .* echo /s);
    await expectTerminalAsBefore();
  });
});

describe('an encrypted key of a fleet', () => {
  it('is unlocked by one question for all hosts, which nobody sees the answer of; without a terminal the command ends before the first host', async () => {
    const fleet = await startEmbeddedFleet(directory, ['node-1', 'node-2', 'node-3'].map((name) => ({ name, pool: 'a', spec: { layout: eksAl2, ailment: 'none' } })));
    try {
      expect(spawnSync('ssh-keygen', ['-q', '-p', '-f', fleet.identityFile, '-P', '', '-N', SECRET], { encoding: 'utf8' }).stderr).toBe('');
      const words = ['audit', PLAYBOOK, '-i', fleet.inventoryPath, '--known-hosts', fleet.knownHostsPath, '--ssh-config', 'none', '-o', 'json', '-v'];
      vi.stubEnv('SSH_AUTH_SOCK', '');
      const alone = await run(...words);
      expect(alone.err).toMatch(/the passphrase of \S+ is needed, and there is no terminal to ask for it; .*ssh-add/);
      expect(alone.code).toBe(1);

      const terminal = start(`${NODE} ${ROOT}src/main.ts ${words.join(' ')} > ${directory}/out`);
      await terminal.until(/passphrase of \S+: /);
      terminal.press(`${SECRET}\r`);
      await terminal.until('OVER');
      expect(terminal.shown()).toContain('CODE 0');
      expect(terminal.shown().match(/passphrase of \S+: /g)).toHaveLength(1);
      expect(terminal.shown()).toContain('encrypted: its passphrase is asked for');
      const result = JSON.parse(await readFile(join(directory, 'out'), 'utf8')) as { hosts: { verdict: string }[] };
      expect(result.hosts.map(({ verdict }) => verdict)).toEqual(['pass', 'pass', 'pass']);
      expect(terminal.shown()).not.toContain(SHOWN);
      for (const file of await readdir(directory, { recursive: true, withFileTypes: true })) {
        if (file.isFile()) expect(await readFile(join(file.parentPath, file.name), 'latin1'), file.name).not.toContain(SHOWN);
      }
      await expectTerminalAsBefore();
    } finally {
      await fleet.stop();
    }
  });
});
