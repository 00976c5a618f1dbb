/** Where a rollout stands, as far as the facts of its run tell: what `show`, `runs` and `ctl status` say of it. Pure; steers nothing. */
import type { JournalEntry } from './journal.js';
import { isRunEntry } from './journal.js';
import type { RunFact } from './rollout.js';

type Fact<T extends RunFact['type']> = Extract<RunFact, { type: T }>;

export interface RolloutStanding {
  /** Who has, or had, charge of it last. */
  readonly by?: string;
  /** `through`: of a wave that passed. */
  readonly wave?: Omit<Fact<'waveBegan'>, 'type'> & { readonly stage: 'hosts' | 'soak' | 'gateFailed' | 'passed'; readonly through?: number };
  readonly paused?: { readonly by: string; readonly at: string };
  /** Nothing new is begun until then. */
  readonly waiting?: Omit<Fact<'waiting'>, 'type'>;
  /** What a person made of it. */
  readonly within?: number;
  readonly skipped: readonly string[];
  readonly stopped?: Omit<Fact<'stopped'>, 'type'> & { readonly at: string };
  readonly hooksFailed: number;
  readonly ended: boolean;
}

/** A host is begun with the first; one of an earlier process with the others. */
const BEGINNINGS: readonly JournalEntry['type'][] = ['planned', 'began', 'resumed'];

/** Undefined for a run without rollout: one of an earlier fleetmend, or one that never came so far. */
export function standingOf(entries: Iterable<JournalEntry>): RolloutStanding | undefined {
  let standing: RolloutStanding | undefined;
  for (const entry of entries) {
    if (isRunEntry(entry)) standing = afterFact(standing ?? { skipped: [], hooksFailed: 0, ended: false }, entry, entry.at);
    // Something new was begun, so nothing waits.
    else if (BEGINNINGS.includes(entry.type) && standing?.waiting !== undefined) standing = without(standing, 'waiting');
  }
  return standing;
}

function afterFact(standing: RolloutStanding, fact: RunFact, at: string): RolloutStanding {
  switch (fact.type) {
    case 'rolloutBegan':
      // A new process begins neither paused nor stopped; waves that passed stay passed.
      return { ...without(standing, 'paused', 'waiting', 'stopped', 'within'), by: fact.by, ended: false };
    case 'waveBegan':
      return { ...without(standing, 'waiting'), wave: { wave: fact.wave, of: fact.of, hosts: fact.hosts, stage: 'hosts' } };
    case 'soaking':
      return inStage(standing, 'soak');
    case 'gateFailed':
      return inStage(standing, 'gateFailed');
    case 'wavePassed':
      return without(inStage(standing, 'passed', fact.through), 'waiting');
    case 'waiting':
      // A person is asked behind soak and gates.
      return { ...(fact.for === 'person' ? inStage(standing, 'hosts') : standing), waiting: { for: fact.for, until: fact.until } };
    case 'controlled':
      return afterControl(standing, fact, at);
    case 'stopped':
      return { ...without(standing, 'waiting', 'paused'), stopped: { reason: fact.reason, summary: fact.summary, then: fact.then, at } };
    case 'hookFailed':
      return { ...standing, hooksFailed: standing.hooksFailed + 1 };
    case 'hooksBegan':
    case 'hooksEnded':
      return standing;
    case 'rolloutEnded':
      return { ...without(standing, 'waiting', 'paused'), ended: true };
  }
}

function afterControl(standing: RolloutStanding, { by, act }: Fact<'controlled'>, at: string): RolloutStanding {
  switch (act.do) {
    case 'pause':
      return { ...standing, paused: { by, at } };
    case 'continue':
      return standing.waiting?.for === 'person' ? without(standing, 'paused', 'waiting') : without(standing, 'paused');
    case 'within':
      return { ...standing, within: act.count };
    case 'skip':
      return { ...standing, skipped: [...standing.skipped, act.host] };
    case 'stop':
    case 'undo':
      // The fact `stopped` follows.
      return standing;
  }
}

function inStage(standing: RolloutStanding, stage: NonNullable<RolloutStanding['wave']>['stage'], through?: number): RolloutStanding {
  return standing.wave === undefined ? standing : { ...standing, wave: { ...standing.wave, stage, ...(through === undefined ? {} : { through }) } };
}

function without<K extends 'paused' | 'waiting' | 'stopped' | 'within'>(standing: RolloutStanding, ...keys: readonly K[]): RolloutStanding {
  return Object.fromEntries(Object.entries(standing).filter(([key]) => !keys.some((one) => one === key))) as unknown as RolloutStanding;
}
