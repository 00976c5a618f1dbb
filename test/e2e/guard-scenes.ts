/**
 * Scenes that run side by side on one stage, one node or a few each, so that their waits overlap. How many do is bounded:
 * a node must get through a step in the time that its playbook allows, and they all share this machine. Judges nothing.
 */
import type { JournalEntry } from '../../src/core/journal.js';
import type { Ended, Started } from './fleetmend.js';
import { entriesOf } from './fleetmend.js';

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

/** Finds the lead that makes two rivals equally quick, however quick this machine is: who won gets less of it the next time. */
export interface Lead {
  nowMs(): number;
  shorten(): void;
  lengthen(): void;
}

const SMALLEST_STEP_MS = 60;

/** Steps are halved at each turn of the tide. */
export function createLead(firstMs: number, firstStepMs: number): Lead {
  let [leadMs, stepMs, last] = [firstMs, firstStepMs, 0];
  const move = (direction: 1 | -1): void => {
    if (last === -direction) stepMs = Math.max(SMALLEST_STEP_MS, stepMs / 2);
    last = direction;
    leadMs = Math.max(0, leadMs + direction * stepMs);
  };
  return { nowMs: () => Math.round(leadMs), shorten: () => { move(-1); }, lengthen: () => { move(1); } };
}

export type TakeTurn = <T>(act: () => Promise<T>) => Promise<T>;

/** At most `atOnce` acts at a time, in the order in which they asked. */
export function createTurns(atOnce: number): TakeTurn {
  let free = atOnce;
  const waiting: (() => void)[] = [];
  return async (act) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}

/** Begins all, and gives each one's end by its name. A failure shows where it is asked for. */
export function play<T>(scenes: Readonly<Record<string, () => Promise<T>>>): (name: string) => Promise<T> {
  const played = new Map(Object.entries(scenes).map(([name, scene]) => [name, scene()]));
  for (const one of played.values()) one.catch(() => undefined);
  return async (name) => {
    const one = played.get(name);
    if (one === undefined) throw new Error(`no scene ${name}`);
    return one;
  };
}
