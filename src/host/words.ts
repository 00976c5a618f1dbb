/**
 * The words of the host protocol: how a value travels as one argument of a request line, and how
 * fields are told apart in an answer. Pure; never builds shell source from a value.
 */
import { FleetmendError } from '../core/failure.js';

/** Nothing in this set means anything to a shell in the middle of a word. */
const SAFE = /^[A-Za-z0-9_./:@%,=+-]*$/;

/** `+text` when every character is harmless, `=BASE64` otherwise. The empty string is `+`. */
export function encodeWord(text: string): string {
  if (text.includes('\0')) {
    throw new FleetmendError({ kind: 'badInput', summary: 'a value for the node holds a NUL byte, which no path or name can hold' });
  }
  return SAFE.test(text) ? `+${text}` : `=${Buffer.from(text, 'utf8').toString('base64')}`;
}

/** `undefined`: not a value (an operation's name, a separator, the closing nonce). */
export function decodeWord(word: string): string | undefined {
  if (word.startsWith('+')) return word.slice(1);
  if (word.startsWith('=')) return Buffer.from(word.slice(1), 'base64').toString('utf8');
  return undefined;
}

export type Operation = readonly [name: string, ...args: string[]];

/** One operation as it stands in a request line, and in the order of a guard. */
export function encodeOperation([name, ...args]: Operation): string {
  return [name, ...args.map(encodeWord)].join(' ');
}

/** What ends each field of an answer. The nonce is random per visit, so no file's bytes can hold it. */
export function fieldEnd(nonce: string): string {
  return `:${nonce}:\n`;
}

export function joinFields(nonce: string, fields: readonly (string | Uint8Array)[]): Uint8Array {
  const end = Buffer.from(fieldEnd(nonce));
  return Buffer.concat(fields.flatMap((field) => [typeof field === 'string' ? Buffer.from(field, 'utf8') : field, end]));
}

/** Throws `protocol` when bytes are left after the last field. */
export function splitFields(nonce: string, stream: Uint8Array): Buffer[] {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.byteLength);
  const end = fieldEnd(nonce);
  const fields: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(end, from); at >= 0; at = bytes.indexOf(end, from)) {
    fields.push(bytes.subarray(from, at));
    from = at + end.length;
  }
  if (from !== bytes.length) throw malformed('an answer was cut off');
  return fields;
}

export function malformed(what: string): FleetmendError {
  return new FleetmendError({ kind: 'protocol', summary: `the node's answer cannot be trusted: ${what}`, next: 'run again; if it stays, look at what the login shell of this host prints' });
}
