/** Questions on a real terminal: only what is typed under the question is an answer to it. */
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import type { Pty } from './pty.js';
import { openPty } from './pty.js';

const WORKER = fileURLToPath(new URL('confirm-worker.ts', import.meta.url));
let pty: Pty | undefined;

/** `busyMs`: before it asks. */
function ask(busyMs: number): Pty {
  pty = openPty(`${process.execPath} --import tsx ${WORKER} ${busyMs}`);
  return pty;
}

afterEach(async () => {
  pty?.kill();
  await pty?.ended;
});

describe('a question on a terminal', () => {
  it.each([['y\r', 'yes'], ['yes\r', 'yes'], ['Y\r', 'yes'], ['\r', 'no'], ['n\r', 'no'], ['yep\r', 'no'], ['\u0003', 'interrupted'], ['\u0004', 'no']])('%j is %s', async (keys, answer) => {
    const terminal = ask(0);
    await terminal.until('[y/N]');
    terminal.press(keys);
    await terminal.until(`ANSWER ${answer}`);
  });
  it('is not answered by what was typed before it stood there, a whole line or half of one', async () => {
    for (const early of ['y\r', 'yes\ry\r', 'y']) {
      const terminal = ask(1_500);
      await terminal.until('BUSY');
      terminal.press(early);
      await terminal.until('[y/N]');
      expect(terminal.shown()).not.toContain('ANSWER');
      terminal.press('\r');
      await terminal.until('ANSWER no');
      terminal.kill();
      await terminal.ended;
    }
  });
});
