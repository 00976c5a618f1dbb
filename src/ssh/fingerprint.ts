/** What a public key is called: its `SHA256:` fingerprint and its type. Never looks at private keys. */
import { createHash } from 'node:crypto';

/** As `ssh-keygen -lf` prints it. */
export function fingerprintOf(keyBlob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(keyBlob).digest('base64').replace(/=+$/, '')}`;
}

/** The type name at the start of an SSH key blob (RFC 4253 6.6); `undefined` when the bytes are no key. */
export function keyTypeOf(keyBlob: Uint8Array): string | undefined {
  const blob = Buffer.from(keyBlob.buffer, keyBlob.byteOffset, keyBlob.byteLength);
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  if (length === 0 || length > 64 || blob.length < 4 + length) return undefined;
  const type = blob.toString('latin1', 4, 4 + length);
  return /^[a-z0-9@.-]+$/i.test(type) ? type : undefined;
}
