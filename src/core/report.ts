/** From the state of each host to the result of the run: counts, reasons, exit code (design.md 7). Pure. */
import type { Failure, FailureKind } from './failure.js';
import { UNREACHABLE_KINDS } from './failure.js';
import type { Finding } from './finding.js';
import type { Outcome } from './journal.js';
import type { OnStop, StopReason } from './rollout.js';

/** The outcome of a host that was never touched, from why it was not. */
export function outcomeUntouched(failure: Failure): Outcome {
  if (failure.kind === 'interrupted') return 'skipped';
  const lost: readonly FailureKind[] = ['connectionLost', 'timeout'];
  return UNREACHABLE_KINDS.includes(failure.kind) || lost.includes(failure.kind) ? 'unreachable' : 'refused';
}

/** How one host ended. */
export interface HostResult {
  readonly host: string;
  readonly outcome: Outcome;
  readonly failure?: Failure;
  readonly finding?: Finding;
  /** A person asked for its old state. */
  readonly undone?: true;
}

export const EXIT = { fine: 0, usage: 1, failed: 2, stuck: 3, found: 4, interrupted: 130 } as const;

/** 3 beats 130: a person must look whatever else happened. */
export function applyExitCode(results: readonly HostResult[], interrupted: boolean): number {
  if (results.some(needsPerson)) return EXIT.stuck;
  if (interrupted) return EXIT.interrupted;
  return results.every((result) => isFine(result) || wasUndone(result)) ? EXIT.fine : EXIT.failed;
}

/** A changed host with a failure that is no interrupt could not be looked at again at a gate, or was to be brought back and was not: nobody knows how it is. */
function needsPerson({ outcome, failure }: HostResult): boolean {
  return outcome === 'stuck' || (outcome === 'changed' && failure !== undefined && failure.kind !== 'interrupted');
}

function isFine({ outcome, failure }: HostResult): boolean {
  return outcome === 'compliant' || (outcome === 'changed' && failure === undefined);
}

/** A run that was stopped is not fine, whatever its hosts say: something of it was not done, or was taken back. */
export function rolloutExitCode(code: number, stop: { readonly reason: StopReason; readonly then: OnStop } | undefined, complaints: number): number {
  if (code !== EXIT.fine && code !== EXIT.failed) return code;
  if (stop?.reason === 'person' && stop.then === 'halt') return EXIT.interrupted;
  return stop === undefined && complaints === 0 ? code : EXIT.failed;
}

/** Brought back because a person wanted it. */
function wasUndone({ outcome, undone }: HostResult): boolean {
  return outcome === 'restored' && undone === true;
}

/** An undo is fine when everything that was asked back is back; hosts that there was nothing to do on have no failure. */
export function undoExitCode(results: readonly HostResult[], interrupted: boolean): number {
  if (results.some((result) => result.outcome === 'stuck')) return EXIT.stuck;
  if (interrupted) return EXIT.interrupted;
  return results.every((result) => result.outcome === 'restored' || result.failure === undefined) ? EXIT.fine : EXIT.failed;
}

/** What an audit or a plan found of one host. */
export type SurveyResult = { readonly host: string } & (
  | { readonly finding: Finding; readonly failure?: undefined }
  | { readonly finding?: undefined; readonly failure: Failure }
);

/** Audit and plan: a host that could not be judged is not fine, but a finding is the louder news. */
export function surveyExitCode(results: readonly SurveyResult[], interrupted: boolean): number {
  if (interrupted) return EXIT.interrupted;
  if (results.some((result) => result.finding?.verdict === 'fail')) return EXIT.found;
  return results.every((result) => result.finding?.verdict === 'pass') ? EXIT.fine : EXIT.failed;
}

export function countBy<T, K extends string>(items: readonly T[], key: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}
