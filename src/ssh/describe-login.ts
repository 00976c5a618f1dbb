/** What a login will offer, in order, in words: for `--verbose`. Never a secret, never a connection. */
import { isLocked } from './identities.js';
import { planIdentities } from './identity-plan.js';
import type { SecretSource } from '../core/secret.js';
import type { KeySources } from './key-sources.js';
import type { Hop } from './route.js';
import { passwordMethods } from './secrets-needed.js';

/** One line for each key or method, the first one first; then why others are not offered. */
export async function describeLogin(hop: Hop, sources: KeySources, now = new Date()): Promise<readonly string[]> {
  const { offers, remarks } = await planIdentities(hop, sources, now);
  const keys = offers.map(({ label, key, isCertificate }) => `${isCertificate ? 'certificate' : 'key'} ${label}${isLocked(key) ? ', encrypted: its passphrase is asked for' : ''}`);
  const methods = passwordMethods(hop.login);
  const password = hop.login.password && methods.length > 0 ? [`${methods.join(' or ')} with ${describeSource(hop.login.password)}`] : [];
  return [...keys, ...password, ...remarks];
}

/** Completes "with ...". */
export function describeSource(source: SecretSource): string {
  switch (source.from) {
    case 'prompt':
      return 'a password that is asked for';
    case 'env':
      return `the password in the environment variable ${source.name}`;
    case 'command':
      return `the password that ${source.argv[0] ?? 'a command'} prints`;
  }
}
