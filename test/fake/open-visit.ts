/** A writing visit straight to a fake node, for tests that need no connector. Takes the lock at once unless told not to. */
import type { Edit, Effect, EffectResult, GuardOrder, Holder, Restore } from '../../src/core/effect.js';
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Answer, Query } from '../../src/core/query.js';
import { restoresOf } from '../contracts/host-session-edits.js';
import type { FakeNode } from './fake-node.js';

export interface DirectVisit {
  readonly visit: number;
  perform(effect: Effect): EffectResult;
  ask(query: Query): Answer;
}

/** Throws when the lock is not to be had. */
export function openVisit(node: FakeNode, run: string, more: { readonly lock?: false; readonly session?: string; readonly uid?: number } = {}): DirectVisit {
  const { uid = 0 } = more;
  const visit = node.newVisit();
  const perform = (effect: Effect): EffectResult => node.perform(effect, { uid, visit });
  if (more.lock !== false) {
    const result = perform({ do: 'lock', holder: holderOf(run, more.session) });
    if (!result.ok) throw new Error(`${result.reason}: ${result.detail}`);
  }
  return { visit, perform, ask: (query) => node.ask(query, { uid, visit }) };
}

export function holderOf(run: string, session = `session-of-${run}`): Holder {
  return { run, who: `${run}@laptop`, session, staleAfterMs: 60_000 };
}

export function writeOf(path: string, before: string | 'absent', after: string): Edit {
  const bytes = Buffer.from(after);
  return { do: 'write', path, before: before === 'absent' ? 'absent' : digestOf(Buffer.from(before)), after: digestOf(bytes), content: toBase64(bytes) };
}

export const editOf = (run: string, edit: Edit, way: 'guarded' | 'unguarded' = 'unguarded'): Effect => ({ do: 'edit', run, way, edit });
export const restoreOf = (run: string, edit: Edit, foreign: 'refuse' | 'save' = 'refuse', earlier: Restore['earlier'] = []): Effect => ({ do: 'restore', run, edit, earlier, foreign });

/** Restores `edits`, reloads and restarts the unit after `afterMs`. */
export function armOf(run: string, unit: string, edits: readonly Edit[], afterMs = 60_000, invocationId?: string): Effect {
  const order: GuardOrder = {
    afterMs,
    restores: restoresOf(edits),
    activations: [{ do: 'daemonReload', timeoutMs: 1000 }, { do: 'restart', unit, timeoutMs: 1000 }],
    ...(invocationId === undefined ? {} : { invocationId }),
  };
  return { do: 'arm', run, order };
}
