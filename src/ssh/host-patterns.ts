/**
 * The host field of a known_hosts line against one name, as OpenSSH does it: hashed names, comma lists, `*` and `?`,
 * `!` negation (ssh.md 2.6). Never builds a regular expression from the text of a file.
 */
import { createHmac } from 'node:crypto';

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

/** `name` is in lower case. */
export function matchesHostField(field: HostField, name: string): boolean {
  switch (field.form) {
    case 'plain':
      return field.names.includes(name);
    case 'hashed':
      return createHmac('sha1', field.salt).update(name).digest('base64') === field.hash;
    case 'patterns':
      return matchesPatterns(field.patterns, name);
  }
}

/** A negated match refuses the whole line, wherever it stands. */
function matchesPatterns(patterns: readonly string[], name: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    if (pattern.startsWith('!')) {
      if (matchesWildcards(pattern.slice(1), name)) return false;
    } else if (matchesWildcards(pattern, name)) {
      matched = true;
    }
  }
  return matched;
}

/** `*` is any run of characters, `?` exactly one. Linear: it only ever goes back to the last star. */
export function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let inPattern = 0;
  let star = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const wanted = pattern[inPattern];
    if (wanted === '*') {
      star = inPattern++;
      resumeAt = at;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[at])) {
      inPattern += 1;
      at += 1;
    } else if (star >= 0) {
      inPattern = star + 1;
      at = ++resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern += 1;
  return inPattern === pattern.length;
}
