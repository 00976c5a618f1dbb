/**
 * A secret that a program of the controller knows: the first line of its standard output. No shell; what it writes to standard error
 * is shown when it fails, what it writes to standard output never is. Bounded in time and size.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { decodeUtf8 } from '../core/bytes.js';
import { cleanLine, cleanText } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import { endGroup, endOf, LAST_WORDS_MS, limitOf, patience, reasonNotStarted, release } from './child-group.js';
import { createOutputTail } from './output-tail.js';

export interface SecretCommandPlace {
  readonly directory: string;
  /** Without the variables that hold other secrets. */
  readonly environment: NodeJS.ProcessEnv;
  /** Default 30 000. */
  readonly timeoutMs?: number;
}

/** For the placeholders `{host}`, `{address}` and `{user}`. */
export interface SecretOf {
  readonly name: string;
  readonly address: string;
  readonly user: string;
}

const TIMEOUT_MS = 30_000;
const MAX_SECRET_BYTES = 4_096;

/** The words of one host; the same for all where no placeholder stands. */
export function expandPlaceholders(argv: readonly string[], { name, address, user }: SecretOf): string[] {
  const values: Readonly<Record<string, string>> = { '{host}': name, '{address}': address, '{user}': user };
  return argv.map((word) => word.replaceAll(/\{(?:host|address|user)\}/g, (place) => values[place] ?? place));
}

/** Rejects with FleetmendError (authentication) when there is no secret, naming the program and `label`, never its arguments. */
export async function runSecretCommand(argv: readonly string[], label: string, signal: AbortSignal, place: SecretCommandPlace): Promise<string> {
  const [program = '', ...words] = argv;
  const noSecret = (what: string, detail = ''): FleetmendError => new FleetmendError({
    kind: 'authentication', summary: `no ${label}: ${cleanLine(program)} ${what}`, ...(detail === '' ? {} : { detail }),
    next: 'correct passwordCommand in the inventory, or try the command by hand',
  });
  if (signal.aborted) throw noSecret('was stopped');
  try {
    const child = spawn(program, words, { cwd: place.directory, env: place.environment, detached: true, shell: false, stdio: ['ignore', 'pipe', 'pipe'] });
    return await firstLine(child, place.timeoutMs ?? TIMEOUT_MS, signal, noSecret);
  } catch (error) {
    if (error instanceof FleetmendError) throw error;
    throw noSecret(`could not be started: ${reasonNotStarted(error, place.directory)}`);
  }
}

type NoSecret = (what: string, detail?: string) => FleetmendError;

async function firstLine(child: ChildProcess, timeoutMs: number, signal: AbortSignal, noSecret: NoSecret): Promise<string> {
  const said = createOutputTail();
  child.stderr?.on('data', said.writer());
  const output = createFirstLine();
  child.stdout?.on('data', (chunk: Buffer) => { output.add(chunk); });
  for (const stream of [child.stdout, child.stderr]) stream?.on('error', () => undefined);
  const closed = new Promise<true>((resolve) => { child.once('close', () => { resolve(true); }); });
  const limit = limitOf(timeoutMs, signal);
  try {
    const first = await Promise.race([endOf(child), limit.reached]);
    if (first.how === 'cut' || !(await Promise.race([closed, patience(LAST_WORDS_MS)]))) await endGroup(child);
    if (first.how === 'cut') throw noSecret(first.why === 'timeout' ? `took longer than ${timeoutMs / 1000} s` : 'was stopped', said.text());
    if (first.code !== 0) throw noSecret(first.code === null ? `was ended by ${String(first.by)}` : `ended with exit code ${first.code}`, cleanText(said.text()));
    const line = output.line();
    if (line === undefined) throw noSecret(`wrote no line of 1 to ${MAX_SECRET_BYTES} bytes of text`);
    return line;
  } finally {
    limit.clear();
    release(child);
  }
}

/** Keeps no more than a line can have. */
function createFirstLine(): { add(chunk: Buffer): void; line(): string | undefined } {
  let held = Buffer.alloc(0);
  return {
    add: (chunk) => { if (held.length <= MAX_SECRET_BYTES + 1 && !held.includes('\n')) held = Buffer.concat([held, chunk.subarray(0, MAX_SECRET_BYTES + 2)]); },
    line: () => {
      const end = held.indexOf('\n');
      const bytes = end === -1 ? held : held.subarray(0, held[end - 1] === 0x0d ? end - 1 : end);
      return bytes.length === 0 || bytes.length > MAX_SECRET_BYTES || bytes.includes(0) ? undefined : decodeUtf8(bytes);
    },
  };
}
