/**
 * What a run keeps beside its journal, so that it can be continued, undone or told of on any machine that has the run's
 * folder: the playbook's own text, the hosts, what was shown, and how they are reached. For its owner
 * alone: it holds the values of `--set`, secret parameters too, and the playbook as it is.
 */
import type { Digest } from './bytes.js';
import type { Host } from './host.js';

export interface RunRecord {
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  /** `alice@laptop`. */
  readonly by: string;
  readonly playbook: {
    readonly name: string;
    /** In full: for messages, and to see whether it was changed since. */
    readonly file: string;
    readonly text: string;
    /** Of `--set`. */
    readonly settings: Readonly<Record<string, string>>;
    /** Of `--guard none`. */
    readonly guard?: 'none';
    /** What the command line said of the rollout, as typed: by name of the option. */
    readonly rollout?: Readonly<Record<string, string>>;
    /** Names that the playbook hides (its `redact`, in their normal form), for a reader that cannot load its text. */
    readonly redact?: readonly string[];
  };
  /** Absent in runs of earlier versions. */
  readonly plan?: ShownPlan;
  readonly hosts: readonly Host[];
  readonly connection: ConnectionChoices;
}

/** Which plan a run does, and who said yes to it. */
export interface ShownPlan {
  readonly digest: Digest;
  /** A saved plan: the file, in full. */
  readonly file?: string;
  /** `alice@laptop`. Absent: nobody was asked (`--yes`, or nothing to change). */
  readonly approvedBy?: string;
  /** ISO 8601, UTC. */
  readonly approvedAt?: string;
}

/** What the command line said of connections; `resume` and `undo` start from it. */
export interface ConnectionChoices {
  /** Absent: what ssh_config says of each host, else strict. */
  readonly hostKeys?: 'strict' | 'accept-new';
  readonly knownHosts?: readonly string[];
  readonly identityFile?: string;
  readonly concurrency: number;
  /** Absent: the default. */
  readonly startsPerSecond?: number;
}
