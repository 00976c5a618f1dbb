/** Asks a person on a terminal. Never assumes yes. */
import { createInterface } from 'node:readline/promises';

export type Answer = 'yes' | 'no' | 'interrupted';

/** `yes` only for a typed yes or y; the end of the input is no, Ctrl-C is an interrupt. */
export async function confirm(question: string, signal: AbortSignal): Promise<Answer> {
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
