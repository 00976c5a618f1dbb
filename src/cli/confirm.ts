/** Asks a person on a terminal. Never assumes yes, and never takes for an answer what was typed before the question stood there. */
import { createInterface } from 'node:readline/promises';
import type { ReadStream } from 'node:tty';

export type Answer = 'yes' | 'no' | 'interrupted';

/** `yes` only for a typed yes or y; the end of the input is no, Ctrl-C is an interrupt. */
export async function confirm(question: string, signal: AbortSignal): Promise<Answer> {
  if (process.stdin.isTTY && (await dropEarlierKeys(process.stdin)) === 'interrupted') return 'interrupted';
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const otherwise = new Promise<Answer>((resolve) => {
    terminal.once('SIGINT', () => { resolve('interrupted'); });
    terminal.once('close', () => { resolve('no'); });
  });
  const typed = terminal.question(`${question} [y/N] `, { signal }).then(
    (text): Answer => (/^y(es)?$/i.test(text.trim()) ? 'yes' : 'no'),
    (): Answer => 'interrupted',
  );
  try {
    return await Promise.race([typed, otherwise]);
  } finally {
    terminal.close();
  }
}

/** No key for so long: all that was typed ahead has come. */
const QUIET_MS = 100;
/** Somebody leans on the keyboard: the question is asked all the same. */
const MOST_MS = 2_000;
const CTRL_C = 0x03;

/** In raw mode also a line that is not ended yet is given out. A Ctrl-C in it counts. */
export async function dropEarlierKeys(input: ReadStream): Promise<'quiet' | 'interrupted'> {
  const begun = performance.now();
  let last = begun;
  let interrupted = false;
  const drop = (keys: Buffer): void => {
    last = performance.now();
    interrupted ||= keys.includes(CTRL_C);
  };
  input.setRawMode(true);
  input.on('data', drop);
  try {
    while (!interrupted && performance.now() - last < QUIET_MS && performance.now() - begun < MOST_MS) {
      await new Promise((resolve) => { setTimeout(resolve, QUIET_MS / 4); });
    }
    return interrupted ? 'interrupted' : 'quiet';
  } finally {
    input.off('data', drop);
    input.pause();
    input.setRawMode(false);
  }
}
