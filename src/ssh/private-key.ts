/** Public halves and signatures of private keys in memory, in the forms of SSH (RFC 4253 6.6, 5656, 8332, 8709). Pure; never shows a private part. */
import { sign } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { sshString } from './wire.js';

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'nistp256', 'P-384': 'nistp384', 'P-521': 'nistp521' };

const HASHES: Readonly<Record<string, string | null>> = {
  'ssh-ed25519': null, 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512',
  // Weak: asked for by a route that allows old algorithms, never otherwise.
  'ssh-rsa': 'sha1',
  'ecdsa-sha2-nistp256': 'sha256', 'ecdsa-sha2-nistp384': 'sha384', 'ecdsa-sha2-nistp521': 'sha512',
};

/** `undefined` for a kind that SSH has no name for, or that is not wanted (DSA). */
export function publicBlobOf(key: KeyObject): Buffer | undefined {
  if (!['ed25519', 'rsa', 'ec'].includes(key.asymmetricKeyType ?? '')) return undefined;
  const fields = fieldsOf(key.export({ format: 'jwk' }));
  return fields && Buffer.concat(fields.map(sshString));
}

function fieldsOf(jwk: JsonWebKey): (Buffer | string)[] | undefined {
  const bytes = (value: string | undefined): Buffer => Buffer.from(value ?? '', 'base64url');
  if (jwk.kty === 'OKP') return ['ssh-ed25519', bytes(jwk.x)];
  if (jwk.kty === 'RSA') return ['ssh-rsa', mpint(bytes(jwk.e)), mpint(bytes(jwk.n))];
  const curve = CURVES[jwk.crv ?? ''];
  return curve === undefined ? undefined : [`ecdsa-sha2-${curve}`, curve, Buffer.concat([Buffer.from([4]), bytes(jwk.x), bytes(jwk.y)])];
}

/** As it goes over the wire. Rejects with the words of OpenSSL where it refuses the algorithm. */
export async function signWith(key: KeyObject, data: Buffer, algorithm: string): Promise<Buffer> {
  const hash = HASHES[algorithm];
  if (hash === undefined) throw new Error(`${algorithm} is not known here`);
  const bytes = await Promise.resolve(sign(hash, data, { key, dsaEncoding: 'ieee-p1363' }));
  return Buffer.concat([sshString(algorithm), sshString(key.asymmetricKeyType === 'ec' ? pairOf(bytes) : bytes)]);
}

/** The two halves of an ECDSA signature as numbers. */
function pairOf(bytes: Buffer): Buffer {
  const half = bytes.length / 2;
  return Buffer.concat([sshString(mpint(bytes.subarray(0, half))), sshString(mpint(bytes.subarray(half)))]);
}

/** RFC 4251 5: no zero in front, unless the next bit would be a sign. */
function mpint(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start === -1 ? Buffer.alloc(0) : bytes.subarray(start);
  return (digits[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits;
}
