/**
 * How a change spreads over a fleet, as data: what a playbook and the command line say (`Rollout`), and what that means for
 * the hosts of one run (`RolloutPlan`). Never decides: that is src/rollout.
 */
import type { Failure } from './failure.js';

/** Of how many hosts: `5`, or `10%` of something that the user of it names. */
export type Share = { readonly unit: 'hosts'; readonly count: number } | { readonly unit: 'percent'; readonly percent: number };

/** A program on the controller: its words, never a shell line. It gets facts as one JSON document on standard input. */
export interface CommandSpec {
  readonly run: readonly string[];
  readonly timeoutMs: number;
}

export type HookName = 'beforeRun' | 'afterRun' | 'beforeWave' | 'afterWave' | 'beforeHost' | 'afterHost';
export const HOOK_NAMES: readonly HookName[] = ['beforeRun', 'afterRun', 'beforeWave', 'afterWave', 'beforeHost', 'afterHost'];

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
export const WEEKDAYS: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Outside of it no host is begun. `to` at or before `from` means: until then on the next day; `days` are those on which it opens. */
export interface MaintenanceWindow {
  readonly days: readonly Weekday[];
  /** `02:00`, wall clock of `timeZone`. */
  readonly from: string;
  readonly to: string;
  /** IANA name: `Europe/Berlin`. */
  readonly timeZone: string;
}

/** The nth counted host stops the rollout: reached means reached. */
export interface BudgetPolicy {
  readonly run: Share | 'none';
  /** Over the hosts of one value of a label, for each value by itself. */
  readonly per: readonly { readonly label: string; readonly share: Share }[];
}

/** What to do with hosts that were changed before a stop. */
export type OnStop = 'halt' | 'undoWave' | 'undoRun';

export interface Rollout {
  /** Rising; each says how many of the hosts to change are through when that wave is; the last is 100 %. */
  readonly waves: readonly Share[];
  /** How many hosts at once, of the hosts to change. Absent: the concurrency of the command. */
  readonly within?: Share;
  /** The first wave takes one host of each distinct change and of each value of these labels, one after the other; its first failure stops. */
  readonly canary: 'none' | { readonly by: readonly string[] };
  readonly order: 'inventory' | 'reverse' | 'name' | 'shuffled';
  readonly budget: BudgetPolicy;
  readonly onStop: OnStop;
  /** Between a wave and its gates. */
  readonly soakMs: number;
  /** Between waves, after the audit of all hosts of the wave: the exit code 0 lets the next one begin. */
  readonly gate?: CommandSpec;
  /** Waves after which a person must say `continue`, counted from 1. */
  readonly pauseAfter: 'none' | 'every' | readonly number[];
  readonly window?: MaintenanceWindow;
  readonly hooks: Readonly<Partial<Record<HookName, CommandSpec>>>;
}

export interface PlannedWave {
  readonly kind: 'canary' | 'wave';
  /** In the order in which they are begun. */
  readonly hosts: readonly string[];
  /** At once; a person may change it for all waves but the canary. */
  readonly within: number;
}

/** The arithmetic of the budget, done before the start. `stopsAt`: the counted host that stops. */
export interface PlannedBudget {
  readonly run?: { readonly stopsAt: number; readonly of: number };
  /** One for each label and each of its values that a host of the run has. */
  readonly per: readonly { readonly label: string; readonly value: string; readonly stopsAt: number; readonly of: number }[];
}

/** A rollout over the hosts of one run. Hosts that need no change stand in no wave. */
export interface RolloutPlan {
  /** What the canary has one of each of: distinct changes, or, where those are too many, kinds of change. */
  readonly covers: 'changes' | 'kinds';
  readonly waves: readonly PlannedWave[];
  readonly budget: PlannedBudget;
  /** Labels of every host of the run, those included that stand in no wave. */
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

/** What a person does to a rollout that is under way. */
export type ControlAct =
  | { readonly do: 'pause' }
  | { readonly do: 'continue' }
  | { readonly do: 'within'; readonly count: number }
  /** Only a host that was not begun. */
  | { readonly do: 'skip'; readonly host: string }
  /** No new host is begun; those under way are finished. */
  | { readonly do: 'stop' }
  /** As stop, and then hosts changed by this wave or this run are brought back. */
  | { readonly do: 'undo'; readonly scope: 'wave' | 'run' };

/** `budget` and `gate` are the fleet's doing, `hook` a command's; `person` asked; `interrupt`: a signal; `journal`: it cannot be written. */
export type StopReason = 'budget' | 'canary' | 'gate' | 'hook' | 'person' | 'interrupt' | 'patience' | 'journal';

/** Facts of a run as a whole. They stand in the journal under the host `*`, fenced like those of a host. Waves count from 1. */
export type RunFact =
  /** A process took charge of the rollout: the first one, or one that resumed it. */
  | { readonly type: 'rolloutBegan'; readonly by: string }
  | { readonly type: 'waveBegan'; readonly wave: number; readonly of: number; readonly hosts: number }
  | { readonly type: 'soaking'; readonly wave: number; readonly ms: number }
  | { readonly type: 'gateFailed'; readonly wave: number; readonly failure: Failure; readonly hosts: readonly string[] }
  /** Soak, gates and hooks of this wave are over. `through`: how many of its `hosts` proved their change or needed none; a budget may allow others. */
  | { readonly type: 'wavePassed'; readonly wave: number; readonly through?: number; readonly hosts?: number }
  /** Nothing new is begun until then. `person`: until somebody says continue, at most until then. */
  | { readonly type: 'waiting'; readonly for: 'window' | 'person'; readonly until: string }
  | { readonly type: 'controlled'; readonly by: string; readonly act: ControlAct }
  | { readonly type: 'stopped'; readonly reason: StopReason; readonly summary: string; readonly then: OnStop }
  /** `onHost`, not `host`: that is the place of the entry in the journal, and always `*` here. */
  | { readonly type: 'hookFailed'; readonly hook: HookName; readonly onHost?: string; readonly failure: Failure }
  /** The hooks of a host begin: its afterHost is owed from here on, whatever becomes of it. */
  | { readonly type: 'hooksBegan'; readonly onHost: string }
  | { readonly type: 'hooksEnded'; readonly onHost: string }
  | { readonly type: 'rolloutEnded' };

/** No host can be named so. */
export const WHOLE_RUN = '*';
