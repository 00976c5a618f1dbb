/** The lines of the bad-input error that a call throws; none when it does not throw. Any other error is thrown on. */
import { FleetmendError } from '../../src/core/failure.js';

export function errorsOf(call: () => unknown): string[] {
  try {
    call();
    return [];
  } catch (thrown) {
    return linesOf(thrown);
  }
}

export function linesOf(thrown: unknown): string[] {
  if (!(thrown instanceof FleetmendError) || thrown.failure.kind !== 'badInput') throw thrown;
  return (thrown.failure.detail ?? thrown.failure.summary).split('\n');
}
