/**
 * Go's durations: `time.ParseDuration` and `Duration.String()`, to the nanosecond and to the error text.
 * Never rounds, and never accepts a spelling that a kubelet would refuse.
 */

export type ParsedDuration = { readonly ok: true; readonly ns: bigint } | { readonly ok: false; readonly error: string };

const NS_PER_UNIT: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['\u00b5s', 1_000n], // micro sign
  ['\u03bcs', 1_000n], // Greek letter mu
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
]);

/** 2^63: the size of the most negative int64; one more than the largest positive. */
const LIMIT = 2n ** 63n;
const TERM = /(\d*)(?:(\.)(\d*))?([^.\d]*)/y;

/** Signed nanoseconds of an int64, or Go's error text. Fractions below a nanosecond are cut off (kubelet.md 2.4). */
export function parseDuration(text: string): ParsedDuration {
  const negative = text.startsWith('-');
  const body = negative || text.startsWith('+') ? text.slice(1) : text;
  if (body === '0') return { ok: true, ns: 0n };
  if (body === '') return invalid(text);

  let total = 0n;
  for (let at = 0; at < body.length; ) {
    TERM.lastIndex = at;
    const [term = '', whole = '', , fraction = '', unit = ''] = TERM.exec(body) ?? [];
    if (whole === '' && fraction === '') return invalid(text);
    const units = BigInt(whole);
    if (units > LIMIT) return invalid(text);
    if (unit === '') return { ok: false, error: `time: missing unit in duration ${quote(text)}` };
    const nsPerUnit = NS_PER_UNIT.get(unit);
    if (nsPerUnit === undefined) return { ok: false, error: `time: unknown unit ${quote(unit)} in duration ${quote(text)}` };
    if (units > LIMIT / nsPerUnit) return invalid(text);
    const ns = units * nsPerUnit + fractionNs(fraction, nsPerUnit);
    total += ns;
    if (ns > LIMIT || total > LIMIT) return invalid(text);
    at += term.length;
  }
  if (negative) return { ok: true, ns: -total };
  return total === LIMIT ? invalid(text) : { ok: true, ns: total };
}

/** As a kubelet prints it: `4h0m0s`, `1.5s`, `-5m0s`, `0s` (kubelet.md 5). Takes nanoseconds. */
export function formatDuration(ns: bigint): string {
  if (ns < 0n) return `-${formatDuration(-ns)}`;
  if (ns === 0n) return '0s';
  if (ns < 1_000n) return `${ns}ns`;
  if (ns < 1_000_000n) return `${decimal(ns, 3)}\u00b5s`;
  if (ns < 1_000_000_000n) return `${decimal(ns, 6)}ms`;
  const minutes = ns / 60_000_000_000n;
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** Go computes this part in float64; so must we, or the last nanosecond differs. */
function fractionNs(digits: string, nsPerUnit: bigint): bigint {
  let value = 0n;
  let scale = 1;
  for (const digit of digits) {
    if (value > (LIMIT - 1n) / 10n) break;
    const next = value * 10n + BigInt(digit);
    if (next > LIMIT) break;
    value = next;
    scale *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(nsPerUnit) / scale)));
}

/** `value` divided by 10^places, without trailing zeros. */
function decimal(value: bigint, places: number): string {
  const digits = value.toString().padStart(places + 1, '0');
  const fraction = digits.slice(-places).replace(/0+$/, '');
  return fraction === '' ? digits.slice(0, -places) : `${digits.slice(0, -places)}.${fraction}`;
}

function invalid(text: string): ParsedDuration {
  return { ok: false, error: `time: invalid duration ${quote(text)}` };
}

/** Go's own quoting in this package: control characters and everything beyond ASCII as \xNN per byte. */
function quote(text: string): string {
  const body = [...Buffer.from(text, 'utf8')].map((byte) => {
    if (byte < 0x20 || byte >= 0x80) return `\\x${byte.toString(16).padStart(2, '0')}`;
    const char = String.fromCharCode(byte);
    return char === '"' || char === '\\' ? `\\${char}` : char;
  });
  return `"${body.join('')}"`;
}
