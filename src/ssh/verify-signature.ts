/**
 * Whether a public key made a signature, both in the form of the wire (RFC 4253 6.6, RFC 5656, RFC 8332, RFC 8709, PROTOCOL.u2f of
 * OpenSSH). Never accepts SHA-1, DSA, or an RSA key under 1024 bits, which OpenSSH refuses too.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { readWire, uint32 } from './wire.js';
import type { WireReader } from './wire.js';

const MIN_RSA_BITS = 1024;

interface Curve {
  readonly jwk: string;
  readonly bytes: number;
  readonly hash: string;
}
const CURVES: ReadonlyMap<string, Curve> = new Map([
  ['nistp256', { jwk: 'P-256', bytes: 32, hash: 'sha256' }],
  ['nistp384', { jwk: 'P-384', bytes: 48, hash: 'sha384' }],
  ['nistp521', { jwk: 'P-521', bytes: 66, hash: 'sha512' }],
]);
const RSA_HASHES: ReadonlyMap<string, string> = new Map([['rsa-sha2-256', 'sha256'], ['rsa-sha2-512', 'sha512']]);

/** `false` also for keys and signatures that cannot be read. */
export function isSignatureOf(publicBlob: Uint8Array, signature: Uint8Array, data: Uint8Array): boolean {
  try {
    return readWire(publicBlob, (key) => readWire(signature, (reader) => check(key, reader, data))) ?? false;
  } catch {
    return false; // node:crypto throws on numbers that are no key
  }
}

/** The name of the algorithm that a signature was made with; empty when it has none. */
export function signatureAlgorithmOf(signature: Uint8Array): string {
  return readWire(signature, (reader) => reader.text()) ?? '';
}

function check(key: WireReader, signature: WireReader, data: Uint8Array): boolean {
  const type = key.text();
  const algorithm = signature.text();
  const bytes = signature.string();
  const hash = RSA_HASHES.get(algorithm);
  if (type === 'ssh-rsa') return hash !== undefined && isRsaSignature(rsaKey(key), hash, bytes, data);
  if (algorithm !== type) return false;
  switch (type) {
    case 'ssh-ed25519':
      return verify(null, data, ed25519Key(key), bytes);
    case 'sk-ssh-ed25519@openssh.com': {
      const publicKey = ed25519Key(key);
      return verify(null, deviceData(key, signature, data), publicKey, bytes);
    }
    case 'sk-ecdsa-sha2-nistp256@openssh.com': {
      const { publicKey, curve } = ecKey(key, 'nistp256');
      return isEcSignature(publicKey, curve, bytes, deviceData(key, signature, data));
    }
    default: {
      const { publicKey, curve } = ecKey(key, type.replace(/^ecdsa-sha2-/, ''));
      return isEcSignature(publicKey, curve, bytes, data);
    }
  }
}

/** What a FIDO device signs; the key's reader stands at its application, the signature's at its flags. */
function deviceData(key: WireReader, signature: WireReader, data: Uint8Array): Buffer {
  const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();
  return Buffer.concat([sha256(key.string()), Buffer.from([signature.byte()]), uint32(signature.uint32()), sha256(data)]);
}

function ed25519Key(key: WireReader): KeyObject {
  return fromJwk({ kty: 'OKP', crv: 'Ed25519', x: key.string().toString('base64url') });
}

function ecKey(key: WireReader, name: string): { readonly publicKey: KeyObject; readonly curve: Curve } {
  const curve = CURVES.get(name);
  const [named, point] = [key.text(), key.string()];
  if (curve === undefined || named !== name || point[0] !== 4 || point.length !== 1 + 2 * curve.bytes) throw new TypeError('not a point');
  const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)];
  return { curve, publicKey: fromJwk({ kty: 'EC', crv: curve.jwk, x: x.toString('base64url'), y: y.toString('base64url') }) };
}

function isEcSignature(publicKey: KeyObject, curve: Curve, bytes: Buffer, data: Uint8Array): boolean {
  const pair = readWire(bytes, (reader) => [reader.string(), reader.string()].map((number) => fixedLength(number, curve.bytes)));
  return pair !== undefined && verify(curve.hash, data, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.concat(pair));
}

function rsaKey(key: WireReader): KeyObject {
  const [e, n] = [key.string(), key.string()].map((number) => withoutZeros(number).toString('base64url'));
  return fromJwk({ kty: 'RSA', e: e ?? '', n: n ?? '' });
}

function isRsaSignature(publicKey: KeyObject, hash: string, bytes: Buffer, data: Uint8Array): boolean {
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  // Some signers leave out leading zeros, which OpenSSH allows.
  return bits >= MIN_RSA_BITS && verify(hash, data, publicKey, fixedLength(bytes, Math.ceil(bits / 8)));
}

function fromJwk(key: JsonWebKey): KeyObject {
  return createPublicKey({ key, format: 'jwk' });
}

function withoutZeros(number: Buffer): Buffer {
  const start = number.findIndex((byte) => byte !== 0);
  return start < 0 ? Buffer.alloc(0) : number.subarray(start);
}

function fixedLength(number: Buffer, length: number): Buffer {
  const bare = withoutZeros(number);
  if (bare.length > length) throw new TypeError('the number is too long');
  return Buffer.concat([Buffer.alloc(length - bare.length), bare]);
}
