/**
 * OpenSSH certificates (PROTOCOL.certkeys), of users and of hosts, taken apart. Pure; never judges one: who trusts which
 * authority for what is said elsewhere, and so is the check of its signature.
 */
import { readWire, sshString } from './wire.js';
import type { WireReader } from './wire.js';

export interface Certificate {
  /** `ssh-ed25519-cert-v01@openssh.com` */
  readonly type: string;
  /** `ssh-ed25519` */
  readonly keyType: string;
  /** The certified public key, as a plain key is written. */
  readonly publicBlob: Buffer;
  readonly serial: bigint;
  readonly role: 'user' | 'host' | 'unknown';
  readonly keyId: string;
  /** Empty: OpenSSH takes a user's certificate for no user then. */
  readonly principals: readonly string[];
  /** Seconds since 1970: valid from the first, until before the second. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  readonly criticalOptions: readonly string[];
  /** The key of the authority. */
  readonly authority: Buffer;
  /** What the signature covers. */
  readonly signed: Buffer;
  /** As the authority made it: algorithm and bytes, each a string of the wire. */
  readonly signature: Buffer;
}

/** How many wire strings a public key of this type has after its name. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1, 'ssh-rsa': 2, 'ecdsa-sha2-nistp256': 2, 'ecdsa-sha2-nistp384': 2, 'ecdsa-sha2-nistp521': 2,
  'sk-ssh-ed25519@openssh.com': 2, 'sk-ecdsa-sha2-nistp256@openssh.com': 3,
};

const SUFFIX = '-cert-v01@openssh.com';

/** `ssh-ed25519-cert-v01@openssh.com` for `ssh-ed25519`; also for names of signatures. */
export function certifiedName(plain: string): string {
  return `${plain.replace(/@openssh\.com$/, '')}${SUFFIX}`;
}

/** The other way; `undefined` for a name that is not a certificate's. */
export function plainName(certified: string): string | undefined {
  if (!certified.endsWith(SUFFIX)) return undefined;
  const name = certified.slice(0, -SUFFIX.length);
  return name.startsWith('sk-') ? `${name}@openssh.com` : name;
}

/** `undefined` when the bytes are no certificate of a type that is known here. */
export function parseCertificate(blob: Uint8Array): Certificate | undefined {
  return readWire(blob, (reader) => readCertificate(blob, reader));
}

function readCertificate(blob: Uint8Array, reader: WireReader): Certificate | undefined {
  const type = reader.text();
  const keyType = plainName(type);
  const fields = keyType === undefined ? undefined : KEY_FIELDS[keyType];
  if (keyType === undefined || fields === undefined) return undefined;
  reader.string(); // the nonce
  const key = Array.from({ length: fields }, () => sshString(reader.string()));
  const serial = reader.uint64();
  const role = roleOf(reader.uint32());
  const keyId = reader.text();
  const principals = textsIn(reader.string());
  const [validAfter, validBefore] = [reader.uint64(), reader.uint64()];
  const criticalOptions = optionsIn(reader.string());
  reader.string(); // extensions
  reader.string(); // reserved
  const authority = reader.string();
  const signed = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength - reader.rest.length);
  const signature = reader.string();
  if (reader.rest.length > 0 || principals === undefined || criticalOptions === undefined) return undefined;
  return {
    type, keyType, publicBlob: Buffer.concat([sshString(keyType), ...key]), serial, role, keyId, principals,
    validAfter, validBefore, criticalOptions, authority, signed, signature,
  };
}

function roleOf(value: number): Certificate['role'] {
  if (value === 1) return 'user';
  return value === 2 ? 'host' : 'unknown';
}

function textsIn(bytes: Buffer): string[] | undefined {
  return readWire(bytes, (reader) => {
    const texts: string[] = [];
    while (reader.rest.length > 0) texts.push(reader.text());
    return texts;
  });
}

/** Names only: each is followed by its data. */
function optionsIn(bytes: Buffer): string[] | undefined {
  return textsIn(bytes)?.filter((_, index) => index % 2 === 0);
}
