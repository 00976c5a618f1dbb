/** Where to set one top-level member of a JSON config. Never touches a file with that member twice. */
import type { Node } from 'jsonc-parser';
import { insertIntoFlow, quoted, type Ways } from './config-splice.js';
import { parseJson } from './json-config.js';

export function waysToSetInJson(text: string, key: string, value: string): Ways {
  const parsed = parseJson(text);
  if (!parsed.ok) return { ok: false, reason: parsed.error };
  const members = (parsed.root.children ?? []).map(({ children = [] }) => ({ key: children[0], value: children[1] }));
  const uses = members.filter((member) => member.key?.value === key);
  if (uses.length > 1) return { ok: false, reason: `the key ${key} is there ${uses.length} times` };
  const target = uses[0]?.value;
  if (target !== undefined) return { ok: true, ways: [[{ start: target.offset, end: endOf(target), text: quoted(value) }]] };
  const last = members.at(-1);
  if (last?.key === undefined || last.value === undefined) return { ok: false, reason: 'the object has no members' };
  const colon = text.slice(endOf(last.key), last.value.offset);
  const member = `${quoted(key)}${/[\r\n]/.test(colon) ? ': ' : colon}${quoted(value)}`;
  return { ok: true, ways: [insertIntoFlow(text, { lastKeyStart: last.key.offset, lastValueEnd: endOf(last.value) }, member)] };
}

function endOf(node: Node): number {
  return node.offset + node.length;
}
