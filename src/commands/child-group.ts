/** A child process and all that it started, as one group: how it ends, how long it may take, and how it is ended. Never leaves a timer behind. */
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';

/** Between SIGTERM and SIGKILL to the group of a program whose time is up. */
const GRACE_MS = 5_000;
/** How long a program that has ended may keep its outputs open through those it left behind, and a killed one may take to be gone. */
export const LAST_WORDS_MS = 1_000;
export const POLL_MS = 50;

export type Ended = { readonly how: 'ended'; readonly code: number | null; readonly by: NodeJS.Signals | null };
type Cut = { readonly how: 'cut'; readonly why: 'timeout' | 'stopped' };

/** Rejects when it could not be started. */
export function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => { if (child.pid === undefined) reject(error); });
    child.once('exit', (code, by) => { resolve({ how: 'ended', code, by }); });
  });
}

export function limitOf(timeoutMs: number, signal: AbortSignal): { readonly reached: Promise<Cut>; clear(): void } {
  let clear = (): void => undefined;
  const reached = new Promise<Cut>((resolve) => {
    const timer = setTimeout(() => { resolve({ how: 'cut', why: 'timeout' }); }, timeoutMs);
    const onAbort = (): void => { resolve({ how: 'cut', why: 'stopped' }); };
    signal.addEventListener('abort', onAbort);
    clear = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  return { reached, clear };
}

/** SIGTERM to the group; what is still there after the grace gets SIGKILL. Settles when it is gone, or is past all help. */
export async function endGroup(child: ChildProcess): Promise<void> {
  const group = child.pid;
  if (group === undefined) return;
  signalGroup(group, 'SIGTERM');
  if (await groupGone(child, group, GRACE_MS)) return;
  signalGroup(group, 'SIGKILL');
  await groupGone(child, group, LAST_WORDS_MS);
}

async function groupGone(child: ChildProcess, group: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    const reaped = child.exitCode !== null || child.signalCode !== null;
    if (reaped && !signalGroup(group, 0)) return true;
    if (performance.now() >= until) return false;
    await patience(POLL_MS);
  }
}

/** False when no process of the group is left. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

export async function patience(ms: number): Promise<false> {
  return await new Promise((resolve) => { setTimeout(resolve, ms, false); });
}

/** Nothing of it may keep this process alive. */
export function release(child: ChildProcess): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  child.unref();
}

/** Completes "PROGRAM: ...". */
export function reasonNotStarted(error: unknown, directory: string): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return isDirectory(directory) ? `not found (looked for from ${directory})` : `the directory ${directory} is gone`;
    case 'EACCES':
      return 'no permission to execute it';
    case 'E2BIG':
      return 'its words and its environment are too long';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
