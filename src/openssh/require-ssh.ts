/** Is there an `ssh` program? Asked once, before the first host. Connects to nothing. */
import { spawn } from 'node:child_process';
import { cleanText } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';

const TIME_LIMIT_MS = 10_000;

/** Rejects with FleetmendError (badInput). For a command of which at least one host has `transport: openssh`. */
export async function requireSsh(environment: Readonly<Record<string, string | undefined>>, program = 'ssh'): Promise<void> {
  const code = await new Promise<number | string>((resolve) => {
    const child = spawn(program, ['-V'], { env: { ...environment }, shell: false, stdio: 'ignore', timeout: TIME_LIMIT_MS });
    child.once('error', (error) => { resolve('code' in error && typeof error.code === 'string' ? error.code : error.name); });
    child.once('exit', (status, signal) => { resolve(status ?? signal ?? 'killed'); });
  });
  if (code !== 0) throw new FleetmendError(noSshFailure(program, `${program} -V: ${code}`));
}

export function noSshFailure(program: string, reason: string): Failure {
  return {
    kind: 'badInput', summary: `transport: openssh needs the program ${cleanText(program)}, and it cannot be started (${cleanText(reason)})`,
    next: 'install the OpenSSH client (package openssh-client), or leave the transport out of the inventory',
  };
}

/** What `error` makes of starting `program`: it is missing, or this machine has too much to do, and another time it may work. */
export function notStartedFailure(program: string, error: unknown): Failure {
  return noRoomFailure(program, error) ?? noSshFailure(program, error instanceof Error && 'code' in error ? String(error.code) : 'unknown error');
}

const NO_ROOM: readonly unknown[] = ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'];

/** Undefined for all other errors. */
export function noRoomFailure(what: string, error: unknown): Failure | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (!NO_ROOM.includes(code)) return undefined;
  return {
    kind: 'connectTimeout', summary: `this machine has no room for ${cleanText(what)} (${String(code)})`,
    next: 'use a smaller --concurrency, or raise the limits of open files and processes here (ulimit -n, ulimit -u)',
  };
}
