/** Edits, and results to expect of them, for the writing half of the host session's contract. */
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { Edit, Effect, EffectResult } from '../../src/core/effect.js';
import type { NodeUnderTest } from './node-under-test.js';

const RUN = 'run-2026-1';
export const OLD = Buffer.from('old: "content"\n');
export const NEW = Buffer.from([...Buffer.from('new content\0'), 0xff, 0xfe, 0x0a]);

export async function perform(node: NodeUnderTest, ...effects: readonly Effect[]): Promise<EffectResult[]> {
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

export const edit = (one: Edit): Effect => ({ do: 'edit', run: RUN, edit: one });
export const restore = (one: Edit): Effect => ({ do: 'restore', run: RUN, edit: one });

export const NOW = { ok: true, happened: 'now' };
export const ALREADY = { ok: true, happened: 'already' };
export const DRIFT = { ok: false, effect: 'none', reason: 'drift' };
