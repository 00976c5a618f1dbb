/** C-style escapes as systemd decodes them in unit files; knows nothing of quotes or words. */
import type { ByteText } from '../core/bytes.js';
import { toByteText } from '../core/bytes.js';

export interface DecodedEscape {
  readonly chars: ByteText;
  /** Characters after the backslash that belong to the escape. */
  readonly length: number;
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '"': '"', "'": "'", s: ' ',
};

/** Surrogates too, which `\u` lets through and no decoder accepts. */
function encode(codePoint: number): ByteText {
  if (codePoint < 0xd800 || codePoint > 0xdfff) return toByteText(Buffer.from(String.fromCodePoint(codePoint), 'utf8'));
  return String.fromCharCode(0xed, 0x80 | ((codePoint >> 6) & 0x3f), 0x80 | (codePoint & 0x3f));
}

function isCharacter(codePoint: number): boolean {
  if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint <= 0xdfff)) return false;
  return !(codePoint >= 0xfdd0 && codePoint <= 0xfdef) && (codePoint & 0xfffe) !== 0xfffe;
}

/** `text[at]` is the character after a backslash. `undefined`: not an escape that systemd knows (kubelet.md 4.3). */
export function decodeEscape(text: ByteText, at: number): DecodedEscape | undefined {
  const simple = SIMPLE[text.charAt(at)];
  if (simple !== undefined) return { chars: simple, length: 1 };
  const byte = /^(?:x([0-9a-fA-F]{2})|([0-7]{3}))/.exec(text.slice(at, at + 3));
  if (byte !== null) {
    const value = byte[1] !== undefined ? parseInt(byte[1], 16) : parseInt(byte[2] ?? '', 8);
    return value === 0 || value > 0xff ? undefined : { chars: String.fromCharCode(value), length: 3 };
  }
  const unicode = /^(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/.exec(text.slice(at, at + 9));
  if (unicode === null) return undefined;
  const [whole, short, long] = unicode;
  const value = parseInt(short ?? long ?? '', 16);
  if (value === 0 || (long !== undefined && !isCharacter(value))) return undefined;
  return { chars: encode(value), length: whole.length };
}
