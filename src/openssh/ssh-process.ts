/**
 * One `ssh` in a process group of its own, so that it has no terminal to ask on, Ctrl-C is ours alone, and what it started
 * (the `ssh` of a jump host, a ProxyCommand) ends with it. No shell; nothing of it keeps this process alive once it is over.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { Stream } from 'node:stream';
import { FleetmendError } from '../core/failure.js';
import { notStartedFailure } from './require-ssh.js';

export interface SshProcess {
  readonly child: ChildProcessWithoutNullStreams;
  /** Settles once, never rejects. */
  readonly exited: Promise<{ readonly code: number | null }>;
  /** SIGTERM to the group; what is left after the grace gets SIGKILL. Safe to call twice. */
  stop(graceMs: number): void;
}

/** Rejects with FleetmendError when it cannot be started. */
export async function startSsh(program: string, words: readonly string[], environment: Readonly<Record<string, string | undefined>>): Promise<SshProcess> {
  const child: ChildProcess = spawn(program, words, {
    // No window may ask: who would answer it for five hundred hosts?
    env: { ...environment, SSH_ASKPASS_REQUIRE: 'never' }, detached: true, shell: false, stdio: ['pipe', 'pipe', 'pipe'],
  });
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    // Stays: nobody listening, one of these would end this process.
    child.on('error', (error) => { reject(new FleetmendError(notStartedFailure(program, error), { cause: error })); });
  });
  await started;
  if (!hasPipes(child)) throw new FleetmendError(notStartedFailure(program, undefined));
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => undefined);
  let killTimer: NodeJS.Timeout | undefined;
  let isGone = false;
  const exited = new Promise<{ code: number | null }>((resolve) => {
    child.once('exit', (code) => {
      isGone = true;
      clearTimeout(killTimer);
      // Helpers that it left behind; a master connection that stays on purpose has left the group.
      signalGroup(child.pid, 'SIGTERM');
      resolve({ code });
    });
  });
  return {
    child, exited,
    stop(graceMs) {
      if (isGone || killTimer !== undefined) return;
      signalGroup(child.pid, 'SIGTERM');
      killTimer = setTimeout(() => { signalGroup(child.pid, 'SIGKILL'); }, graceMs);
    },
  };
}

/** Where this machine has no room for pipes, the program has none at all. */
function hasPipes(child: ChildProcess): child is ChildProcessWithoutNullStreams {
  return [child.stdin, child.stdout, child.stderr].every((stream) => stream instanceof Stream);
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left: what was wanted.
  }
}
