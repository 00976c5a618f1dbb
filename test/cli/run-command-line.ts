/** The command line in this process, as a test wants it: what it wrote, and its exit code. Nothing of it reaches the terminal. */
import { vi } from 'vitest';
import { runCommandLine } from '../../src/cli/index.js';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export async function run(...argv: string[]): Promise<Ended> {
  let [out, err] = ['', ''];
  const write = (add: (text: string) => void) => (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    add(String(chunk));
    for (const one of rest) if (typeof one === 'function') (one as () => void)();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(write((text) => { out += text; }) as never),
    vi.spyOn(process.stderr, 'write').mockImplementation(write((text) => { err += text; }) as never),
    vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => { out += `${words.join(' ')}\n`; }),
    vi.spyOn(console, 'error').mockImplementation((...words: unknown[]) => { err += `${words.join(' ')}\n`; }),
  ];
  process.exitCode = 0;
  try {
    await runCommandLine(argv);
    return { code: Number(process.exitCode), out, err };
  } finally {
    process.exitCode = 0;
    for (const spy of spies) spy.mockRestore();
  }
}
