/**
 * The host field of a known_hosts line against one name, as OpenSSH does it: hashed names, comma lists, `*` and `?`,
 * `!` negation (ssh.md 2.6). Never builds a regular expression from the text of a file.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { matchPatterns } from '../ssh-config/index.js';

export type HostField =
  | { readonly form: 'plain'; readonly names: readonly string[] }
  | { readonly form: 'patterns'; readonly patterns: readonly string[] }
  | { readonly form: 'hashed'; readonly salt: Buffer; readonly hash: string };

/** `undefined` when the field cannot be read (a broken hash). */
export function parseHostField(field: string): HostField | undefined {
  if (field.startsWith('|')) return parseHashed(field);
  const names = field.toLowerCase().split(',').filter((name) => name !== '');
  const hasPattern = names.some((name) => name.startsWith('!') || /[*?]/.test(name));
  return hasPattern ? { form: 'patterns', patterns: names } : { form: 'plain', names };
}

function parseHashed(field: string): HostField | undefined {
  const [empty, version, salt, hash, ...rest] = field.split('|');
  if (empty !== '' || version !== '1' || salt === undefined || hash === undefined || rest.length > 0) return undefined;
  const saltBytes = Buffer.from(salt, 'base64');
  const hashBytes = Buffer.from(hash, 'base64');
  if (saltBytes.length !== 20 || hashBytes.length !== 20) return undefined;
  return { form: 'hashed', salt: saltBytes, hash: hashBytes.toString('base64') };
}

/** The host field of one name, which is in lower case, as `ssh-keygen -H` writes it. */
export function hashedName(name: string, salt = randomBytes(20)): string {
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** `name` is in lower case. */
export function matchesHostField(field: HostField, name: string): boolean {
  switch (field.form) {
    case 'plain':
      return field.names.includes(name);
    case 'hashed':
      return createHmac('sha1', field.salt).update(name).digest('base64') === field.hash;
    case 'patterns':
      // A negated match refuses the whole line, wherever it stands.
      return matchPatterns(field.patterns, name) === 'match';
  }
}
