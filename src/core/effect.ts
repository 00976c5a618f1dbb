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

/** What a writing session is asked to perform. */
export type Effect =
  /** Saves a copy under the run's state directory (once, never over an existing copy), then writes or removes. */
  | { readonly do: 'edit'; readonly run: string; readonly edit: Edit }
  /** Puts the file back as it was before this run's edit: content, mode, owner, mtime. Accepts the after or the before digest. */
  | { readonly do: 'restore'; readonly run: string; readonly edit: Edit }
  | { readonly do: 'resetFailed'; readonly unit: string; readonly timeoutMs: number }
  | Activation;

export type EffectResult =
  | { readonly ok: true; readonly happened: 'now' | 'already'; readonly detail?: string }
  | {
      readonly ok: false;
      /** `none`: proved that the node was not changed by this effect. `unknown`: it may have been. */
      readonly effect: 'none' | 'unknown';
      readonly reason: 'drift' | 'readOnly' | 'immutable' | 'noSpace' | 'denied' | 'missingTool' | 'missingCopy' | 'timeout' | 'exit';
      readonly detail: string;
      readonly exit?: number;
    };
