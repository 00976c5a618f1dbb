/**
 * What is offered to a server (ssh.md 3.6): no group exchange (a server could freeze the process with it: ssh.md 1.1),
 * no SHA-1, no CBC, no compression. Never depends on how ssh2 was built: every list is explicit.
 */
import type { Algorithms } from 'ssh2';

const KEX = [
  'curve25519-sha256', 'curve25519-sha256@libssh.org', 'ecdh-sha2-nistp256', 'ecdh-sha2-nistp384',
  'diffie-hellman-group16-sha512', 'diffie-hellman-group14-sha256',
] as const;
const HOST_KEYS = [
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

/** Signatures of user keys, best first; certificates and FIDO keys are known by the algorithm inside their names. */
export const SIGNATURES = [
  'ssh-ed25519', 'sk-ssh-ed25519@openssh.com', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521',
  'sk-ecdsa-sha2-nistp256@openssh.com', 'rsa-sha2-512', 'rsa-sha2-256',
] as const;

/**
 * The offer in the form of ssh2, with the host key types that known_hosts has for this host first: else a server would
 * show its ed25519 key where only its RSA key is recorded, and a good host would look unknown (ssh.md 2.6).
 */
export function algorithmsFor(offer: AlgorithmOffer, knownKeyTypes: ReadonlySet<string>): Algorithms {
  const isKnown = (algorithm: string): boolean => knownKeyTypes.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  // The types of ssh2 name every algorithm that it has; a list of a route was made from those.
  return {
    kex: [...offer.kex],
    serverHostKey: [...offer.hostKeys.filter(isKnown), ...offer.hostKeys.filter((algorithm) => !isKnown(algorithm))],
    cipher: [...offer.ciphers],
    hmac: [...offer.macs],
    compress: [...offer.compression],
  } as Algorithms;
}
