/** The interfaces through which the engine acts. Each is as small as its narrowest user needs. */
import type { Readable, Writable } from 'node:stream';
import type { Effect, EffectResult } from './effect.js';
import type { Failure } from './failure.js';
import type { Host } from './host.js';
import type { JournalEntry, RunEvent } from './journal.js';
import type { Answer, Query } from './query.js';
import type { CommandSpec, ControlAct } from './rollout.js';
import type { SecretRequest } from './secret.js';

/** How a remote shell ended. `lost`: no exit was reported, so nothing is known. */
export type ShellEnd =
  | { readonly how: 'exit'; readonly code: number }
  | { readonly how: 'signal'; readonly signal: string }
  /** `why`: where the transport knows more than that. */
  | { readonly how: 'lost'; readonly why?: Failure };

/** A duplex stream to a process on a host. Both outputs are always drained by the owner. */
export interface ShellStream {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles once, when the channel and the connection are gone; never rejects. */
  readonly ended: Promise<ShellEnd>;
  /** `SHA256:...` of the key the server proved. */
  readonly hostKey: string;
  /** Of the login; absent where the transport does not know. */
  readonly user?: string;
  /** Ends the connection whatever the peer does; settles when the socket is closed. Safe to call twice. */
  close(): Promise<void>;
}

export interface Transport {
  /**
   * Starts `command` (plain words that every login shell understands); with `pty` on a terminal, where both outputs are one.
   * Rejects with a FleetmendError of an unreachable kind.
   */
  open(host: Host, command: string, signal: AbortSignal, terminal?: 'pty'): Promise<ShellStream>;
}

/** Passwords and passphrases of the controller's side. */
export interface Secrets {
  /** The same answer for the same request within a run; never in a text or an error. Rejects with FleetmendError (authentication) when there is none. */
  read(request: SecretRequest, signal: AbortSignal): Promise<string>;
}

/** What the engine may ask of a node it may not change. */
export interface ReadSession {
  /** Answers in the order asked, one round trip. Rejects with FleetmendError when the connection is lost or lies. */
  ask(queries: readonly Query[]): Promise<Answer[]>;
  readonly hostKey: string;
  close(): Promise<void>;
}

export interface WriteSession extends ReadSession {
  perform(effect: Effect): Promise<EffectResult>;
}

/** Opens visits. A read visit gets a shell that was never taught how to write. */
export interface Connector {
  openToRead(host: Host, signal: AbortSignal): Promise<ReadSession>;
  openToWrite(host: Host, signal: AbortSignal): Promise<WriteSession>;
}

export interface Journal {
  /** Resolves when the entry is durable; rejects when (run, host, seq) is already taken. */
  append(entry: JournalEntry): Promise<void>;
  read(run: string): Promise<JournalEntry[]>;
  close(): Promise<void>;
}

/** A reader of the stream. Never throws, never blocks the run. */
export interface Reporter {
  on(event: RunEvent): void;
  /** Settles when everything was shown, or at once when nobody can look any more. */
  close(): Promise<void>;
}

export interface Clock {
  now(): Date;
  /** Milliseconds that never go back. */
  monotonicMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Something a person asked of a rollout under way. `answer` says back what came of it; called once. */
export interface ControlRequest {
  /** `alice@laptop`. */
  readonly by: string;
  readonly act: ControlAct;
  answer(accepted: boolean, text: string): void;
}

/** Where requests come from: the keyboard, another terminal. */
export interface Controls {
  /** Until the returned function is called. */
  listen(take: (request: ControlRequest) => void): () => void;
}

/** How a program on the controller ended. `output`: the last lines of both its outputs, clean. */
export interface CommandEnd {
  readonly code: number | 'timeout' | 'notStarted' | 'stopped';
  readonly output: string;
}

/** Runs programs on the controller. Never a shell line; ends the whole process group when time is up. Never rejects. */
export interface CommandRunner {
  run(command: CommandSpec, facts: unknown, signal: AbortSignal): Promise<CommandEnd>;
}

export interface InventorySource {
  /** All hosts of a reference such as a file path; throws FleetmendError (badInput) naming every error of the file. */
  load(reference: string, said?: SaidOfHosts): Promise<Host[]>;
}

/** What is said of all hosts beside an inventory, before jumps that are its hosts are joined: so it holds for them too. */
export interface SaidOfHosts {
  with(host: Host): Host;
  /** Instead of the ways that the inventory says. A host that is part of this one keeps its own. */
  readonly proxyJump?: readonly string[] | 'none';
}
