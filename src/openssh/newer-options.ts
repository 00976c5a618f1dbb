/** Which of the options that not every `ssh` has this one knows. Asked once with `ssh -G`, which connects to nothing. */
import { spawn } from 'node:child_process';
import { FleetmendError } from '../core/failure.js';
import { notStartedFailure } from './require-ssh.js';
import { NEWER_OPTIONS } from './server-options.js';

const TIME_LIMIT_MS = 10_000;

/** Rejects with FleetmendError when `program` cannot be started. */
export async function findNewerOptions(program: string, environment: Readonly<Record<string, string | undefined>>): Promise<readonly string[]> {
  const known = await Promise.all(NEWER_OPTIONS.map((option) => accepts(program, option, environment)));
  return NEWER_OPTIONS.filter((_, at) => known[at]);
}

async function accepts(program: string, option: string, environment: Readonly<Record<string, string | undefined>>): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    // Without ssh_config: whether that one is in order is another question.
    const child = spawn(program, ['-G', '-F', 'none', '-o', option, '--', 'localhost'], { env: { ...environment }, shell: false, stdio: 'ignore', timeout: TIME_LIMIT_MS });
    child.once('error', (error) => { reject(new FleetmendError(notStartedFailure(program, error), { cause: error })); });
    child.once('exit', (code) => { resolve(code === 0); });
  });
}
