/**
 * The names of algorithms that some OpenSSH knows (7.x to 10.x): what is none of them is a typing error, as for OpenSSH.
 * Says nothing about what fleetmend can do. Pure.
 */
import type { InputError } from '../core/input-error.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import type { AlgorithmList } from './algorithm-list.js';
import { matchPatterns, matchWildcards } from './match-pattern.js';

export type AlgorithmFamily = 'kex' | 'ciphers' | 'macs' | 'keys';

const KEX = [
  'diffie-hellman-group1-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group14-sha256', 'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512', 'diffie-hellman-group-exchange-sha1', 'diffie-hellman-group-exchange-sha256',
  'ecdh-sha2-nistp256', 'ecdh-sha2-nistp384', 'ecdh-sha2-nistp521', 'curve25519-sha256', 'curve25519-sha256@libssh.org',
  'sntrup4591761x25519-sha512@tinyssh.org', 'sntrup761x25519-sha512', 'sntrup761x25519-sha512@openssh.com', 'mlkem768x25519-sha256',
];

const CIPHERS = [
  '3des-cbc', 'blowfish-cbc', 'cast128-cbc', 'arcfour', 'arcfour128', 'arcfour256', 'aes128-cbc', 'aes192-cbc', 'aes256-cbc',
  'rijndael-cbc@lysator.liu.se', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr', 'aes128-gcm@openssh.com', 'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
];

const PLAIN_MACS = [
  'hmac-sha1', 'hmac-sha1-96', 'hmac-sha2-256', 'hmac-sha2-512', 'hmac-md5', 'hmac-md5-96', 'hmac-ripemd160',
  'umac-64@openssh.com', 'umac-128@openssh.com',
];
const MACS = [...PLAIN_MACS, 'hmac-ripemd160@openssh.com', ...PLAIN_MACS.map((name) => `${name.replace('@openssh.com', '')}-etm@openssh.com`)];

const PLAIN_KEYS = [
  'ssh-ed25519', 'sk-ssh-ed25519@openssh.com', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521',
  'sk-ecdsa-sha2-nistp256@openssh.com', 'ssh-dss', 'ssh-rsa', 'rsa-sha2-256', 'rsa-sha2-512', 'ssh-xmss@openssh.com',
];
const KEYS = [...PLAIN_KEYS, 'webauthn-sk-ecdsa-sha2-nistp256@openssh.com', ...PLAIN_KEYS.map((name) => `${name.replace('@openssh.com', '')}-cert-v01@openssh.com`)];
/** Types of keys that OpenSSH takes for names here, in upper and lower case; no algorithm is called so. */
const KEY_TYPES = ['ed25519', 'ed25519-sk', 'ecdsa', 'ecdsa-sk', 'dsa', 'rsa', 'xmss'];

const NAMES: Readonly<Record<AlgorithmFamily, readonly string[]>> = { kex: KEX, ciphers: CIPHERS, macs: MACS, keys: KEYS };

/** What OpenSSH refuses in a list wherever it stands, or undefined. `text` is the list as written. */
export function findBadAlgorithm(list: AlgorithmList, text: string, family: AlgorithmFamily): Pick<InputError, 'expected' | 'got'> | undefined {
  if (list.mode === 'remove') return undefined;
  const written = list.mode === 'set' ? text : text.slice(1);
  if (written === '') return { expected: 'at least one algorithm', got: 'nothing' };
  const names = written.split(',');
  // OpenSSH looks no further than an empty name.
  const end = names.indexOf('');
  const known = NAMES[family];
  const bad = (end < 0 ? names : names.slice(0, end)).find((name) => !isKnown(name, known, family));
  return bad === undefined ? undefined : { expected: `a name that OpenSSH knows${suggestWord(bad, known)}`, got: quoteText(bad) };
}

/** What OpenSSH refuses in a list that counts: a `!`, and a list that names nothing. */
export function findBadList(list: AlgorithmList, family: AlgorithmFamily): Pick<InputError, 'expected' | 'got'> | undefined {
  if (list.mode === 'remove') return undefined;
  const negated = list.patterns.find((name) => name.startsWith('!'));
  if (negated !== undefined) return { expected: 'no ! in a list that does not begin with -', got: quoteText(negated) };
  const isEmpty = list.mode === 'set' && !list.patterns.some((pattern) => NAMES[family].some((name) => matchWildcards(pattern, name)));
  return isEmpty ? { expected: 'a list that names at least one algorithm', got: quoteText(list.patterns.join(',')) } : undefined;
}

function isKnown(name: string, known: readonly string[], family: AlgorithmFamily): boolean {
  if (known.includes(name)) return true;
  if (family !== 'keys') return false;
  return KEY_TYPES.includes(name.toLowerCase()) || known.some((one) => matchPatterns(name.split(','), one) !== 'no');
}
