/**
 * Whether a host certificate holds for a name now, as OpenSSH judges it (sshkey_cert_check_host). Stricter in one thing, as OpenSSH is
 * since 10.3: a certificate without principals is for no host. Wildcards in principals stand for themselves, as in
 * OpenSSH before 10.3. Pure; whether its authority is trusted is said by known_hosts.
 */
import { quotePeer } from './failures.js';
import type { Certificate } from './certificate.js';
import { isSignatureOf, signatureAlgorithmOf } from './verify-signature.js';

/** CASignatureAlgorithms of OpenSSH: none with SHA-1. */
const AUTHORITY_SIGNATURES: readonly string[] = [
  'ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com', 'rsa-sha2-512', 'rsa-sha2-256',
];
/** Certificates without an end say so with the largest number. */
const FOREVER = 0xffff_ffff_ffff_ffffn;

/** What is wrong with it: completes "the certificate ...", in clean text. `name`: in lower case, the alias or the address, without a port. */
export function faultOf(certificate: Certificate, name: string, nowMs: number): string | undefined {
  const now = BigInt(Math.floor(nowMs / 1000));
  const algorithm = signatureAlgorithmOf(certificate.signature);
  if (!AUTHORITY_SIGNATURES.includes(algorithm)) return `is signed with ${quotePeer(algorithm) || 'nothing'}, which is not accepted`;
  if (!isSignatureOf(certificate.authority, certificate.signature, certificate.signed)) return 'has a false signature';
  if (certificate.role !== 'host') return `is one of a ${certificate.role === 'user' ? 'user' : 'kind that is not known'}, not of a host`;
  if (now < certificate.validAfter) return `is not valid before ${timeOf(certificate.validAfter)}`;
  if (certificate.validBefore !== FOREVER && now >= certificate.validBefore) return `is not valid since ${timeOf(certificate.validBefore)}`;
  if (!certificate.principals.includes(name)) return `is for ${principalsOf(certificate)}, not for ${quotePeer(name)}`;
  if (certificate.criticalOptions.length > 0) return `has critical options that are not known: ${quotePeer(certificate.criticalOptions.join(', '))}`;
  return undefined;
}

function principalsOf({ principals }: Certificate): string {
  return principals.length === 0 ? 'no name at all' : quotePeer(principals.join(', '));
}

/** Of a number that a peer may have chosen. */
function timeOf(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString();
}
