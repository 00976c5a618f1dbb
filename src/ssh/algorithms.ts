/**
 * What is offered to a server (ssh.md 3.6): no group exchange (a server could freeze the process with it: ssh.md 1.1),
 * no SHA-1 and no CBC unless a person asked for legacy algorithms, no compression. Never depends on how ssh2 was built: every list is explicit.
 */
import { certifiedName, plainName } from './certificate.js';
import { HOST_CERTIFICATE_ALGORITHMS } from './host-certificate-algorithms.js';
import type { Algorithms } from './ssh2.js';

const KEX = [
  'curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256', 'ecdh-sha2-nistp384',
  'diffie-hellman-group16-sha512', 'diffie-hellman-group14-sha256',
] as const;
const HOST_KEYS = [
  ...HOST_CERTIFICATE_ALGORITHMS,
  'ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256',
] as const;
const MACS = ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'] as const;

/** Weak without strict key exchange (CVE-2023-48795): last in the list, and refused after the handshake without it. */
export const CHACHA20 = 'chacha20-poly1305@openssh.com';
const CIPHERS = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes256-ctr', CHACHA20] as const;

/** Algorithm lists by the categories that two sides must agree on. */
export interface AlgorithmOffer {
  readonly kex: readonly string[];
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  readonly compression: readonly string[];
}

export const OFFER: AlgorithmOffer = { kex: KEX, hostKeys: HOST_KEYS, ciphers: CIPHERS, macs: MACS, compression: ['none'] };

/** Behind all others, for nodes that know nothing better. Still no group exchange, no 1024-bit group, no 3DES, no RC4: nothing makes those safe. */
export const LEGACY_OFFER: AlgorithmOffer = {
  kex: [...KEX, 'diffie-hellman-group14-sha1'],
  hostKeys: [...HOST_KEYS, 'ssh-rsa'],
  ciphers: [...CIPHERS, 'aes128-cbc', 'aes256-cbc'],
  macs: [...MACS, 'hmac-sha1-etm@openssh.com', 'hmac-sha1'],
  compression: ['none'],
};

const PLAIN_SIGNATURES = [
  'ssh-ed25519', 'sk-ssh-ed25519@openssh.com', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521',
  'sk-ecdsa-sha2-nistp256@openssh.com', 'rsa-sha2-512', 'rsa-sha2-256',
] as const;

/** Signatures of user keys, best first, certificates first, by the names of PubkeyAcceptedAlgorithms. */
export const SIGNATURES: readonly string[] = [...PLAIN_SIGNATURES.map(certifiedName), ...PLAIN_SIGNATURES];

/** With SHA-1 for RSA keys, last. */
export const LEGACY_SIGNATURES: readonly string[] = [...SIGNATURES, certifiedName('ssh-rsa'), 'ssh-rsa'];

/** What a server is asked to show. */
export interface KeyWish {
  /** Types of plain keys that are known, before all others. */
  readonly types: ReadonlySet<string>;
  /** Certificates, before all plain keys; else none. */
  readonly certificates: boolean;
}

/**
 * The host keys of the offer for one host: with the types that known_hosts has for it first, else a server would show its ed25519
 * key where only its RSA key is recorded, and a good host would look unknown (ssh.md 2.6); with certificates only where an
 * authority is trusted for it, else its plain key could not be asked for.
 */
export function hostKeysFor(offer: AlgorithmOffer, wish: KeyWish): readonly string[] {
  const isCertificate = (algorithm: string): boolean => plainName(algorithm) !== undefined;
  const isKnown = (algorithm: string): boolean => wish.types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  const certificates = offer.hostKeys.filter(isCertificate);
  const plain = offer.hostKeys.filter((algorithm) => !isCertificate(algorithm));
  if (plain.length === 0) return certificates; // ssh_config allows nothing else
  return [...(wish.certificates ? certificates : []), ...plain.filter(isKnown), ...plain.filter((algorithm) => !isKnown(algorithm))];
}

/** Why a server is never asked for a key of this type; `undefined` where it is. Completes "because ...". */
export function whyNotOffered({ hostKeys }: AlgorithmOffer, keyType: string): string | undefined {
  const isOfType = (algorithm: string): boolean => (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm) === keyType;
  if (hostKeys.some(isOfType)) return undefined;
  return HOST_KEYS.some(isOfType) ? 'HostKeyAlgorithms of ssh_config leaves it out' : 'fleetmend does not have it';
}

/** The offer in the form of ssh2. */
export function algorithmsFor(offer: AlgorithmOffer, wish: KeyWish): Algorithms {
  // The types of ssh2 name every algorithm that it has; a list of a route was made from those.
  return {
    kex: [...offer.kex],
    serverHostKey: [...hostKeysFor(offer, wish)],
    cipher: [...offer.ciphers],
    hmac: [...offer.macs],
    compress: [...offer.compression],
  } as Algorithms;
}
