/**
 * What an error that nobody caught means: whatever is under way is stopped, as by a second Ctrl-C, and the exit code is never that of a
 * command that touched nothing once a run has begun. Ends the process itself only where it does not end in time.
 */
import { AsyncResource } from 'node:async_hooks';
import { cleanText } from '../core/clean-text.js';
import { describeFailure, failureOf } from '../core/failure.js';
import { EXIT } from '../core/report.js';

export interface CrashPorts {
  readonly say: (text: string) => void;
  /** What goes on with the run, if one has begun. */
  readonly resume: () => string | undefined;
  readonly stop: () => void;
  /** For the end after `stop`. Default 10 000. */
  readonly graceMs?: number;
}

/** Returns how to leave off. */
export function listenForCrash({ say, resume, stop, graceMs = 10_000 }: CrashPorts): () => void {
  // In the context of the command: that knows which secrets to hide.
  const onCrash = AsyncResource.bind((thrown: unknown): void => {
    const command = resume();
    const code = command === undefined ? EXIT.usage : EXIT.stuck;
    const { detail, ...failure } = failureOf(thrown);
    say(cleanText([`fleetmend: internal error: ${describeFailure(failure)}`, ...(detail === undefined ? [] : [detail])].join('\n')));
    say(cleanText(`fleetmend: ${command === undefined ? 'no run has begun' : `hosts may be in the middle; resume: ${command}`}`));
    // Whatever the command itself says in the end.
    process.once('exit', () => { process.exitCode = code; });
    setTimeout(() => { process.exit(code); }, graceMs).unref();
    stop();
  });
  process.on('uncaughtException', onCrash);
  return () => { process.off('uncaughtException', onCrash); };
}
