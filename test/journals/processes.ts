/** Real processes that append to a journal or hold a run, for tests. Whoever starts one ends it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Worker {
  readonly pid: number;
  /** Its lines: `won host-3 7`, `fenced host-1 2`, `held `, `locked`. */
  readonly told: readonly string[];
  /** Settles once it has told `count` lines, or has ended. */
  hasTold(count: number): Promise<void>;
  go(): void;
  kill(): void;
  readonly ended: Promise<void>;
}

export async function startAppender(directory: string, hosts: number, entries: number): Promise<Worker> {
  return await startWorker('append-worker.ts', [directory, String(hosts), String(entries)]);
}

export async function startHolder(root: string, run: string): Promise<Worker> {
  return await startWorker('hold-worker.ts', [root, run]);
}

export async function startAsker(directory: string): Promise<Worker> {
  return await startWorker('control-worker.ts', [directory]);
}

/** Resolves when the process has opened what it works on, and waits for `go`. */
async function startWorker(script: string, words: readonly string[]): Promise<Worker> {
  const child = spawn(process.execPath, ['--import', 'tsx', new URL(script, import.meta.url).pathname, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
  const told: string[] = [];
  const listeners = new Set<() => void>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    told.push(...lines);
    for (const listener of listeners) listener();
  });
  const ended = once(child, 'close').then(() => { for (const listener of listeners) listener(); });
  const until = (holds: () => boolean): Promise<void> => new Promise((resolve) => {
    const look = (): void => { if (holds() || isOver(child)) resolve(); };
    listeners.add(look);
    look();
  });
  await until(() => told.length > 0);
  if (told.shift() !== 'ready') throw new Error('the process did not start');
  return {
    pid: child.pid ?? 0, told, ended,
    hasTold: (count) => until(() => told.length >= count),
    go: () => { child.stdin.write('go\n'); },
    kill: () => { child.kill('SIGKILL'); },
  };
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
