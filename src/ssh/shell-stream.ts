/**
 * One command on a logged-in connection as a ShellStream. The exit status is known only from the server's exit message;
 * a channel that just closes is lost (ssh.md 2.4). Whatever the peer or the reader does, `close` ends.
 */
import { PassThrough, Writable } from 'node:stream';
import type { Readable } from 'node:stream';
import type { Client, ClientChannel } from './ssh2.js';
import { FleetmendError } from '../core/failure.js';
import type { Hop } from './route.js';
import type { ShellEnd, ShellStream } from '../core/ports.js';
import { cutText } from '../core/clean-text.js';
import { createSwitch } from '../core/switch.js';
import { channelRefusedFailure, connectionLostFailure, quotePeer } from './failures.js';
import type { Link } from './link.js';
import { wakeChannel } from './ssh2-internals.js';

export interface ShellTimes {
  /** For the answer to the request to start the command. */
  readonly openMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** From the command's exit and its last output to giving up on a child that keeps the output open (ssh.md 2.5). */
  readonly exitGraceMs: number;
  /** For the peer to end the connection, and for the reader to take the rest of the output. */
  readonly closeGraceMs: number;
}

/** Rejects with FleetmendError (channelRefused, or why the link ended); the link has ended then. */
export async function openShell(link: Link, client: Client, host: Hop, command: string, hostKey: string, times: ShellTimes, terminal?: 'pty'): Promise<ShellStream> {
  const explainLater = link.explainLoss;
  link.explainLoss = (reason) => channelRefusedFailure(host, reason);
  const refuse = (reason: string): void => link.end(channelRefusedFailure(host, reason));
  const timer = setTimeout(() => refuse(`no answer within ${times.openMs} ms`), times.openMs);
  const opened = new Promise<ShellStream>((resolve) => {
    try {
      client.exec(command, terminal ? { pty: { term: 'dumb' } } : {}, (error, channel) => {
        if (error) return refuse(error.message);
        // Now, not after the promise: the exit may be in the same packet.
        resolve(shellStreamOf(channel, link, client, host, hostKey, times));
      });
    } catch (error) {
      refuse(error instanceof Error ? error.message : 'ssh2 refused the command');
    }
  });
  try {
    const stream = await link.guard(opened);
    link.explainLoss = explainLater;
    return stream;
  } finally {
    clearTimeout(timer);
  }
}

function shellStreamOf(channel: ClientChannel, link: Link, client: Client, host: Hop, hostKey: string, times: ShellTimes): ShellStream {
  let end: ShellEnd = { how: 'lost' };
  let leaving = false;
  let exitTimer: NodeJS.Timeout | undefined;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const closing = createSwitch();
  const idleTimer = setTimeout(() => link.end(connectionLostFailure(host, `nothing sent or received for ${times.idleMs} ms`)), times.idleMs);
  const touch = (): void => {
    idleTimer.refresh();
    exitTimer?.refresh();
  };
  const stdin = stdinOf(channel, touch);

  const leave = (): void => {
    if (leaving || link.reason !== undefined) return;
    leaving = true;
    if (link.socket.writable) client.end();
    const timer = setTimeout(() => link.end(connectionLostFailure(host, 'closed from here')), times.closeGraceMs);
    void link.closed.then(() => clearTimeout(timer));
  };
  const leaveUnlessUnread = (): void => {
    if (stdout.writableNeedDrain || stderr.writableNeedDrain) exitTimer?.refresh();
    else leave();
  };

  for (const source of [channel, channel.stderr]) {
    source.on('error', () => undefined);
    source.on('data', () => {
      touch();
      setImmediate(() => wakeChannel(channel));
    });
  }
  channel.pipe(stdout);
  channel.stderr.pipe(stderr);
  channel.on('exit', (code: number | null, signal?: string) => {
    end = code === null ? { how: 'signal', signal: cutText(quotePeer(signal ?? 'unknown'), 64) } : { how: 'exit', code };
    clearTimeout(exitTimer); // a server may say it a million times
    exitTimer = setTimeout(leaveUnlessUnread, times.exitGraceMs);
  });
  channel.on('close', leave);

  const taken = Promise.all([whenGone(stdout), whenGone(stderr)]);
  const ended = link.closed.then(async (): Promise<ShellEnd> => {
    clearTimeout(idleTimer);
    clearTimeout(exitTimer);
    stdin.destroy(leaving ? undefined : new FleetmendError(link.reason ?? connectionLostFailure(host, 'connection closed')));
    await unlessTooLate(taken, closing.on, times.closeGraceMs);
    // A server on the way that was lost is the same news for all hosts behind it; what a server did that none may do is news too.
    return end.how === 'lost' && (link.reason?.kind === 'jumpHost' || link.reason?.kind === 'protocol') ? { how: 'lost', why: link.reason } : end;
  });
  return {
    stdin, stdout, stderr, ended, hostKey, user: host.user,
    async close() {
      closing.set();
      leave();
      await link.closed;
    },
  };
}

/** The reader gets the rest of the output before `ended` settles, unless it does not read, or has closed. */
async function unlessTooLate(taken: Promise<unknown>, closing: Promise<void>, graceMs: number): Promise<void> {
  // A plain timer: one that is aborted costs every host an error with its stack.
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([taken, closing, late]);
  clearTimeout(timer);
}

/** A write that the peer never takes fails when the connection ends; ssh2 alone would never answer it. */
function stdinOf(channel: ClientChannel, touch: () => void): Writable {
  let answer: ((error?: Error | null) => void) | undefined;
  const settle = (error?: Error | null): void => {
    const pending = answer;
    answer = undefined;
    pending?.(error);
  };
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      touch();
      answer = done;
      channel.write(chunk, settle);
    },
    final(done) {
      answer = done;
      channel.end(() => settle());
    },
    destroy(error, done) {
      settle(error ?? new Error('the stream was closed'));
      done(error);
    },
  });
  return stdin.on('error', () => undefined);
}

function whenGone(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.on('error', () => undefined).once('close', () => resolve()));
}
