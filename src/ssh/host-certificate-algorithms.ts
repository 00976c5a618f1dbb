/** The host key algorithms that stand for a certificate (PROTOCOL.certkeys of OpenSSH). Pure; knows no trust. */
import { certifiedName } from './certificate.js';

const PLAIN = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'];

/** Best first. None with SHA-1. */
export const HOST_CERTIFICATE_ALGORITHMS: readonly string[] = PLAIN.map(certifiedName);

/** The type of the key blob under an algorithm: RSA has one for all its signatures. Also for plain algorithms. */
export function blobTypeOf(algorithm: string): string {
  return algorithm.replace(/^rsa-sha2-(?:256|512)/, 'ssh-rsa');
}
