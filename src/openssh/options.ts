/** What the transport over the `ssh` program is told once, for all hosts. Types only. */

export interface OpenSshOptions {
  /** Of every `ssh` and of what it starts. Whoever hands it in has taken the variables out that hold secrets of fleetmend. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default strict, whatever ssh_config says: a person's `StrictHostKeyChecking no` is never obeyed. */
  readonly hostKeys?: 'strict' | 'acceptNew';
  /** Absolute paths that replace those of ssh_config; the first one learns. */
  readonly knownHostsFiles?: readonly string[];
  /** Default `ssh`, looked up in PATH of `environment`. */
  readonly program?: string;
  /** From the start of `ssh` to the start of the command. Default 60 000: jump hosts and ConnectTimeout are in it. */
  readonly openTimeoutMs?: number;
  /** Without a byte of the command's input or output. Default 300 000. */
  readonly idleTimeoutMs?: number;
  /** After the command's exit, for a child that keeps its output open. Default 3 000. */
  readonly exitGraceMs?: number;
  /** For `ssh` to end after it was asked to, and for the reader to take the rest. Default 1 000. */
  readonly closeGraceMs?: number;
}
