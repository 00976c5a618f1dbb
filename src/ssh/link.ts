/**
 * One connection to an SSH server and why it ended. Whoever sees trouble first calls `end`: the first reason stays, what carries
 * the connection is destroyed, and everybody who waits is told. Never throws from an event, never leaves a socket behind
 * (`client.destroy()` of ssh2 may do nothing: ssh.md 2.4).
 */
import type { Duplex } from 'node:stream';
import { FleetmendError } from '../core/failure.js';
import type { Failure } from '../core/failure.js';

/** A TCP socket, a channel of a jump host, the pipes of a program. After `destroy` it always says `close`. */
export interface Carrier extends Duplex {
  /** Whether it keeps this process alive, as for sockets. */
  ref(): unknown;
  unref(): unknown;
  /** Whether what carries it is well. Never rejects. */
  probe?(): Promise<boolean>;
}

export interface Link {
  readonly socket: Carrier;
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
  /** Called once, within `end`, before anybody else sees an event of it. */
  whenEnded(listener: (reason: Failure) => void): void;
}

/** `ownReason`: what the carrier itself knows of its end; it beats the phases' answers. */
export function createLink(socket: Carrier, explainLoss: (reason: string) => Failure, ownReason: () => Failure | undefined = () => undefined): Link {
  let reason: Failure | undefined;
  const listeners: ((failure: Failure) => void)[] = [];
  const ended = new Promise<Failure>((resolve) => listeners.push(resolve));
  const end = (failure: Failure): void => {
    if (reason === undefined) {
      reason = failure;
      for (const listener of listeners.splice(0)) listener(failure);
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
    whenEnded(listener) {
      if (reason === undefined) listeners.push(listener);
      else listener(reason);
    },
  };
  const endUnexplained = (what: string): void => end(reason ?? ownReason() ?? link.explainLoss(what));
  // Registered before ssh2 gets the socket, so our explanation comes before the events that ssh2 makes of it.
  socket.on('error', (error: NodeJS.ErrnoException) => endUnexplained(error.code ?? 'socket error'));
  socket.on('end', () => endUnexplained('closed by the host'));
  socket.on('close', () => endUnexplained('connection closed'));
  return link;
}

/** Ends the link when the signal is aborted; the listener goes with the socket. */
export function endOnAbort(link: Link, signal: AbortSignal, interrupted: () => Failure): void {
  const onAbort = (): void => link.end(interrupted());
  signal.addEventListener('abort', onAbort, { once: true });
  link.socket.once('close', () => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
}
