/**
 * Runs programs of this machine for the lab. Never goes through a shell and never hides an exit code;
 * `must...` variants turn a failure into an error that names the command and quotes its words.
 */
import { spawn, spawnSync } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array;
  /** The program is killed after this time; its code is then 124, as with timeout(1). */
  readonly timeoutMs?: number;
}

/** Settles when the program has ended; rejects only when it could not be started at all. */
export async function runBytes(argv: readonly string[], options: CommandOptions = {}): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  const [file = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutMs ?? 120_000);
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that does not read its input to the end is no fault of ours.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: timedOut ? 124 : (code ?? 137), stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') });
    });
    child.stdin.end(options.stdin ?? '');
  });
}

export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { code, stdout, stderr } = await runBytes(argv, options);
  return { code, stdout: stdout.toString('utf8'), stderr };
}

export async function mustRun(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code !== 0) throw new Error(`${argv.join(' ')}: exit ${result.code}: ${result.stderr.trim() || result.stdout.trim()}`);
  return result.stdout;
}

/** Many small commands at the price of one: each is a list of words, the first that fails ends the script and rejects. */
export async function mustRunScript(commands: readonly (readonly string[])[]): Promise<void> {
  const lines = commands.map((argv) => argv.map(quote).join(' '));
  const result = await run(['/bin/sh', '-eu', '-s'], { stdin: `${lines.join(' </dev/null\n')} </dev/null\n` });
  if (result.code !== 0) throw new Error(`exit ${result.code}: ${result.stderr.trim()}; one of:\n${lines.slice(0, 5).join('\n')}`);
}

/** One word for a POSIX shell. */
export function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** For cleaning up while the process ends, when nothing asynchronous runs any more. */
export function runNow(argv: readonly string[], stdin = ''): CommandResult {
  const [file = '', ...args] = argv;
  const { status, stdout, stderr } = spawnSync(file, args, { input: stdin, encoding: 'utf8', timeout: 60_000 });
  return { code: status ?? 127, stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** Performs `act` on all items, `limit` at a time; the first failure is thrown after the ones under way have ended. */
export async function forEachLimited<T>(items: readonly T[], limit: number, act: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await act(item);
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
