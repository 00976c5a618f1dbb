/**
 * Runs programs on the controller for hooks and gates: never a shell line, in the directory from which fleetmend was started,
 * with its environment. Never rejects, never waits longer than the time limit and a stated patience, and keeps only the end of what they say.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandEnd, CommandRunner } from '../core/ports.js';
import type { CommandSpec } from '../core/rollout.js';
import { endGroup, endOf, LAST_WORDS_MS, limitOf, patience, POLL_MS, reasonNotStarted, release } from './child-group.js';
import { factVariables } from './fact-variables.js';
import { createOutputTail } from './output-tail.js';

export interface CommandPlace {
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
}

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

function signalNumber(name: NodeJS.Signals | null): number {
  return name === null ? 0 : constants.signals[name];
}

function notStarted({ run: [program = ''] }: CommandSpec, error: unknown, { directory }: CommandPlace): CommandEnd {
  return { code: 'notStarted', output: `${program}: ${reasonNotStarted(error, directory)}` };
}
