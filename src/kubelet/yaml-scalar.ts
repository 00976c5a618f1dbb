/**
 * What a YAML scalar is to the kubelet's reader (go-yaml v2, YAML 1.1): string, number, boolean or null.
 * Never follows YAML 1.2: `no`, `010` and `0b1` are not strings here.
 */

export type ResolvedScalar = { readonly ok: true; readonly value: string | number | boolean | null } | { readonly ok: false; readonly error: string };

const CORE = 'tag:yaml.org,2002:';
const TYPED_TAGS: ReadonlyMap<string, string> = new Map([
  [`${CORE}bool`, 'bool'],
  [`${CORE}int`, 'int'],
  [`${CORE}float`, 'float'],
  [`${CORE}null`, 'null'],
]);

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
]);
const ENDLESS: ReadonlyMap<string, number> = new Map([
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const INT64_MIN = -(2n ** 63n);
const UINT64_END = 2n ** 64n;

/** Resolves a scalar by its tag (long form; undefined when none is written) and text. `plain`: neither quoted nor a block. */
export function resolveScalar(text: string, plain: boolean, tag: string | undefined): ResolvedScalar {
  if (tag === undefined) return plain ? { ok: true, value: resolvePlain(text).value } : { ok: true, value: text };
  if (tag === `${CORE}binary`) return resolveBinary(text);
  const wanted = TYPED_TAGS.get(tag);
  if (wanted === undefined) return { ok: true, value: text };
  const { type, value } = resolvePlain(text);
  if (type === wanted || (wanted === 'float' && type === 'int')) return { ok: true, value };
  return { ok: false, error: `cannot decode !!${type} as a !!${wanted}` };
}

interface Typed {
  readonly type: 'str' | 'int' | 'float' | 'bool' | 'null';
  readonly value: string | number | boolean | null;
}

function resolvePlain(text: string): Typed {
  const word = WORDS.get(text);
  if (word !== undefined) return word === null ? { type: 'null', value: null } : { type: 'bool', value: word };
  const endless = ENDLESS.get(text);
  if (endless !== undefined) return { type: 'float', value: endless };
  if (text.startsWith('.')) return resolveFloat(text, text);
  if (!/^[-+0-9]/.test(text)) return { type: 'str', value: text };
  const digits = text.replaceAll('_', '');
  const integer = parseInteger(digits);
  return integer === undefined ? resolveFloat(digits, text) : { type: 'int', value: Number(integer) };
}

/** A number that float64 cannot hold stays text, as in Go. */
function resolveFloat(digits: string, text: string): Typed {
  const value = FLOAT.test(digits) ? Number(digits) : NaN;
  return Number.isFinite(value) ? { type: 'float', value } : { type: 'str', value: text };
}

/** Go's ParseInt and then ParseUint with base 0: undefined when neither takes it. */
function parseInteger(digits: string): bigint | undefined {
  const [whole, sign, hex, binary, octal, decimal] = INTEGER.exec(digits) ?? [];
  if (whole === undefined) return undefined;
  const size = BigInt(hex !== undefined ? `0x${hex}` : binary !== undefined ? `0b${binary}` : octal !== undefined ? `0o${octal}` : (decimal ?? ''));
  const value = sign === '-' ? -size : size;
  const end = sign === '' ? UINT64_END : 2n ** 63n;
  return value >= INT64_MIN && value < end ? value : undefined;
}

function resolveBinary(text: string): ResolvedScalar {
  const compact = text.replace(/[\r\n]/g, '');
  const valid = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact);
  if (!valid) return { ok: false, error: '!!binary value contains invalid base64 data' };
  return { ok: true, value: Buffer.from(compact, 'base64').toString('utf8') };
}
