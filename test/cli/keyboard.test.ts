/** The keyboard in a real pseudo terminal: keys become requests, and the terminal is as it was on every way out. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pty } from './pty.js';
import { openPty } from './pty.js';

const WORKER = `${process.execPath} --import tsx ${new URL('keyboard-worker.ts', import.meta.url).pathname}`;
let directory: string;
let ptys: Pty[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-keys-'));
  ptys = [];
});
afterEach(async () => {
  for (const one of ptys) one.kill();
  await Promise.all(ptys.map((one) => one.ended));
  await rm(directory, { recursive: true });
});

/** The modes of the terminal are written down before and after. */
function start(ending: string, shell = ''): Pty {
  const pty = openPty(`stty -a > ${directory}/before; ${shell === '' ? `${WORKER} ${ending}` : shell}; stty -a > ${directory}/after; echo OVER`, { PID_FILE: join(directory, 'pid') });
  ptys.push(pty);
  return pty;
}

const modes = async (name: string): Promise<string> => await readFile(join(directory, name), 'utf8');

describe('keys', () => {
  it('become requests with who pressed them, and the answer stands at the prompt', async () => {
    const pty = start('close');
    await pty.until('PROMPT ? shows the keys');
    await pty.until('LISTENING');
    for (const [keys, shown] of [
      ['p', 'ACT alice@laptop {"do":"pause"}'], ['', 'PROMPT not done: as you say'], ['g', 'ACT alice@laptop {"do":"continue"}'], ['', 'PROMPT as you say'],
      // The worker is in a canary: one host at a time now, ten later, and that is what is changed.
      ['+', '{"do":"within","count":11}'], ['+', '{"do":"within","count":12}'], ['-', '{"do":"within","count":11}'], ['?', 'PROMPT keys: p pause'],
      ['k', 'PROMPT skip which host?'], ['node-3\u007f7', 'node-7_'], ['\r', 'ACT alice@laptop {"do":"skip","host":"node-7"}'],
      ['k', 'PROMPT skip which host?'], ['x', 'leave it) x_'], ['\u001b', 'PROMPT left as it is'],
      ['u', 'w by this wave, r by the whole run'], ['r', 'all hosts that this run changed?'], ['yes', 'leave it: yes_'], ['\r', 'ACT alice@laptop {"do":"undo","scope":"run"}'],
      ['\u0003', 'SIGINT'], ['x', 'ACT alice@laptop {"do":"stop"}'],
    ] as const) {
      if (keys !== '') pty.press(keys);
      await pty.until(shown);
    }
    await pty.until('OVER');
    expect(await modes('after')).toBe(await modes('before'));
    expect(await modes('before')).toContain(' icanon');
  });
});

describe('the terminal is as it was', () => {
  it.each([['throw', 'on purpose'], ['exit', 'ACT'], ['terminated', 'ACT']])('after the process ends by: %s', async (ending, shown) => {
    const pty = start(ending);
    await pty.until('LISTENING');
    pty.press('x');
    await pty.until(shown);
    await pty.until('OVER');
    expect(await modes('after')).toBe(await modes('before'));
  });
  it('after Ctrl-\\', async () => {
    const pty = start('close');
    await pty.until('LISTENING');
    pty.press('\u001c');
    await pty.ended;
    expect(pty.shown()).not.toContain('ACT');
  });
  it('while the process is stopped or in the background, where it reads no key; in the foreground again it does', async () => {
    const states = `${WORKER} close; stty -a > ${directory}/stopped; bg; sleep 0.3; stty -a > ${directory}/background; read -r line; echo "SHELL $line"; fg`;
    const pty = start('', `bash -mc '${states}'`);
    await pty.until('LISTENING');
    pty.press('\u001a');
    await pty.until('Stopped');
    pty.press('xyz\n');
    await pty.until('SHELL xyz');
    await pty.until('PROMPT');
    pty.press('p');
    await pty.until('ACT alice@laptop {"do":"pause"}');
    pty.press('x');
    await pty.until('OVER');
    expect([await modes('stopped'), await modes('background'), await modes('after')]).toEqual([1, 2, 3].map(() => expect.stringContaining(' icanon') as string));
    expect(pty.shown().match(/"do":"stop"/g)).toHaveLength(1);
  });
});

it('a process in the background from the start is not stopped by its keyboard, and hears nothing', async () => {
  const pty = start('', `bash -mc '${WORKER} close & sleep 0.1; while [ ! -s ${directory}/pid ]; do sleep 0.05; done; sleep 1.2; ps -o stat= -p $! ; kill -KILL $!'`);
  await pty.until('LISTENING');
  await pty.until(/^[RS]N?l/m);
  await pty.until('OVER');
  expect(pty.shown()).not.toContain('PROMPT ?');
});
