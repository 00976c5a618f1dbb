/**
 * Reads a server's first bytes: its greeting, and the algorithms it offers in KEXINIT (RFC 4253 4.2, 6, 7.1), so that
 * "nothing in common" is known by comparing lists and not by an error's text. Pure; never trusts a length.
 */
import { cutText } from '../core/clean-text.js';
import type { AlgorithmOffer } from './algorithms.js';
import { readWire } from './wire.js';

const KEXINIT = 20;
const STRICT_KEX = 'kex-strict-s-v00@openssh.com';
/** Packets that may come before KEXINIT where strict key exchange is not used: DISCONNECT to DEBUG. */
const LAST_CHATTER_TYPE = 4;

export interface ServerOffer extends AlgorithmOffer {
  /** Strict key exchange is in force: offered, and KEXINIT was the first packet (CVE-2023-48795). */
  readonly strictKex: boolean;
}

export interface ServerOpening {
  /** Everything before a line that begins with `SSH-`; all there is when there is no such line. */
  readonly greeting: string;
  readonly offer?: ServerOffer;
}

export function readServerOpening(bytes: Buffer): ServerOpening {
  const text = bytes.toString('latin1');
  const start = /(?:^|\n)SSH-/.exec(text);
  if (start === null) return { greeting: cutText(text, 1000) };
  const identification = start.index + (start[0].startsWith('\n') ? 1 : 0);
  const greeting = cutText(text.slice(0, identification), 1000);
  const end = text.indexOf('\n', identification);
  const offer = end < 0 ? undefined : readPackets(bytes.subarray(end + 1));
  return offer ? { greeting, offer } : { greeting };
}

function readPackets(bytes: Buffer): ServerOffer | undefined {
  let rest = bytes;
  for (let isFirst = true; rest.length >= 6; isFirst = false) {
    const length = rest.readUInt32BE(0);
    if (length < 2 || rest.length < 4 + length) return undefined;
    const type = rest.readUInt8(5);
    if (type === KEXINIT) return readKexInit(rest.subarray(5, 4 + length), isFirst);
    if (type > LAST_CHATTER_TYPE) return undefined;
    rest = rest.subarray(4 + length);
  }
  return undefined;
}

/** Byte type, 16 bytes of cookie, then ten name lists. */
function readKexInit(payload: Buffer, isFirst: boolean): ServerOffer | undefined {
  const lists = readWire(payload.subarray(17), (reader) => Array.from({ length: 8 }, () => reader.string().toString('latin1').split(',').filter((name) => name !== '')));
  if (lists === undefined) return undefined;
  const [kex = [], hostKeys = [], ciphersIn = [], ciphersOut = [], macsIn = [], macsOut = [], packIn = [], packOut = []] = lists;
  const strictKex = isFirst && kex.includes(STRICT_KEX);
  return {
    kex, hostKeys, strictKex,
    ciphers: inBoth(ciphersIn, ciphersOut), macs: inBoth(macsIn, macsOut), compression: inBoth(packIn, packOut),
  };
}

function inBoth(some: readonly string[], others: readonly string[]): string[] {
  return some.filter((name) => others.includes(name));
}

/** The first category without a common algorithm. Ciphers with their own integrity check need no MAC. */
export function missingCategory(ours: AlgorithmOffer, theirs: AlgorithmOffer): keyof AlgorithmOffer | undefined {
  const common = (category: keyof AlgorithmOffer): string | undefined =>
    ours[category].find((name) => theirs[category].includes(name));
  const cipher = common('ciphers');
  const needsMac = cipher !== undefined && !cipher.includes('gcm') && !cipher.includes('poly1305');
  const categories: readonly (keyof AlgorithmOffer)[] = ['kex', 'hostKeys', 'ciphers', ...(needsMac ? ['macs' as const] : []), 'compression'];
  return categories.find((category) => common(category) === undefined);
}
