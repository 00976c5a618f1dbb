/**
 * Runs programs on the controller for hooks and gates: never a shell line, in the directory from which fleetmend was started,
 * with its environment. Never rejects, never waits longer than the time limit and a stated patience, and keeps only the end of what they say.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { statSync } from 'node:fs';
import type { CommandEnd, CommandRunner } from '../core/ports.js';
import type { CommandSpec } from '../core/rollout.js';
import { factVariables } from './fact-variables.js';
import { createOutputTail } from './output-tail.js';

export interface CommandPlace {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Between SIGTERM and SIGKILL to the group of a program whose time is up. */
const GRACE_MS = 5_000;
/** How long a program that has ended may keep its outputs open through those it left behind, and a killed one may take to be gone. */
const LAST_WORDS_MS = 1_000;
const POLL_MS = 50;

/** `place` is settled when this is made: a later change of directory moves no hook. */
export function createCommandRunner(place: CommandPlace = { directory: process.cwd(), environment: process.env }): CommandRunner {
  const { directory } = place;
  const environment = { ...place.environment };
  return { run: (command, facts, signal) => run(command, facts, signal, { directory, environment }) };
}

async function run(command: CommandSpec, facts: unknown, signal: AbortSignal, place: CommandPlace): Promise<CommandEnd> {
  if (signal.aborted) return { code: 'stopped', output: '' };
  try {
    return await watch(start(command, facts, place), command.timeoutMs, signal);
  } catch (error) {
    return notStarted(command, error, place);
  }
}

/** In a process group of its own, so that Ctrl-C at the terminal is ours alone and all that it starts can be ended with it. */
function start({ run: [program, ...words] }: CommandSpec, facts: unknown, { directory, environment }: CommandPlace): ChildProcess {
  if (program === undefined || program === '') throw new Error('it has no words');
  const text = `${JSON.stringify(facts)}\n`;
  const child = spawn(program, words, { cwd: directory, env: factVariables(environment, facts), detached: true, shell: false, stdio: ['pipe', 'pipe', 'pipe'] });
  // A program that does not read what it is told is free to do so.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(text);
  return child;
}

async function watch(child: ChildProcess, timeoutMs: number, signal: AbortSignal): Promise<CommandEnd> {
  const tail = createOutputTail();
  for (const output of [child.stdout, child.stderr]) {
    output?.on('data', tail.writer());
    output?.on('error', () => undefined);
  }
  const closed = new Promise<true>((resolve) => { child.once('close', () => { resolve(true); }); });
  const ended = endOf(child);
  const limit = limitOf(timeoutMs, signal);
  try {
    const first = await Promise.race([ended, limit.reached]);
    // What a program left behind may neither hold up the run nor outlive it unseen.
    if (first.how === 'cut' || !(await Promise.race([closed, patience(LAST_WORDS_MS)]))) await endGroup(child);
    if (first.how === 'cut') {
      await Promise.race([closed, patience(POLL_MS)]);
      return { code: first.why, output: tail.text() };
    }
    const remarks = first.by === null ? [] : [`ended by ${first.by}`];
    return { code: first.code ?? 128 + signalNumber(first.by), output: [tail.text(), ...remarks].filter((line) => line !== '').join('\n') };
  } finally {
    limit.clear();
    release(child);
  }
}

type Ended = { readonly how: 'ended'; readonly code: number | null; readonly by: NodeJS.Signals | null };
type Cut = { readonly how: 'cut'; readonly why: 'timeout' | 'stopped' };

/** Rejects when it could not be started. */
function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => { if (child.pid === undefined) reject(error); });
    child.once('exit', (code, by) => { resolve({ how: 'ended', code, by }); });
  });
}

function limitOf(timeoutMs: number, signal: AbortSignal): { readonly reached: Promise<Cut>; clear(): void } {
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
async function endGroup(child: ChildProcess): Promise<void> {
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

async function patience(ms: number): Promise<false> {
  return await new Promise((resolve) => { setTimeout(resolve, ms, false); });
}

/** Nothing of it may keep this process alive. */
function release(child: ChildProcess): void {
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  child.unref();
}

function signalNumber(name: NodeJS.Signals | null): number {
  return name === null ? 0 : constants.signals[name];
}

function notStarted({ run: [program = ''] }: CommandSpec, error: unknown, { directory }: CommandPlace): CommandEnd {
  return { code: 'notStarted', output: `${program}: ${reason(error, directory)}` };
}

function reason(error: unknown, directory: string): string {
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
