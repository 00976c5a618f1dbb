/**
 * One TCP connection and why it ended. Whoever sees trouble first calls `end`: the first reason stays, the socket is
 * destroyed, and everybody who waits is told. Never throws from an event, never leaves a socket behind
 * (`client.destroy()` of ssh2 may do nothing: ssh.md 2.4).
 */
import type { Socket } from 'node:net';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';

export interface Link {
  readonly socket: Socket;
  /** Settles when the socket is gone; never rejects. */
  readonly closed: Promise<void>;
  /** Records the reason, unless there is one already, and destroys the socket. */
  end(reason: Failure): void;
  /** Why it ended. */
  readonly reason: Failure | undefined;
  /** Says what an unexplained end means; each phase of the connection has its own answer. */
  explainLoss: (reason: string) => Failure;
  /** Settles like `work`, but rejects as soon as the connection has ended. */
  guard<T>(work: Promise<T>): Promise<T>;
}

export function createLink(socket: Socket, explainLoss: (reason: string) => Failure): Link {
  let reason: Failure | undefined;
  let announce: (failure: Failure) => void = () => undefined;
  const ended = new Promise<Failure>((resolve) => {
    announce = resolve;
  });
  const end = (failure: Failure): void => {
    if (reason === undefined) {
      reason = failure;
      announce(failure);
    }
    socket.destroy();
  };
  const link: Link = {
    socket,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    end,
    get reason() {
      return reason;
    },
    explainLoss,
    guard: (work) => Promise.race([work, ended.then((failure) => Promise.reject(new FleetmendError(failure)))]),
  };
  // Registered before ssh2 gets the socket, so our explanation comes before the events that ssh2 makes of it.
  socket.on('error', (error: NodeJS.ErrnoException) => end(link.explainLoss(error.code ?? 'socket error')));
  socket.on('end', () => end(link.explainLoss('closed by the host')));
  socket.on('close', () => end(link.explainLoss('connection closed')));
  return link;
}

/** Ends the link when the signal is aborted; the listener goes with the socket. */
export function endOnAbort(link: Link, signal: AbortSignal, interrupted: () => Failure): void {
  const onAbort = (): void => link.end(interrupted());
  signal.addEventListener('abort', onAbort, { once: true });
  link.socket.once('close', () => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
}
