/** What a public key is called: its `SHA256:` fingerprint and its type. Never looks at private keys. */
import { createHash } from 'node:crypto';
import { readWire } from './wire.js';

/** As `ssh-keygen -lf` prints it. */
export function fingerprintOf(keyBlob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

/** The type name at the start of an SSH key blob (RFC 4253 6.6); `undefined` when the bytes are no key. */
export function keyTypeOf(keyBlob: Uint8Array): string | undefined {
  const type = readWire(keyBlob, (reader) => reader.string())?.toString('latin1') ?? '';
  return /^[a-z0-9@.-]{1,64}$/i.test(type) ? type : undefined;
}
