/** Which signature a key makes for a server. Pure. */
import { certifiedName } from './certificate.js';

/** An algorithm under its two names; they differ for certificates. */
export interface SignatureAlgorithm {
  /** In the login request: `rsa-sha2-512-cert-v01@openssh.com`. */
  readonly requested: string;
  /** In the signature: `rsa-sha2-512`. */
  readonly signed: string;
}

/** Best first. `allowed`: by the names of requests (PubkeyAcceptedAlgorithms). */
export function signatureAlgorithms(keyType: string, isCertificate: boolean, allowed: readonly string[]): SignatureAlgorithm[] {
  const signed = keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'] : [keyType];
  const known = signed.map((name) => ({ signed: name, requested: isCertificate ? certifiedName(name) : name }));
  return known.filter(({ requested }) => allowed.includes(requested)).sort((a, b) => allowed.indexOf(a.requested) - allowed.indexOf(b.requested));
}

/**
 * `server`: what it said that it takes (`server-sig-algs`, RFC 8308); only RSA keys have a choice. A server that says nothing knows, as
 * a rule, nothing better than SHA-1: that is asked for where it is allowed, as OpenSSH does; else the best is tried.
 */
export function chooseSignature(ours: readonly SignatureAlgorithm[], server: readonly string[] | undefined): SignatureAlgorithm | undefined {
  if (!ours.some(({ signed }) => RSA.includes(signed))) return ours[0];
  if (server === undefined) return ours.find(({ signed }) => signed === 'ssh-rsa') ?? ours[0];
  return ours.find(({ signed }) => server.includes(signed));
}

const RSA: readonly string[] = ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'];
