/**
 * Writes one host's facts down, durable first, shown second, and keeps the state they fold to. When
 * the journal fails it says so once and goes on in memory, so that a touched node can still be brought back.
 */
import type { Failure } from '../core/failure.js';
import type { HostState } from '../core/fold.js';
import { NEW_HOST, advance } from '../core/fold.js';
import type { HostFact, HostPhase, RunEvent } from '../core/journal.js';
import type { Clock, Journal } from '../core/ports.js';
import { createDurableAppend } from './durable-append.js';

export interface Recorder {
  state(): HostState;
  /** Resolves when the fact is durable, or with the reason why it is not. Rejects when another process took this place. */
  record(fact: HostFact): Promise<Failure | undefined>;
  /** For the screen only. */
  say(phase: HostPhase, text: string): void;
}

export interface RecorderPorts {
  readonly run: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
}

/** `before`: where the journal left this host. */
export function createRecorder(host: string, ports: RecorderPorts, before: HostState = NEW_HOST): Recorder {
  let state = before;
  const append = createDurableAppend(ports.journal);
  return {
    state: () => state,
    record: async (fact) => {
      const entry = { ...fact, run: ports.run, host, seq: state.entries + 1, at: ports.clock.now().toISOString() };
      const undurable = await append(entry);
      state = advance(state, fact);
      ports.emit({ event: 'entry', entry });
      return undurable;
    },
    say: (phase, text) => {
      ports.emit({ event: 'progress', run: ports.run, host, phase, text, at: ports.clock.now().toISOString() });
    },
  };
}
