/**
 * Private key files of the controller, each read and parsed once. Signs with a cached key object (twelve times faster than
 * what ssh2 does: ssh.md 2.3). Never asks for a passphrase, never signs with SHA-1, never puts key material into a text.
 */
import { createPrivateKey, sign } from 'node:crypto';
import ssh2 from 'ssh2';
import type { ParsedKey } from 'ssh2';
import { codeOf } from './failures.js';
import { readSmallFile } from './read-small-file.js';

export type KeyFile =
  | { readonly state: 'usable'; readonly key: ParsedKey; readonly publicBlob: Buffer }
  /** The private half needs a passphrase; an agent may hold it. */
  | { readonly state: 'encrypted'; readonly publicBlob: Buffer }
  | { readonly state: 'absent' }
  /** `reason` completes "FILE ...". */
  | { readonly state: 'unusable'; readonly reason: string };

export type ReadKeyFile = (file: string) => Promise<KeyFile>;

export function createKeyFileReader(): ReadKeyFile {
  const read = new Map<string, Promise<KeyFile>>();
  return (file) => {
    const known = read.get(file) ?? readKeyFile(file);
    read.set(file, known);
    return known;
  };
}

async function readKeyFile(file: string): Promise<KeyFile> {
  try {
    return parseKeyFile(await readSmallFile(file));
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? { state: 'absent' } : { state: 'unusable', reason: `could not be read (${code})` };
  }
}

/** ssh2 would take a certificate for a (wrong) key (ssh.md 2.3), so what is not a private key is refused before it looks. */
export function parseKeyFile(text: string): KeyFile {
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(text)) return { state: 'unusable', reason: refusalOfOtherFile(text) };
  const header = readOpenSshHeader(text);
  if (header?.encrypted) return { state: 'encrypted', publicBlob: header.publicBlob };
  if (/^Proc-Type: 4,ENCRYPTED|BEGIN ENCRYPTED PRIVATE KEY/m.test(text)) {
    return { state: 'unusable', reason: 'is encrypted in an old format; convert it with ssh-keygen -p and load it into the agent with ssh-add' };
  }
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error || !isWanted(key.type)) {
    return { state: 'unusable', reason: 'is in a format that is not supported; convert it with ssh-keygen -p (ed25519, ecdsa or rsa)' };
  }
  return { state: 'usable', key: withCachedSigning(key), publicBlob: key.getPublicSSH() };
}

function refusalOfOtherFile(text: string): string {
  if (/-cert-v0\d@openssh\.com/.test(text)) return 'is a certificate; certificates are not supported yet, name the private key';
  if (/^(ssh|ecdsa|sk)-/m.test(text)) return 'is a public key; name the private key (without .pub)';
  return 'is not a private key in OpenSSH or PEM format';
}

function isWanted(type: string): boolean {
  return type === 'ssh-ed25519' || type === 'ssh-rsa' || type.startsWith('ecdsa-sha2-nistp');
}

const DEFAULT_HASHES: Readonly<Record<string, string>> = {
  'ecdsa-sha2-nistp256': 'sha256', 'ecdsa-sha2-nistp384': 'sha384', 'ecdsa-sha2-nistp521': 'sha512',
};

export const SHA1_REFUSED = 'the server takes RSA signatures with SHA-1 only, which fleetmend does not make';

/** An RSA key without a hash is `ssh-rsa`, that is SHA-1; ssh2 expects the refusal as a returned Error. */
function withCachedSigning(key: ParsedKey): ParsedKey {
  const privateKey = createPrivateKey(key.getPrivatePEM());
  const signCached = (data: Buffer | string, hash?: string): Buffer | Error => {
    if (key.type === 'ssh-rsa' && hash !== 'sha256' && hash !== 'sha512') return new Error(SHA1_REFUSED);
    return sign(hash ?? DEFAULT_HASHES[key.type] ?? null, Buffer.from(data as Buffer), privateKey);
  };
  return Object.assign(key, { sign: signCached as ParsedKey['sign'] });
}

/** The part of an OpenSSH key file that is never encrypted: the cipher's name and the public key. */
function readOpenSshHeader(text: string): { readonly encrypted: boolean; readonly publicBlob: Buffer } | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64');
  const magic = Buffer.from('openssh-key-v1\0');
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const fields = readStrings(bytes.subarray(magic.length), 3);
  const publicKey = fields && readStrings(fields.rest.subarray(4), 1);
  const [cipher] = fields?.values ?? [];
  const [publicBlob] = publicKey?.values ?? [];
  if (cipher === undefined || publicBlob === undefined) return undefined;
  return { encrypted: cipher.toString('latin1') !== 'none', publicBlob };
}

function readStrings(bytes: Buffer, count: number): { readonly values: Buffer[]; readonly rest: Buffer } | undefined {
  const values: Buffer[] = [];
  let rest = bytes;
  while (values.length < count) {
    if (rest.length < 4) return undefined;
    const end = 4 + rest.readUInt32BE(0);
    if (rest.length < end) return undefined;
    values.push(rest.subarray(4, end));
    rest = rest.subarray(end);
  }
  return { values, rest };
}
