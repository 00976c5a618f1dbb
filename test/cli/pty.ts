/** A command line in a real pseudo terminal, by `script` of util-linux; keys go in, all that it shows comes out. Whoever starts one ends it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const PATIENCE_MS = 30_000;

export interface Pty {
  /** All that was shown so far. */
  shown(): string;
  press(keys: string): void;
  /** Until this is shown after what was waited for before. */
  until(words: string | RegExp): Promise<void>;
  readonly ended: Promise<void>;
  kill(): void;
}

export function openPty(commandLine: string, environment: NodeJS.ProcessEnv = {}): Pty {
  const child = spawn('script', ['-q', '-f', '-e', '-c', commandLine, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, TERM: 'xterm', SHELL: '/bin/sh', ...environment }, detached: true,
  });
  let text = '';
  let seen = 0;
  const listeners = new Set<() => void>();
  const wake = (): void => { for (const listener of listeners) listener(); };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  child.stdin.on('error', () => undefined);
  let over = false;
  const ended = once(child, 'close').then(() => {
    over = true;
    wake();
  });
  return {
    ended,
    shown: () => text,
    press: (keys) => { child.stdin.write(keys); },
    kill: () => { if (child.exitCode === null) child.kill('SIGKILL'); },
    until: (words) => new Promise((resolve, reject) => {
      const timer = setTimeout(() => { done(new Error(`never shown: ${String(words)}; shown:\n${text}`)); }, PATIENCE_MS);
      const done = (error?: Error): void => {
        clearTimeout(timer);
        listeners.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        const match = typeof words === 'string' ? text.indexOf(words, seen) : text.slice(seen).search(words) + seen;
        if (match >= seen) {
          seen = match + 1;
          done();
        } else if (over) done(new Error(`ended before it showed ${String(words)}:\n${text}`));
      };
      listeners.add(look);
      look();
    }),
  };
}
