/** What the commands that reach hosts have in common: a run id, a view, and Ctrl-C. Decides nothing about hosts. */
import type { RunEvent, Stage } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';
import { redactEvent } from '../core/redact-value.js';
import type { SurveyPorts } from '../engine/survey-fleet.js';
import type { Fleet } from './compose.js';
import { CATALOGUE, composeReporter, newRunId } from './compose.js';
import type { Interrupts } from './interrupts.js';
import { listenForInterrupts } from './interrupts.js';
import type { FleetArguments } from './options.js';
import { learnSecrets, say, secretsToHide } from './outlet.js';
import { systemClock } from './system-clock.js';

export interface Session {
  readonly run: string;
  readonly fleet: Fleet;
  readonly interrupts: Interrupts;
  readonly output: FleetArguments['output'];
  /** Shown for one stage at a time: on a terminal a prompt may stand between two stages. */
  stage<T>(stage: Stage, hosts: readonly string[], work: (emit: (event: RunEvent) => void) => Promise<T>): Promise<T>;
  /** Beside the results, and where the live view is not disturbed. */
  readonly say: (text: string) => void;
  ports(emit: (event: RunEvent) => void, evidence?: SurveyPorts['evidence']): SurveyPorts;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly output: FleetArguments['output'];
  /** Of a run that is taken up again. Absent: a new one. */
  readonly run?: string;
  /** What goes on after an interrupt, word for word; asked when it comes, nothing while there is nothing to go on with. */
  readonly resume?: (run: string) => string | undefined;
}

export function startSession(fleet: Fleet, options: SessionOptions): Session {
  const run = options.run ?? newRunId(systemClock.now());
  learnSecrets(fleet.playbook.secrets);
  const { output } = options;
  let stream: Reporter | undefined;
  let view: ((event: RunEvent) => void) | undefined;
  const tell = (text: string): void => {
    if (view === undefined || output !== 'text') say(text);
    else view({ event: 'said', run, text, at: now() });
  };
  const interrupts = listenForInterrupts(tell, () => options.resume?.(run));
  return {
    run, fleet, interrupts, output, say: tell,
    stage: async (stage, hosts, work) => {
      const reporter = output === 'ndjson' ? (stream ??= composeReporter('ndjson')) : composeReporter(output);
      const show = (event: RunEvent): void => { reporter.on(redactEvent(event, secretsToHide())); };
      show({ event: 'stageStarted', run, stage, playbook: fleet.playbook.name, hosts, at: now() });
      view = show;
      try {
        return await work(show);
      } finally {
        view = undefined;
        show({ event: 'stageFinished', run, stage, at: now() });
        if (reporter !== stream) await reporter.close();
      }
    },
    ports: (emit, evidence = 'drop') => ({
      run, emit, evidence, connector: fleet.connector, playbook: fleet.playbook, catalogue: CATALOGUE, clock: systemClock,
      concurrency: fleet.concurrency, drain: interrupts.drain, signal: interrupts.stop,
    }),
    close: async () => {
      interrupts.dispose();
      await stream?.close();
    },
  };
}

function now(): string {
  return systemClock.now().toISOString();
}
