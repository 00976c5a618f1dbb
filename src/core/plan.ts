/** What will be done to one host, as data: it can be shown, compared, saved and performed. Never performs anything. */
import type { Check } from './check.js';
import type { Disruption } from './disruption.js';
import type { Activation, Edit } from './effect.js';
import type { Failure } from './failure.js';
import type { Finding } from './finding.js';
import type { Observed } from './observed.js';

export type PlannedStep =
  | { readonly id: string; readonly title: string; readonly phase: 'change'; readonly edit: Edit; readonly diff: string }
  | {
      readonly id: string;
      readonly title: string;
      readonly phase: 'activate';
      readonly activation: Activation;
      /** Looked at right before the activation; when it fails, the activation is not performed. */
      readonly before?: Check;
      /** Ids of change steps after whose undo this activation is due, even if it was never reached itself. */
      readonly afterUndoOf: readonly string[];
    }
  | { readonly id: string; readonly title: string; readonly phase: 'verify'; readonly check: Check };

/** What held before anything was touched, and must hold again after an undo. */
export interface Baseline {
  readonly invocationId: string;
  readonly health: Extract<Check, { check: 'healthy' }>;
}

/** The node restores itself unless it hears, within `deadlineMs` of the first change, that all is well. */
export interface PlannedGuard {
  readonly deadlineMs: number;
}

export interface HostPlan {
  readonly host: string;
  readonly finding: Finding;
  /** This host must not be touched, and why. */
  readonly refusal?: Failure;
  /** Empty when there is nothing to do or the host is refused. */
  readonly steps: readonly PlannedStep[];
  readonly baseline?: Baseline;
  /** Absent: this plan asks for no guard. */
  readonly guard?: PlannedGuard;
  /** What doing it interrupts; absent when there is nothing to do. */
  readonly disruption?: Disruption;
  /** What all of this rests on; compared again at the moment of writing. */
  readonly observed?: Observed;
  /** What an operator should know: what a restart interrupts, what will not last, what was left alone and why. */
  readonly notes: readonly string[];
}
