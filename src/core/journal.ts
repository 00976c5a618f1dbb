/**
 * The entries of a run: at once the journal, the screen and the report. An entry `began` is durable
 * before its effect. This file only says what entries are; fold.ts says what they mean.
 */
import type { Failure } from './failure.js';
import type { Verdict } from './finding.js';
import type { HostPlan } from './plan.js';
import type { RunFact } from './rollout.js';
import { WHOLE_RUN } from './rollout.js';

export type Outcome = 'compliant' | 'changed' | 'restored' | 'stuck' | 'unreachable' | 'refused' | 'skipped';

/** Outcomes with which a host can be taken up again. */
export const OPEN_OUTCOMES: readonly Outcome[] = ['stuck', 'skipped', 'unreachable'];

export const OUTCOMES: readonly Outcome[] = ['compliant', 'changed', 'restored', 'stuck', 'unreachable', 'refused', 'skipped'];

/** One shape for all of a host's acts; `step` is a PlannedStep id. */
export type HostFact =
  | { readonly type: 'planned'; readonly plan: HostPlan }
  | { readonly type: 'began'; readonly step: string }
  | { readonly type: 'done'; readonly step: string; readonly detail?: string }
  /** `effect: 'none'` means it is proved that the step changed nothing. */
  | { readonly type: 'failed'; readonly step: string; readonly effect: 'none' | 'unknown'; readonly failure: Failure }
  /** `already`: somebody (the guard) had put it back before. */
  | { readonly type: 'undone'; readonly step: string; readonly happened: 'now' | 'already' }
  | { readonly type: 'undoFailed'; readonly step: string; readonly failure: Failure }
  | { readonly type: 'reactivated'; readonly step: string }
  | { readonly type: 'reactivateFailed'; readonly step: string; readonly failure: Failure }
  | { readonly type: 'proved'; readonly ok: true; readonly detail: string }
  | { readonly type: 'proved'; readonly ok: false; readonly failure: Failure }
  /** Somebody else, or a boot, started this unit since: it may have read our files, so the way back starts it once more. */
  | { readonly type: 'otherLife'; readonly unit: string }
  /** The guard on the node is armed; it fires `deadlineMs` later. */
  | { readonly type: 'armed'; readonly deadlineMs: number }
  /** `unknown`: it may be armed all the same. */
  | { readonly type: 'armFailed'; readonly effect: 'none' | 'unknown'; readonly failure: Failure }
  /** Found at the next contact. `ok`: it restored and activated everything. */
  | { readonly type: 'guardFired'; readonly ok: boolean; readonly detail: string }
  | { readonly type: 'disarmed' }
  /** The guard is left armed: nobody could tell it that all is well. */
  | { readonly type: 'disarmFailed'; readonly failure: Failure }
  /** Another process takes this host up again, from where the journal left it. `by`: `alice@laptop`. */
  | { readonly type: 'resumed'; readonly by: string }
  /** A host that was changed and proved could not be looked at again, or not be brought back: nobody knows that it is well. */
  | { readonly type: 'doubted'; readonly failure: Failure }
  /** A host that was changed and proved is no longer well: it is brought back. */
  | { readonly type: 'notWell'; readonly failure: Failure }
  /** A person wants the old state back. `foreign`: what to do with a file that others changed since. */
  | { readonly type: 'undoAsked'; readonly by: string; readonly foreign: 'refuse' | 'save' }
  /** The saved copies are about to be removed from the node: from here on there is no undo. */
  | { readonly type: 'cleanAsked'; readonly by: string }
  | { readonly type: 'cleaned' }
  | { readonly type: 'finished'; readonly outcome: Outcome; readonly failure?: Failure };

/** `seq` counts from 1 per (run, host) and can be taken once. `at` is ISO 8601, UTC. */
interface Place {
  readonly run: string;
  readonly seq: number;
  readonly at: string;
}
export type HostEntry = HostFact & Place & { readonly host: string };
export type RunEntry = RunFact & Place & { readonly host: typeof WHOLE_RUN };
export type JournalEntry = HostEntry | RunEntry;

export function isRunEntry(entry: JournalEntry): entry is RunEntry {
  return entry.host === WHOLE_RUN;
}

export function isHostEntry(entry: JournalEntry): entry is HostEntry {
  return entry.host !== WHOLE_RUN;
}

/** Where a host is, for the screen only: not durable, may be dropped. */
export type HostPhase =
  | 'waiting' | 'connecting' | 'auditing' | 'planning' | 'guarding' | 'changing' | 'activating' | 'verifying' | 'confirming' | 'undoing' | 'proving'
  | 'cleaning';

/** The stages of a command: looking at all hosts, and changing those that need it. */
export type Stage = 'audit' | 'plan' | 'apply' | 'resume' | 'undo' | 'clean' | 'unlock';

export type RunEvent =
  | { readonly event: 'stageStarted'; readonly run: string; readonly stage: Stage; readonly playbook: string; readonly hosts: readonly string[]; readonly at: string }
  | { readonly event: 'progress'; readonly run: string; readonly host: string; readonly phase: HostPhase; readonly text: string; readonly at: string }
  /** One host was looked at (stages audit and plan). */
  | {
      readonly event: 'surveyed';
      readonly run: string;
      readonly host: string;
      readonly verdict?: Verdict;
      readonly summary: string;
      readonly failure?: Failure;
      readonly at: string;
    }
  /** A durable fact of one host or of the whole run. */
  | { readonly event: 'entry'; readonly entry: JournalEntry }
  /** Where a rollout stands, for the screen only. `text` is one line for people. */
  | {
      readonly event: 'rollout';
      readonly run: string;
      readonly wave: number;
      readonly of: number;
      readonly within: number;
      /** In a canary, whose hosts go one after the other: hosts at once after it, which is what a person changes. */
      readonly withinLater?: number;
      readonly paused: boolean;
      readonly text: string;
      readonly at: string;
    }
  /** What the keyboard has to say back to the person at it; an empty text takes it away. */
  | { readonly event: 'prompt'; readonly run: string; readonly text: string; readonly at: string }
  /** Words for people that stay; they go through the view because it alone knows where they do not disturb what it draws. */
  | { readonly event: 'said'; readonly run: string; readonly text: string; readonly at: string }
  | { readonly event: 'stageFinished'; readonly run: string; readonly stage: Stage; readonly at: string };
