/** Edits, and results to expect of them, for the writing half of the host session's contract. */
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit, Effect, EffectResult, Holder, Restore } from '../../src/core/effect.js';
import type { WriteSession } from '../../src/core/ports.js';
import type { NodeUnderTest } from './node-under-test.js';

export const RUN = 'run-2026-1';
/** Every visit of the suite is a process of its own. */
export const holderOf = (run: string, session = 'session-1', staleAfterMs = 300_000): Holder => ({ run, who: 'alice@laptop', session, staleAfterMs });
export const lock = (run = RUN, session = 'session-1', staleAfterMs = 300_000): Effect => ({ do: 'lock', holder: holderOf(run, session, staleAfterMs) });
export const OLD = Buffer.from('old: "content"\n');
export const NEW = Buffer.from([...Buffer.from('new content\0'), 0xff, 0xfe, 0x0a]);

/** Takes the lock of the suite's run first. */
export async function perform(node: NodeUnderTest, ...effects: readonly Effect[]): Promise<EffectResult[]> {
  const [taken, ...results] = await performAlone(node, lock(), ...effects);
  if (!taken?.ok) throw new Error(`the node could not be locked: ${JSON.stringify(taken)}`);
  return results;
}

/** Exactly these effects, in one visit. */
export async function performAlone(node: NodeUnderTest, ...effects: readonly Effect[]): Promise<EffectResult[]> {
  const session = await node.connector.openToWrite(node.host, new AbortController().signal);
  try {
    const results: EffectResult[] = [];
    for (const effect of effects) results.push(await session.perform(effect));
    return results;
  } finally {
    await session.close();
  }
}

export function writeOf(path: string, before: Uint8Array | 'absent', after: Uint8Array): Edit {
  return { do: 'write', path, before: before === 'absent' ? 'absent' : digestOf(before), after: digestOf(after), content: toBase64(after) };
}

export function removeOf(path: string, before: Uint8Array): Edit {
  return { do: 'remove', path, before: digestOf(before) };
}

export const edit = (one: Edit): Effect => ({ do: 'edit', run: RUN, way: 'unguarded', edit: one });
export const restore = (one: Edit, foreign: 'refuse' | 'save' = 'refuse', earlier: Restore['earlier'] = []): Effect => ({ do: 'restore', run: RUN, edit: one, earlier, foreign });

/** The way back of edits that are made in this order. */
export function restoresOf(edits: readonly Edit[]): Restore[] {
  const earlier = (edit: Edit, index: number): Restore['earlier'] => edits.slice(0, index).flatMap((other) => (other.path === edit.path ? [other.before] : []));
  return edits.map((edit, index) => ({ edit, earlier: earlier(edit, index) })).reverse();
}

export const NOW = { ok: true, happened: 'now' };
export const ALREADY = { ok: true, happened: 'already' };
export const DRIFT = { ok: false, effect: 'none', reason: 'drift' };
export const LOCKED = { ok: false, effect: 'none', reason: 'locked' };
export const NOT_LOCKED = { ok: false, effect: 'none', reason: 'notLocked' };
export const GUARD_FIRED = { ok: false, effect: 'none', reason: 'guardFired' };

/** Several visits at once, which have begun one after the other; all are closed afterwards. */
export async function withVisits<T>(node: NodeUnderTest, count: number, use: (visits: readonly WriteSession[]) => Promise<T>): Promise<T> {
  const visits: WriteSession[] = [];
  try {
    for (let index = 0; index < count; index += 1) {
      const visit = await node.connector.openToWrite(node.host, new AbortController().signal);
      visits.push(visit);
      // The node orders visits by the start of their shells, which it counts in hundredths of a second.
      await visit.ask([{ ask: 'capability' }]);
    }
    return await use(visits);
  } finally {
    await Promise.all(visits.map((visit) => visit.close()));
  }
}
