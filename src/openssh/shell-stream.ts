/**
 * One running `ssh` as a ShellStream. Its exit code is the command's only where its log says that the session ended in good
 * order: 255 alone may be either's. Whatever the peer or the reader does, `close` ends.
 */
import { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { ShellEnd, ShellStream } from '../core/ports.js';
import { cutText } from '../core/clean-text.js';
import { createSwitch } from '../core/switch.js';
import { explainEnd, explainTimeout, targetOf, twoKeysFailure } from './explain-end.js';
import type { SshEnd } from './explain-end.js';
import type { LogPipe } from './log-pipes.js';
import { EMPTY_LOG, hasReached, readLogLine } from './read-log-line.js';
import type { SshProcess } from './ssh-process.js';

export interface ShellTimes {
  readonly openMs: number;
  readonly idleMs: number;
  readonly exitGraceMs: number;
  readonly closeGraceMs: number;
}

export interface SshStart {
  readonly host: Host;
  readonly times: ShellTimes;
  readonly signal: AbortSignal;
  openLog(onLine: (line: string) => void): Promise<LogPipe>;
  /** A jump host does not let us in; hosts behind it need not ask again. */
  onRefusedOnTheWay(failure: Failure): void;
  /** Rejects with FleetmendError. */
  start(logFile: string): Promise<SshProcess>;
}

const STDERR_KEPT = 8 * 1024;

/** Rejects with FleetmendError; no process is left then. */
export async function openShell({ host, times, signal, openLog, start, onRefusedOnTheWay }: SshStart): Promise<ShellStream> {
  let facts = EMPTY_LOG;
  let look = (): void => undefined;
  const log = await openLog((line) => {
    facts = readLogLine(facts, line);
    look();
  });
  const ssh = await startOrClose(() => {
    if (signal.aborted) throw new FleetmendError(interruptedFailure(host));
    return start(log.path);
  }, log);
  const { child } = ssh;
  let said = '';
  let reason: Failure | undefined;
  let stopped = false;
  const stop = (why?: Failure): void => {
    if (!stopped) reason = why;
    stopped = true;
    ssh.stop(times.closeGraceMs);
  };
  const endOf = (code: number | null): SshEnd => ({ code, facts, stderr: said });

  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const idle = watchIdle(times.idleMs, () => (child.stdin instanceof Socket ? child.stdin.bytesWritten : 0), () => stop(silenceFailure(host, times.idleMs)));
  let exitTimer: NodeJS.Timeout | undefined;
  const touch = (): void => {
    idle.touch();
    exitTimer?.refresh();
  };
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length <= STDERR_KEPT) said = cutText(said + chunk.toString('utf8'), STDERR_KEPT);
    touch();
  });
  child.stderr.pipe(stderr);
  // Taken at once: when a process exits, Node throws away what nobody takes.
  const heldBack = new PassThrough();
  child.stdout.on('data', touch);
  child.stdout.pipe(heldBack);
  // Nothing is believed that comes before the log was read to here: a server can write lines into it, but not take `ssh`'s own back.
  heldBack.once('readable', () => {
    void log.drained().then(() => {
      if (facts.hostKeys.length <= 1) heldBack.pipe(stdout);
    });
  });
  const leaveLateChild = (): void => {
    if (stdout.writableNeedDrain || stderr.writableNeedDrain) return void exitTimer?.refresh();
    // A child of the command that only waits for input ends by this, and the exit code is known after all.
    child.stdin.end();
    exitTimer = setTimeout(() => stop(), times.closeGraceMs);
  };

  const onAbort = (): void => stop(interruptedFailure(host));
  signal.addEventListener('abort', onAbort, { once: true });
  // Aborted while it was started.
  if (signal.aborted) onAbort();
  const openTimer = setTimeout(() => stop(explainTimeout(host, times.openMs, endOf(null))), times.openMs);
  const gone = ssh.exited.then(async (exit) => {
    clearTimeout(openTimer);
    signal.removeEventListener('abort', onAbort);
    await log.drained();
    return exit;
  });
  const opened = new Promise<string>((resolve, reject) => {
    look = () => {
      const [hostKey] = facts.hostKeys;
      if (facts.hostKeys.length > 1) return stop(twoKeysFailure(host));
      if (facts.commandEnded) exitTimer ??= setTimeout(leaveLateChild, times.exitGraceMs);
      if (!hasReached(facts, 'running') || hostKey === undefined) return;
      clearTimeout(openTimer);
      resolve(hostKey);
    };
    void gone.then(({ code }) => {
      const failure = reason ?? explainEnd(host, endOf(code));
      if (facts.stage === 'proxy' && failure.kind === 'authentication') onRefusedOnTheWay(failure);
      reject(new FleetmendError(failure));
    });
  });

  const closing = createSwitch();
  const ended = gone.then(async ({ code }): Promise<ShellEnd> => {
    idle.end();
    clearTimeout(exitTimer);
    child.stdin.destroy();
    await unlessTooLate(Promise.all([whenTaken(stdout), whenTaken(stderr)]), closing.on, times.closeGraceMs);
    for (const stream of [child.stdout, child.stderr]) stream.destroy();
    log.close();
    if (stopped) return { how: 'lost', ...(reason === undefined || reason.kind === 'interrupted' ? {} : { why: reason }) };
    if (facts.exitCode !== undefined && facts.exitCode === code) return { how: 'exit', code };
    return facts.killed ? { how: 'signal', signal: 'unknown' } : { how: 'lost' };
  });

  const hostKey = await opened.catch(async (error: unknown) => {
    closing.set();
    for (const stream of [stdout, stderr]) stream.destroy();
    await ended;
    throw error;
  });
  return {
    stdin: child.stdin, stdout, stderr, ended, hostKey,
    async close() {
      closing.set();
      stop();
      await ended;
    },
  };
}

async function startOrClose(start: () => Promise<SshProcess>, log: LogPipe): Promise<SshProcess> {
  try {
    return await start();
  } catch (error) {
    log.close();
    throw error;
  }
}

function interruptedFailure(host: Host): Failure {
  return { kind: 'interrupted', summary: `the connection to ${targetOf(host)} was given up` };
}

function silenceFailure(host: Host, idleMs: number): Failure {
  return {
    kind: 'connectionLost', summary: `the connection to ${targetOf(host)} was lost (nothing sent or received for ${idleMs} ms)`,
    next: 'what the host was doing may still go on; contact it again before anything else',
  };
}

/** Ends after one to two spans without a byte in either direction. */
function watchIdle(idleMs: number, written: () => number, onIdle: () => void): { touch(): void; end(): void } {
  let before = written();
  const timer = setTimeout(() => {
    const now = written();
    if (now === before) return onIdle();
    before = now;
    timer.refresh();
  }, idleMs);
  return { touch: () => { timer.refresh(); }, end: () => { clearTimeout(timer); } };
}

/** The reader gets the rest of the output before `ended` settles, unless it does not read, or has closed. */
async function unlessTooLate(taken: Promise<unknown>, closing: Promise<void>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([taken, closing, late]);
  clearTimeout(timer);
}

function whenTaken(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve();
    stream.on('error', () => undefined).once('close', () => { resolve(); });
  });
}
