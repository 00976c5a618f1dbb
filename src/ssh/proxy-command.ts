/**
 * A program whose stdin and stdout are the connection to a server (ProxyCommand). Run by /bin/sh as `exec COMMAND`, in a process group
 * of its own that ends with the connection, and with this process. Keeps only the start of what it says on stderr.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { Socket } from 'node:net';
import { PassThrough, Stream } from 'node:stream';
import { FleetmendError } from '../core/failure.js';
import { markCut } from '../core/clean-text.js';
import { abortFailure } from './abort.js';
import { codeOf, lostBeforeHandshakeFailure } from './failures.js';
import { proxyCommandFailure } from './jump-failures.js';
import { createLink, endOnAbort } from './link.js';
import type { Link } from './link.js';
import { createPipedSocket } from './piped-socket.js';
import type { Hop } from './route.js';

export type DialByCommand = (command: string, host: Hop, signal: AbortSignal) => Promise<Link>;

const KEPT_BYTES = 4 * 1024;
/** From the end of its output to its exit, and from SIGTERM to SIGKILL. */
const GRACE_MS = 2_000;

/** `environment`: of the programs. */
export function createCommandDialer(environment: NodeJS.ProcessEnv): DialByCommand {
  const running = new Set<number>();
  const endAll = (): void => {
    for (const group of running) signalGroup(group, 'SIGKILL');
  };
  const watch = (child: ChildProcessWithoutNullStreams): void => {
    const { pid } = child;
    if (pid === undefined) return;
    if (running.size === 0) process.on('exit', endAll);
    running.add(pid);
    child.once('exit', () => {
      running.delete(pid);
      if (running.size === 0) process.off('exit', endAll);
      // What it left behind holds the connection no longer.
      signalGroup(pid, 'SIGKILL');
    });
  };

  return async (command, host, signal) => {
    const child = await startProgram(command, environment).catch((error: unknown) => {
      throw new FleetmendError(proxyCommandFailure(host, `could not be started (${codeOf(error)})`, ''), { cause: error });
    });
    watch(child);
    const said = collectStart(child);
    const output = outputOf(child);
    let heard = false;
    let late: NodeJS.Timeout | undefined;
    output.once('data', () => {
      heard = true;
      clearTimeout(late);
    });
    const link = createLink(
      createPipedSocket({ output, input: child.stdin, release: () => endChild(child), ref: () => hold(child, 'ref'), unref: () => hold(child, 'unref') }),
      (reason) => lostBeforeHandshakeFailure(host, reason, ''),
      () => (heard || !output.writableEnded ? undefined : proxyCommandFailure(host, endText(child), said())),
    );
    // Its start says nothing of the server; only the first bytes do.
    late = setTimeout(() => link.end(proxyCommandFailure(host, `ran for ${host.connectTimeoutMs} ms`, said())), host.connectTimeoutMs);
    link.whenEnded(() => clearTimeout(late));
    endOnAbort(link, signal, () => abortFailure(host, signal));
    return link;
  };
}

/** Rejects when it cannot be started; nothing is left then. */
async function startProgram(command: string, environment: NodeJS.ProcessEnv): Promise<ChildProcessWithoutNullStreams> {
  const child: ChildProcess = spawn('/bin/sh', ['-c', `exec ${command}`], { env: environment, detached: true, stdio: 'pipe' });
  const started = new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    // Stays: nobody listening, one of these would end this process.
    child.on('error', reject);
  });
  await started;
  if (!hasPipes(child)) throw new Error('a program without pipes');
  return child;
}

/** Where this machine has no room for pipes, the program has none at all. */
function hasPipes(child: ChildProcess): child is ChildProcessWithoutNullStreams {
  return [child.stdin, child.stdout, child.stderr].every((stream) => stream instanceof Stream);
}

/** What it writes; ends only when it is known how the program ended, so that this can be told. */
function outputOf(child: ChildProcessWithoutNullStreams): PassThrough {
  const output = new PassThrough();
  child.stdout.on('error', () => undefined);
  child.stdout.pipe(output, { end: false });
  child.stdout.once('close', () => {
    const timer = setTimeout(() => output.end(), GRACE_MS);
    const end = (): void => {
      clearTimeout(timer);
      output.end();
    };
    if (hasEnded(child)) end();
    else child.once('close', end);
  });
  return output;
}

function collectStart(child: ChildProcessWithoutNullStreams): () => string {
  let kept = Buffer.alloc(0);
  child.stderr.on('error', () => undefined);
  child.stderr.on('data', (chunk: Buffer) => {
    if (kept.length < KEPT_BYTES) kept = Buffer.concat([kept, chunk]).subarray(0, KEPT_BYTES);
  });
  return () => (kept.length < KEPT_BYTES ? kept.toString('utf8') : markCut(kept.toString('utf8')));
}

function hasEnded(child: ChildProcessWithoutNullStreams): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function endText({ exitCode, signalCode }: ChildProcessWithoutNullStreams): string {
  if (exitCode === null && signalCode === null) return 'closed its output';
  return exitCode === null ? `was ended by ${signalCode ?? 'a signal'}` : `ended with exit code ${exitCode}`;
}

function endChild(child: ChildProcessWithoutNullStreams): void {
  const { pid } = child;
  child.stdin.destroy();
  child.stdout.destroy();
  child.stderr.destroy();
  if (pid === undefined || hasEnded(child)) return;
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS).unref();
  child.once('exit', () => clearTimeout(timer));
  child.unref();
}

function hold(child: ChildProcessWithoutNullStreams, how: 'ref' | 'unref'): void {
  child[how]();
  for (const stream of [child.stdin, child.stdout, child.stderr]) if (stream instanceof Socket) stream[how]();
}

/** It may be gone already. */
function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // Nothing is left of it.
  }
}
