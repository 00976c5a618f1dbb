/**
 * What a run keeps beside its journal, so that it can be continued, undone or told of on any machine that has the run's
 * folder: the playbook's own text, the hosts, what was shown, and how they are reached. Never holds a secret.
 */
import type { Host } from './host.js';

export interface RunRecord {
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** `alice@laptop`. */
  readonly by: string;
  readonly playbook: {
    readonly name: string;
    /** As it was named; only for messages. */
    readonly file: string;
    readonly text: string;
    /** Of `--set`. */
    readonly settings: Readonly<Record<string, string>>;
    /** Of `--guard none`. */
    readonly guard?: 'none';
  };
  readonly hosts: readonly Host[];
  readonly connection: ConnectionChoices;
}

/** What the command line said of connections; `resume` and `undo` start from it. */
export interface ConnectionChoices {
  readonly hostKeys: 'strict' | 'accept-new';
  readonly knownHosts?: readonly string[];
  readonly identityFile?: string;
  readonly concurrency: number;
}
