/**
 * Sets one top-level string of a KubeletConfiguration file and nothing else: comments, order, layout, line ends and the
 * spelling of every other value stay byte for byte. Never returns an edit that it has not read back and compared.
 */
import { decodeUtf8 } from '../core/bytes.js';
import { decodeConfig, type DecodedConfig } from './config-file.js';
import { applySplices } from './config-splice.js';
import { emptyObject, isObject } from './decoded.js';
import { waysToSetInJson } from './json-edit.js';
import { waysToSetInYaml } from './yaml-edit.js';

export type ConfigEdit = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly reason: string };

type Config = Extract<DecodedConfig, { ok: true }>;

/**
 * The file with `key` set to the string `value`; the same bytes when it says so already. Refuses a file that a kubelet could
 * not load, that has the key twice, or in which no edit can be proved to change this member alone (kubelet.md 9.2).
 */
export function setStringMember(bytes: Uint8Array, key: string, value: string): ConfigEdit {
  const text = decodeUtf8(bytes);
  if (text === undefined) return { ok: false, reason: 'the file is not valid UTF-8' };
  const before = decodeConfig(bytes);
  if (!before.ok) return { ok: false, reason: `the file does not load: ${before.error}` };
  const found = before.format === 'json' ? waysToSetInJson(text, key, value) : waysToSetInYaml(text, key, value);
  if (!found.ok) return found;
  if (before.value[key] === value) return { ok: true, bytes };
  for (const splices of found.ways) {
    const after = Buffer.from(applySplices(text, splices), 'utf8');
    if (changesOnly(before, decodeConfig(after), key, value)) return { ok: true, bytes: after };
  }
  return { ok: false, reason: `${key} cannot be set without changing something else in the file` };
}

function changesOnly(before: Config, after: DecodedConfig, key: string, value: string): boolean {
  if (!after.ok || after.format !== before.format || after.value[key] !== value) return false;
  if (!isSame(before.warnings, after.warnings)) return false;
  return isSame(without(before.value, key), without(after.value, key));
}

function without(object: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const rest = Object.assign(emptyObject(), object);
  delete rest[key];
  return rest;
}

function isSame(left: unknown, right: unknown): boolean {
  if (Array.isArray(left) && Array.isArray(right)) return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  if (!isObject(left) || !isObject(right)) return Object.is(left, right);
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => name in right && isSame(left[name], right[name]));
}
