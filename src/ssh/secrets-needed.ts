/** Which secrets the login to a server will ask for, so that a person is asked once, before the first host. Never reads one. */
import type { SecretRequest } from '../core/secret.js';
import { isLocked, passphraseRequest } from './identities.js';
import { planIdentities } from './identity-plan.js';
import type { KeySources } from './key-sources.js';
import type { Hop } from './route.js';

/** Passphrases of encrypted keys that no agent holds, and the password. Looks at files and agents, each once; connects to nothing. */
export async function secretsNeeded(hop: Hop, sources: KeySources, now = new Date()): Promise<readonly SecretRequest[]> {
  const plan = await planIdentities(hop, sources, now);
  const locked = plan.offers.flatMap(({ key }) => (isLocked(key) ? [key] : []));
  const files = [...new Map(locked.map((key) => [key.file, key])).values()];
  const password = passwordRequest(hop);
  return [...files.map((key) => passphraseRequest(hop, key, plan)), ...(password ? [password] : [])];
}

/** A prompt asks once for a user, whatever the host; a command with `{host}` or `{address}` has one answer for each. */
export function passwordRequest({ name, address, user, login }: Hop): SecretRequest | undefined {
  const { password: source } = login;
  if (source === undefined || !passwordMethods(login).length) return undefined;
  const isPerHost = source.from === 'command' && source.argv.some((argument) => /\{(?:host|address)\}/.test(argument));
  return { source, label: isPerHost ? `password of ${user} on ${name}` : `password of ${user}`, host: { name, address, user } };
}

/** The ones that a password answers, in the order in which they are tried where the server has both. */
export function passwordMethods({ methods }: Hop['login']): readonly ('password' | 'keyboard-interactive')[] {
  const allowed = methods ?? ['password', 'keyboard-interactive'];
  return allowed.filter((method) => method !== 'publickey');
}
