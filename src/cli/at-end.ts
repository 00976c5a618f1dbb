/**
 * Ends what a command has open. What fails of it (a full disk: then the end of the process gives a run free) is said, and
 * never changes what the command has to say by its exit code.
 */
import { cleanText } from '../core/clean-text.js';
import { describeFailure, failureOf } from '../core/failure.js';
import { say } from './outlet.js';

export async function atEnd(...acts: readonly (() => Promise<void>)[]): Promise<void> {
  for (const act of acts) {
    try {
      await act();
    } catch (thrown) {
      say(`fleetmend: at the end: ${cleanText(describeFailure(failureOf(thrown)))}`);
    }
  }
}
