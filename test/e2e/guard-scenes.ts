/** Scenes that run side by side on one stage, one node or a few each, so that their waits overlap. Judges nothing. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalEntry } from '../../src/core/journal.js';
import type { Ended, Started } from './fleetmend.js';
import { entriesOf } from './fleetmend.js';
import { monotonicMs } from './guard-truth.js';

export const BEGAN = {
  restart: /"phase":"activating"[^\n]*restart/,
  watch: /"type":"began","step":"\d+-healthy"/,
  audit: /"type":"began","step":"[^"]*[aA]udit[^"]*"/,
} as const;

/** The name of the run, from any line of its stream. */
export function runOf(output: string): string {
  const run = /"run":"([^"]+)"/.exec(output)?.[1];
  if (run === undefined) throw new Error(`no run in: ${output}`);
  return run;
}

export type Finished = Extract<JournalEntry, { type: 'finished' }>;

/** How a host ended by a stream; of several the last. */
export function finishOf(ended: Ended, host: string): Finished | undefined {
  return entriesOf(ended.stdout).filter((entry): entry is Finished => entry.type === 'finished' && entry.host === host).at(-1);
}

/** SIGKILL, and the end of the process. */
export async function killNow({ child, ended }: Started): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

export async function sleepUntilMs(atMs: number): Promise<void> {
  const leftMs = atMs - monotonicMs();
  if (leftMs > 0) await sleep(leftMs);
}

/** Starts all, and gives each one's end by its name. A failure shows where it is asked for. */
export function play<T>(scenes: Readonly<Record<string, () => Promise<T>>>): (name: string) => Promise<T> {
  const played = new Map(Object.entries(scenes).map(([name, scene]) => [name, scene()]));
  for (const one of played.values()) one.catch(() => undefined);
  return async (name) => {
    const one = played.get(name);
    if (one === undefined) throw new Error(`no scene ${name}`);
    return one;
  };
}
