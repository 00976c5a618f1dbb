/**
 * A KubeletConfiguration file, main or drop-in, as a kubelet would read it (kubelet.md 2.4 and 2.5): what it says, or why
 * the kubelet would not start with it. Never applies defaults and never looks at types, except of a duration that is asked for.
 */
import { decodeUtf8 } from '../core/bytes.js';
import { emptyObject, isObject, type Decoded } from './decoded.js';
import { parseDuration } from './duration.js';
import { decodeJson } from './json-config.js';
import { decodeYaml } from './yaml-config.js';

export type DecodedConfig =
  | { readonly ok: true; readonly format: 'json' | 'yaml'; readonly value: Record<string, unknown>; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly error: string };

export type DurationMember =
  | { readonly state: 'absent' }
  | { readonly state: 'set'; readonly text: string; readonly ns: bigint }
  /** The kubelet would exit at start. `shown`: the value as JSON. */
  | { readonly state: 'fatal'; readonly shown: string; readonly error: string };

/** `removed`: null in a drop-in takes away what files before it set; the default counts again. */
export type DropInDurationMember = DurationMember | { readonly state: 'removed' };

const API_VERSION = 'kubelet.config.k8s.io/v1beta1';
const KIND = 'KubeletConfiguration';
/** Go's unicode.IsSpace, which is not the same set as JavaScript's `\s`. */
const LEADING_SPACE = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*/;

/** Decodes a file by its content; objects have no prototype. An error means: fatal to a kubelet that starts with this file. */
export function decodeConfig(bytes: Uint8Array): DecodedConfig {
  if (bytes.length === 0) return { ok: false, error: 'the file is empty' };
  const strict = decodeUtf8(bytes);
  const text = strict ?? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const format = text.replace(LEADING_SPACE, '').startsWith('{') ? 'json' : 'yaml';
  if (strict === undefined && format === 'yaml') return { ok: false, error: 'yaml: the file is not valid UTF-8' };
  const decoded = format === 'json' ? decodeJson(text) : decodeYaml(text);
  if (!decoded.ok) return decoded;
  const warnings = strict === undefined ? ['bytes that are not UTF-8 are read as U+FFFD', ...decoded.warnings] : decoded.warnings;
  return identified({ ...decoded, warnings }, format);
}

/** A top-level duration of the main file. Only a string that Go can parse is allowed; everything else is fatal, null too. */
export function durationMember(value: Readonly<Record<string, unknown>>, key: string): DurationMember {
  const member = ownMember(value, key);
  if (member === undefined) return { state: 'absent' };
  const shown = JSON.stringify(member);
  if (member !== null && typeof member !== 'string') {
    return { state: 'fatal', shown, error: `json: cannot unmarshal ${jsonType(member)} into Go struct field ${KIND}.${key} of type string` };
  }
  const text = member ?? '';
  const parsed = parseDuration(text);
  return parsed.ok ? { state: 'set', text, ns: parsed.ns } : { state: 'fatal', shown, error: parsed.error };
}

/** The same of a `--config-dir` drop-in, which is a merge patch: there null removes the key (kubelet.md 2.2). */
export function dropInDurationMember(value: Readonly<Record<string, unknown>>, key: string): DropInDurationMember {
  return ownMember(value, key) === null ? { state: 'removed' } : durationMember(value, key);
}

function identified(decoded: Extract<Decoded, { ok: true }>, format: 'json' | 'yaml'): DecodedConfig {
  const { value, warnings } = decoded;
  if (value !== null && !isObject(value)) return { ok: false, error: `expected an object at the top, got ${jsonType(value)}` };
  const object = value ?? emptyObject();
  const kind = identity(object, 'kind');
  const apiVersion = identity(object, 'apiVersion');
  const mistyped = [kind, apiVersion].find((member) => member !== undefined && typeof member !== 'string');
  if (mistyped !== undefined) return { ok: false, error: `kind and apiVersion must be strings, got ${jsonType(mistyped)}` };
  if (kind === undefined || kind === '') return { ok: false, error: "Object 'Kind' is missing" };
  if (apiVersion === undefined || apiVersion === '') return { ok: false, error: "Object 'apiVersion' is missing" };
  if (kind !== KIND || apiVersion !== API_VERSION) {
    return { ok: false, error: `expected ${KIND} of ${API_VERSION}, got ${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}` };
  }
  return { ok: true, format, value: object, warnings };
}

/** Go finds these two members in any case when the exact key is not there; null counts as not there. */
function identity(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const key = Object.hasOwn(object, name) ? name : Object.keys(object).findLast((other) => other.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (object[key] ?? undefined);
}

function ownMember(value: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
