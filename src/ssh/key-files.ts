/**
 * Key files of the controller, each read and parsed once, and unlocked once. Never asks for a passphrase, never keeps one, never
 * puts key material into a text.
 */
import { createHash, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { keyTypeOf } from './fingerprint.js';
import { codeOf } from './failures.js';
import { publicBlobOf, signWith } from './private-key.js';
import { readSmallFile, reasonUnread } from './read-small-file.js';
import type { Signer } from './signer.js';
import ssh2 from './ssh2.js';
import { readWire } from './wire.js';

export type KeyFile =
  | UsableKeyFile
  | LockedKeyFile
  /** Names a key whose private half is elsewhere: in an agent, in a FIDO device. `reason` completes "FILE ...". */
  | { readonly state: 'publicHalf'; readonly publicBlob: Buffer; readonly reason: string }
  | { readonly state: 'absent' }
  /** `reason` completes "FILE ...". */
  | { readonly state: 'unusable'; readonly reason: string };

export interface UsableKeyFile {
  readonly state: 'usable';
  readonly signer: Signer;
}

export interface LockedKeyFile {
  readonly state: 'locked';
  /** Unknown in old formats that have no public file beside them. */
  readonly publicBlob?: Buffer;
  /** `undefined`: this passphrase does not open it. Tried once for each passphrase: OpenSSH makes the attempt slow on purpose. */
  unlock(passphrase: string): Signer | undefined;
}

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
    const text = await readSmallFile(file);
    const read = parseKeyFile(text, file, isOldLock(text) ? await readSmallFile(`${file}.pub`).catch(() => undefined) : undefined);
    return read.state === 'usable' || read.state === 'locked' ? await withoutOpenFile(file, read) : read;
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' ? await readPublicHalf(`${file}.pub`) : { state: 'unusable', reason: `could not be read (${reasonUnread(error)})` };
  }
}

/** As OpenSSH: a private key of ours that others may read is not used, but an agent may hold it. */
async function withoutOpenFile(file: string, read: LockedKeyFile | UsableKeyFile): Promise<KeyFile> {
  const { mode, uid } = await stat(file);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return read;
  const reason = `can be read or changed by others (mode 0${(mode & 0o777).toString(8)}), so it is not used, as with ssh: chmod 600 ${file}`;
  const publicBlob = read.state === 'usable' ? read.signer.publicBlob : read.publicBlob;
  return publicBlob === undefined ? { state: 'unusable', reason } : { state: 'publicHalf', publicBlob, reason };
}

/** As OpenSSH: `id` names a key of the agent where only `id.pub` is here. */
async function readPublicHalf(file: string): Promise<KeyFile> {
  const read = parseKeyFile(await readSmallFile(file).catch(() => ''), file);
  return read.state === 'publicHalf' ? read : { state: 'absent' };
}

const UNSUPPORTED = 'is in a format that is not supported; convert it with ssh-keygen -p (ed25519, ecdsa or rsa)';

/** `publicText`: of the file beside, for formats that hide the public half with the private one. */
export function parseKeyFile(text: string, file: string, publicText?: string): KeyFile {
  const listed = publicKeyIn(text);
  if (listed) return { state: 'publicHalf', publicBlob: listed, reason: 'is a public key, and the ssh-agent does not hold its private half' };
  if (!/^-----BEGIN [A-Z ]*PRIVATE KEY-----$/m.test(text)) return { state: 'unusable', reason: refusalOfOtherFile(text) };
  const header = readOpenSshHeader(text);
  if (header && keyTypeOf(header.publicBlob)?.startsWith('sk-')) {
    return { state: 'publicHalf', publicBlob: header.publicBlob, reason: 'is the handle of a FIDO key, and the ssh-agent does not hold it' };
  }
  const open = header ? (passphrase?: string) => openOpenSsh(text, passphrase) : (passphrase?: string) => openPem(text, passphrase);
  if (header?.encrypted || isOldLock(text)) {
    const publicBlob = header?.publicBlob ?? publicKeyIn(publicText ?? '');
    return { state: 'locked', unlock: unlockOnce(open, file), ...(publicBlob ? { publicBlob } : {}) };
  }
  const signer = signerOf(open(), file);
  return signer ? { state: 'usable', signer } : { state: 'unusable', reason: UNSUPPORTED };
}

function isOldLock(text: string): boolean {
  return /^Proc-Type: 4,ENCRYPTED|BEGIN ENCRYPTED PRIVATE KEY/m.test(text);
}

/** ssh2 would take a certificate for a (wrong) key (ssh.md 2.3): it is told by its name alone. */
function refusalOfOtherFile(text: string): string {
  if (/-cert-v0\d@openssh\.com/.test(text)) return 'is a certificate; name the private key, and the certificate as certificateFile';
  return 'is not a private key in OpenSSH or PEM format';
}

function publicKeyIn(text: string): Buffer | undefined {
  const [, type, base64] = /^((?:ssh|ecdsa|sk)-[a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/=]+)/.exec(text) ?? [];
  if (type === undefined || base64 === undefined || type.includes('-cert-')) return undefined;
  const blob = Buffer.from(base64, 'base64');
  return keyTypeOf(blob) === type ? blob : undefined;
}

function unlockOnce(open: (passphrase: string) => KeyObject | undefined, file: string): LockedKeyFile['unlock'] {
  const tried = new Map<string, Signer | undefined>();
  return (passphrase) => {
    const digest = createHash('sha256').update(passphrase).digest('base64');
    if (!tried.has(digest)) tried.set(digest, signerOf(open(passphrase), file));
    return tried.get(digest);
  };
}

function signerOf(key: KeyObject | undefined, origin: string): Signer | undefined {
  const publicBlob = key && publicBlobOf(key);
  const keyType = publicBlob && keyTypeOf(publicBlob);
  if (key === undefined || publicBlob === undefined || keyType === undefined) return undefined;
  // A cached key object signs twelve times faster than what ssh2 does (ssh.md 2.3).
  return { keyType, publicBlob, origin, sign: (data, algorithm) => signWith(key, data, algorithm) };
}

function openOpenSsh(text: string, passphrase?: string): KeyObject | undefined {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  return parsed instanceof Error ? undefined : openPem(parsed.getPrivatePEM());
}

function openPem(pem: string, passphrase?: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    return undefined;
  }
}

const MAGIC = Buffer.from('openssh-key-v1\0');

/** The part of an OpenSSH key file that is never encrypted: the cipher's name and the public key (PROTOCOL.key). */
function readOpenSshHeader(text: string): { readonly encrypted: boolean; readonly publicBlob: Buffer } | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1];
  const bytes = Buffer.from(body ?? '', 'base64');
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return readWire(bytes.subarray(MAGIC.length), (reader) => {
    const encrypted = reader.text() !== 'none';
    reader.string(); // name and options of the key derivation
    reader.string();
    reader.uint32(); // keys in the file: one
    return { encrypted, publicBlob: reader.string() };
  });
}
