/** What carries out a rollout is given, and what it gives back. Types only. */
import type { Failure } from '../core/failure.js';
import type { RunEvent } from '../core/journal.js';
import type { Clock, Controls } from '../core/ports.js';
import type { HostResult } from '../core/report.js';
import type { RolloutPlan } from '../core/rollout.js';
import type { RolloutPast, Stop } from '../rollout/rollout-state.js';
import type { RolloutCommandPorts } from './rollout-commands.js';

/** What a rollout does to hosts. Nothing of it rejects. */
export interface RolloutWork {
  /** `mayBegin` is asked once more right before the host is touched: its hook may take long. */
  begin(host: string, mayBegin: () => boolean): Promise<HostResult>;
  /** Gives an outcome to hosts that are not begun. */
  leaveOut(hosts: readonly string[], why: Failure): Promise<readonly HostResult[]>;
  /** Looks at changed hosts again and brings back those that are no longer well: the new results of all that are not, or only now again, as they were proved. */
  check(hosts: readonly string[], atOnce: number): Promise<readonly HostResult[]>;
  /** Brings changed hosts back. */
  undo(hosts: readonly string[], atOnce: number): Promise<readonly HostResult[]>;
}

export interface RolloutPorts extends RolloutCommandPorts {
  readonly clock: Clock;
  readonly controls: Controls;
  readonly emit: (event: RunEvent) => void;
  /** `alice@laptop`. */
  readonly by: string;
  /** Aborted: no new host is begun. */
  readonly drain: AbortSignal;
}

export interface RolloutStart {
  readonly plan: RolloutPlan;
  /** Hosts that count against the budget before anything is begun. */
  readonly failedBefore: readonly string[];
  readonly past: RolloutPast;
  /** Hosts that an earlier process of this run changed. */
  readonly changedBefore: ReadonlySet<string>;
}

export interface RolloutEnd {
  readonly results: ReadonlyMap<string, HostResult>;
  readonly stop?: Stop;
  /** Of hooks and gates. */
  readonly complaints: readonly Failure[];
}
