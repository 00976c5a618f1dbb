/**
 * The closed set of things fleetmend can do to a node. Edits are data with the digest the file had
 * before, so diff, dry run, saved copy and undo are the engine's work and never a step author's.
 */
import type { Digest } from './bytes.js';

export type Edit =
  | { readonly do: 'write'; readonly path: string; readonly before: Digest | 'absent'; readonly after: Digest; readonly content: string }
  | { readonly do: 'remove'; readonly path: string; readonly before: Digest };
// `path` is a real path (symlinks followed), `content` is base64.

export type Activation =
  | { readonly do: 'daemonReload'; readonly timeoutMs: number }
  | { readonly do: 'restart'; readonly unit: string; readonly timeoutMs: number };

/** Who works on a node. Whoever comes second is shown it. */
export interface Holder {
  readonly run: string;
  /** `alice@laptop`: user and machine of the controller. */
  readonly who: string;
  /** Random; one per process of a controller. */
  readonly session: string;
  /** Silent for longer than this, by the node's own clock, the lock is stale. */
  readonly staleAfterMs: number;
}

/**
 * Which way an act goes. `guarded`: forwards, and only while the guard of its run is armed. `unguarded`: forwards, by a
 * plan without a guard. `back`: towards the old state; not while the guard itself is at work.
 */
export type Way = 'guarded' | 'unguarded' | 'back';

/** One edit to take back. */
export interface Restore {
  readonly edit: Edit;
  /** What the file was before earlier edits of this run: found so, it is further back already, and nothing is to be done. */
  readonly earlier: readonly (Digest | 'absent')[];
}

/** What the guard does when nobody comes back: all that an undo would do, by data that lies on the node. */
export interface GuardOrder {
  /** From arming to firing. */
  readonly afterMs: number;
  /** In the order of an undo: the last edit first. */
  readonly restores: readonly Restore[];
  /** Forwards. A restart is left out when its unit still lives the life of `invocationId`, or will start by itself at boot. */
  readonly activations: readonly Activation[];
  /** Of the unit of the restart, before anything was touched. */
  readonly invocationId?: string;
}

/** What a writing session is asked to perform. All but the three about the lock itself need the lock of their run. */
export type Effect =
  /**
   * Takes the node for this run and this visit. A lock of the same run is taken over; one of another run only when it is
   * stale and that run left nothing in the middle.
   */
  | { readonly do: 'lock'; readonly holder: Holder }
  /** Gives the run's own lock back. */
  | { readonly do: 'unlock'; readonly run: string }
  /** Takes the lock of this session away from its holder: a person decided so. */
  | { readonly do: 'breakLock'; readonly session: string }
  /** Makes the node restore itself after a while, or at its next boot. Repeatable: the time then starts anew. */
  | { readonly do: 'arm'; readonly run: string; readonly order: GuardOrder }
  /** Ends that. Either this or the guard's firing happens, never both. */
  | { readonly do: 'disarm'; readonly run: string }
  /** Saves a copy under the run's state directory (once, never over an existing copy), then writes or removes. */
  | { readonly do: 'edit'; readonly run: string; readonly way: 'guarded' | 'unguarded'; readonly edit: Edit }
  /**
   * Puts the file back as it was before this run's edit: content, mode, owner, mtime. Accepts the after or the before
   * digest; any other content is drift, or, with `save`, is kept beside the copies first.
   */
  | (Restore & { readonly do: 'restore'; readonly run: string; readonly foreign: 'refuse' | 'save' })
  | { readonly do: 'resetFailed'; readonly run: string; readonly way: 'back'; readonly unit: string; readonly timeoutMs: number }
  | (Activation & { readonly run: string; readonly way: Way })
  /** Removes the run's saved copies and records from the node. Refused while its guard is armed or at work. */
  | { readonly do: 'clean'; readonly run: string };

export type EffectResult =
  | { readonly ok: true; readonly happened: 'now' | 'already'; readonly detail?: string }
  | {
      readonly ok: false;
      /** `none`: proved that the node was not changed by this effect. `unknown`: it may have been. */
      readonly effect: 'none' | 'unknown';
      readonly reason: EffectRefusal;
      readonly detail: string;
      readonly exit?: number;
    };

export type EffectRefusal =
  | 'drift' | 'readOnly' | 'immutable' | 'noSpace' | 'denied' | 'missingTool' | 'missingCopy' | 'timeout' | 'exit'
  /** Another run holds the node. */
  | 'locked'
  /** This visit does not hold the node (any more). */
  | 'notLocked'
  /** A later visit of the same run has taken over. */
  | 'superseded'
  /** The guard of this run is not armed any more, or is at work now. */
  | 'guardFired';
