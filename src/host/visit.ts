/**
 * One shell on one host, from its start to its end: sends lines, gives back frames. Every wait has an
 * end; whatever goes wrong ends the visit for good. Knows nothing of what the lines mean.
 */
import { randomBytes } from 'node:crypto';
import { finished } from 'node:stream/promises';
import { failureOf, FleetmendError, type Failure } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { PasswordTrials } from '../core/password-trials.js';
import type { ShellEnd, ShellStream, Transport } from '../core/ports.js';
import { createMarkerFinder } from './find-marker.js';
import { createFrameParser } from './frame.js';
import type { Login } from './root-failures.js';
import { createRootStage, type RootStage } from './root-stage.js';
import { rootWay, startCommand, upLine } from './start-command.js';
import { boundedText, endedEarly, interrupted, noShell, shellEnded, unanswered } from './visit-failures.js';

const START_NOISE_LIMIT_BYTES = 256 * 1024;
/** Requests of ours write none; a profile of the login may write some, and sudo its lecture. */
const COMPLAINTS_LIMIT_BYTES = 1024 * 1024;
const LAST_OUTPUT_TIMEOUT_MS = 1_000;

export interface VisitOptions {
  readonly transport: Transport;
  readonly host: Host;
  /** The shell text of this visit. */
  readonly library: (nonce: string) => string;
  readonly startTimeoutMs: number;
  /** Of becoming root. */
  readonly password?: string | undefined;
  readonly trials: PasswordTrials;
  readonly signal: AbortSignal;
}

export interface Visit {
  readonly nonce: string;
  readonly hostKey: string;
  readonly login: Login;
  /** One request at a time; gives the answer's stream. Rejects with a FleetmendError, and so does every request after that. */
  exchange(line: (seq: number) => string, timeoutMs: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

interface Waiter {
  resolve(stream: Uint8Array | undefined): void;
  reject(error: FleetmendError): void;
}

/** Resolves when the shell is up. The library waits for the first request, so that no rc file can eat it. */
export async function openVisit({ transport, host, library, startTimeoutMs, password, trials, signal }: VisitOptions): Promise<Visit> {
  if (signal.aborted) throw new FleetmendError(interrupted());
  const nonce = randomBytes(16).toString('hex');
  const way = rootWay(host.become, host.becoming);
  const stream = await transport.open(host, startCommand(host.become, nonce, host.becoming), signal, way.terminal);
  const login = { host, user: stream.user ?? host.user ?? 'USER' };
  const parser = createFrameParser(nonce);
  const complaints = boundedText();
  const start = createMarkerFinder(`${upLine(nonce)}\n`, START_NOISE_LIMIT_BYTES);
  const noise = (): string => {
    const text = boundedText();
    text.add(start.before());
    return text.text();
  };
  let isUp = false;
  let complaintBytes = 0;
  let failure: Failure | undefined;
  let waiter: Waiter | undefined;
  let sent = 0;
  let answered = 0;

  const settle = (give: (one: Waiter) => void): void => {
    const one = waiter;
    waiter = undefined;
    if (one) give(one);
  };
  const fail = (why: Failure): void => {
    failure ??= why;
    const error = new FleetmendError(failure);
    root?.close();
    settle((one) => one.reject(error));
    void (async () => stream.close())().catch(() => undefined);
  };
  /** Nobody catches what a stream's or a timer's callback throws: it would end the process with every host in it. */
  const guarded = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      fail(failureOf(error));
    }
  };
  /** Stops the time of who waits; it starts anew. */
  let pause = (): (() => void) => () => undefined;
  let root = way.saysRoot ? createRootStage({ login, nonce, way, password, trials, fail, pause: () => pause(), send: (line) => guarded(() => void stream.stdin.write(line)) }) : undefined;
  const wait = (timeoutMs: number, late: () => Failure): Promise<Uint8Array | undefined> =>
    new Promise<Uint8Array | undefined>((resolve, reject) => {
      let timer: NodeJS.Timeout;
      const start = (): void => {
        timer = setTimeout(() => guarded(() => fail(late())), timeoutMs);
      };
      start();
      pause = () => {
        clearTimeout(timer);
        return () => { if (failure === undefined) start(); };
      };
      waiter = {
        resolve: (value) => { clearTimeout(timer); resolve(value); },
        reject: (error) => { clearTimeout(timer); reject(error); },
      };
      if (failure) fail(failure);
    });

  const onFrames = (chunk: Uint8Array): void => {
    for (const frame of parser.push(chunk)) {
      answered += 1;
      if (!waiter) throw new FleetmendError({ kind: 'protocol', summary: 'the node answered without being asked' });
      settle((one) => one.resolve(frame.stream));
    }
  };
  const onBytes = (chunk: Buffer): void => {
    if (failure) return;
    if (isUp) return root ? onRoot(chunk, root) : onFrames(chunk);
    const rest = start.push(chunk);
    if (rest === undefined) return;
    if (rest === 'tooMuch') return fail(noShell(login.user, 'the login shell prints without end', noise(), complaints.text()));
    isUp = true;
    root?.start();
    if (root) return onRoot(rest, root);
    settle((one) => one.resolve(undefined));
    onFrames(rest);
  };
  const onRoot = (chunk: Buffer, stage: RootStage): void => {
    const rest = stage.onOutput(chunk);
    if (!rest) return;
    root = undefined;
    settle((one) => one.resolve(undefined));
    onFrames(rest);
  };
  const onComplaint = (chunk: Buffer): void => {
    if (failure) return;
    complaints.add(chunk);
    root?.onComplaint(chunk);
    complaintBytes += chunk.length;
    if (complaintBytes > COMPLAINTS_LIMIT_BYTES) {
      fail({ kind: 'protocol', summary: 'the node writes errors without end', detail: complaints.text(), next: 'see what the login shell of this user prints' });
    }
  };
  const onEnd = (end: ShellEnd): void => {
    if (end.how === 'lost' && end.why) fail(end.why);
    else if (!isUp) fail(noShell(login.user, shellEnded(end), noise(), complaints.text()));
    else if (root) fail(root.whyNot(end));
    else fail(endedEarly(login, end, answered === 0, complaints.text()));
  };
  const onAbort = (): void => fail(interrupted());

  stream.stdin.on('error', () => undefined);
  stream.stderr.on('error', () => undefined);
  stream.stdout.on('error', () => undefined);
  stream.stderr.on('data', (chunk: Buffer) => guarded(() => onComplaint(chunk)));
  stream.stdout.on('data', (chunk: Buffer) => guarded(() => onBytes(chunk)));
  signal.addEventListener('abort', onAbort, { once: true });
  void endOf(stream).then(
    (end) => {
      signal.removeEventListener('abort', onAbort);
      guarded(() => onEnd(end));
    },
    (error: unknown) => fail(failureOf(error)),
  );
  if (signal.aborted) onAbort();
  await wait(startTimeoutMs, () => (!isUp || !root
    ? noShell(login.user, `no shell within ${Math.ceil(startTimeoutMs / 1000)} s`, noise(), complaints.text())
    : root.whyNot({ how: 'late', timeoutMs: startTimeoutMs })));

  return {
    nonce,
    login,
    hostKey: stream.hostKey,
    async exchange(line, timeoutMs) {
      const text = (sent === 0 ? library(nonce) : '') + line(sent + 1);
      sent += 1;
      const answer = wait(timeoutMs, () => unanswered(timeoutMs));
      if (!failure) guarded(() => void stream.stdin.write(text));
      return (await answer) ?? new Uint8Array(0);
    },
    async close() {
      failure ??= { kind: 'bug', summary: 'this session was closed' };
      await stream.close();
    },
  };
}

/** The end of the shell after its last output was read. */
async function endOf(stream: ShellStream): Promise<ShellEnd> {
  const end = await stream.ended;
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), LAST_OUTPUT_TIMEOUT_MS);
  await Promise.all([stream.stdout, stream.stderr].map((output) => finished(output, { signal: timeout.signal, cleanup: true }).catch(() => undefined)));
  clearTimeout(timer);
  return end;
}
