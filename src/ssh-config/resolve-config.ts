/** All that ssh_config says of one name: the lines that count, with tokens, `~` and variables replaced where OpenSSH does so. Pure. */
import { createHash } from 'node:crypto';
import type { InputError } from '../core/input-error.js';
import { badInput, quoteText } from '../core/input-error.js';
import { findBadList } from './algorithm-names.js';
import type { ExpandRules, Expanded } from './expand-text.js';
import { expandText, expandTilde } from './expand-text.js';
import type { LoadedConfig, Place, RawKey, RawValues } from './parsed-config.js';
import type { AskedFor, OptionField, SshConfig } from './ssh-config.js';
import type { Placed, SettledConfig } from './walk-config.js';
import { walkConfig } from './walk-config.js';

const DEFAULT_PORT = 22;

/**
 * The first value wins, over all files in their order; keys and certificates add up. Throws badInput with all that is wrong:
 * unknown options, tokens and variables that cannot be replaced, a name or user that no shell should see.
 */
export function resolveConfig(files: readonly LoadedConfig[], asked: AskedFor): SshConfig {
  const errors = checkAsked(asked);
  const settled = walkConfig(files, asked);
  errors.push(...settled.errors, ...checkRefusal(settled), ...checkLists(settled), ...checkLoop(settled, asked));
  const expand = makeExpand(settled, asked, errors);
  const config = assemble(settled, expand);
  const each = new Map(errors.map((error) => [`${error.file}:${error.line ?? ''}:${error.path}:${error.got ?? ''}`, error]));
  if (errors.length > 0) throw badInput([...each.values()]);
  return config;
}

interface Expand {
  readonly user: string | undefined;
  /** `~`, tokens, ${NAME}. */
  readonly path: (raw: Placed<string>, field: OptionField) => string;
  /** `~` alone. */
  readonly home: (raw: Placed<string>, field: OptionField) => string;
  /** %h %k %n %p %r. */
  readonly command: (raw: Placed<string>) => string;
  readonly agent: (raw: Placed<string>) => string;
}

function makeExpand(settled: SettledConfig, asked: AskedFor, errors: InputError[]): Expand {
  const done = (expanded: Expanded, raw: Placed<string>, field: string): string => {
    if (expanded.ok) return expanded.text;
    errors.push({ file: raw.place?.file ?? 'ssh_config', ...(raw.place ? { line: raw.place.line } : {}), path: field, expected: expanded.expected, got: expanded.got });
    return raw.value;
  };
  const { localHost, localUser, name, uid, env } = asked;
  const jumps = settled.get('proxyJump')?.value ?? 'none';
  const tokens = {
    L: localHost.split('.', 1)[0] ?? '', d: asked.home, h: settled.hostName, i: String(uid),
    j: jumps === 'none' ? '' : (jumps.at(-1)?.host ?? ''), k: settled.get('hostKeyAlias')?.value.toLowerCase() ?? name, l: localHost, n: name,
    p: String(settled.get('port')?.value ?? DEFAULT_PORT), u: localUser,
  };
  const raw = settled.get('user');
  // Newer than OpenSSH 9.2, where a % in a user stands for itself. A user that was asked for is a name, not a text with tokens.
  const user = raw?.place === undefined ? raw?.value : done(expandText(raw.value, { tokens, env }), raw, 'user');
  const hash = createHash('sha1').update(tokens.l + tokens.h + tokens.p + (user ?? localUser) + tokens.j).digest('hex');
  const all: ExpandRules = { tokens: { ...tokens, r: user ?? localUser, C: hash }, env };
  const { h, k, n, p } = tokens;
  const homeOf = asked.homeOf ?? (() => undefined);
  const home: Expand['home'] = (value, field) => done(expandTilde(value.value, asked.home, homeOf), value, field);
  return {
    user, home,
    path: (value, field) => done(expandText(home(value, field), all), value, field),
    command: (value) => done(expandText(value.value, { tokens: { h, k, n, p, r: user ?? localUser } }), value, 'proxyCommand'),
    agent: (value) => {
      const legacy = /^\$([A-Za-z0-9_]+)$/.exec(value.value);
      if (legacy !== null) return env[legacy[1] ?? ''] ?? 'none';
      return done(expandText(home(value, 'identityAgent'), all), value, 'identityAgent');
    },
  };
}

/** What is copied as it stands. */
const PLAIN_FIELDS = [
  'port', 'identitiesOnly', 'strictHostKeyChecking', 'hashKnownHosts', 'connectTimeoutMs', 'serverAliveIntervalMs', 'serverAliveCountMax',
  'kexAlgorithms', 'ciphers', 'macs', 'hostKeyAlgorithms', 'pubkeyAcceptedAlgorithms', 'bindAddress', 'passwordAuthentication',
  'kbdInteractiveAuthentication', 'pubkeyAuthentication',
] as const satisfies readonly (RawKey & OptionField)[];

function assemble(settled: SettledConfig, expand: Expand): SshConfig {
  const origins: Partial<Record<OptionField, Place>> = {};
  const fields: Record<string, unknown> = {};
  const put = <T>(field: OptionField, raw: Placed<T> | undefined, value: (raw: Placed<T>) => unknown): void => {
    if (raw === undefined) return;
    const result = value(raw);
    if (result === undefined) return;
    fields[field] = result;
    if (raw.place !== undefined) origins[field] = raw.place;
  };
  const get = <K extends RawKey>(key: K): Placed<RawValues[K]> | undefined => settled.get(key);
  const files = (field: OptionField, list: readonly Placed<string>[]): string[] =>
    list.filter(({ value }) => value.toLowerCase() !== 'none').map((raw) => expand.path(raw, field));
  for (const field of PLAIN_FIELDS) put(field, get(field), (raw) => raw.value);
  put('hostName', get('hostName'), () => settled.hostName);
  put('user', get('user'), () => expand.user);
  put('identityFiles', settled.identityFiles[0], () => files('identityFiles', settled.identityFiles));
  put('certificateFiles', settled.certificateFiles[0], () => files('certificateFiles', settled.certificateFiles));
  put('identityAgent', get('identityAgent'), expand.agent);
  put('proxyJump', get('proxyJump'), ({ value }) => (value === 'none' && get('proxyCommand') !== undefined ? undefined : value));
  put('proxyCommand', get('proxyCommand'), (raw) => (raw.value === '' || raw.value.toLowerCase() === 'none' ? 'none' : expand.command(raw)));
  put('userKnownHostsFiles', get('userKnownHostsFiles'), (raw) => raw.value.map((value) => expand.path({ ...raw, value }, 'userKnownHostsFiles')));
  put('globalKnownHostsFiles', get('globalKnownHostsFiles'), (raw) => raw.value.map((value) => expand.home({ ...raw, value }, 'globalKnownHostsFiles')));
  put('hostKeyAlias', get('hostKeyAlias'), (raw) => raw.value.toLowerCase());
  put('revokedHostKeys', get('revokedHostKeys'), ({ value }) => (value.toLowerCase() === 'none' ? undefined : value));
  put('addressFamily', get('addressFamily'), ({ value }) => (value === 'any' ? undefined : value));
  put('preferredAuthentications', get('preferredAuthentications'), ({ value }) => value.split(',').filter((method) => method !== ''));
  // Every field was put under its own name, with the value that SshConfig wants there.
  return { certificateFiles: [], ...(fields as Partial<SshConfig>), hostName: settled.hostName, origins, remarks: settled.remarks };
}

/** As OpenSSH since 9.6: these end up in a ProxyCommand, which a shell reads. */
function checkAsked({ name, user }: AskedFor): InputError[] {
  const errors: InputError[] = [];
   
  if (name === '' || /^-|['`"$\\;&<>|(){}\s\x00-\x1f\x7f]/.test(name)) {
    errors.push({ file: 'ssh_config', path: 'host', expected: 'a name without blanks, quotes and characters of a shell', got: quoteText(name) });
  }
   
  if (user !== undefined && /^-|['`";&<>|(){}\x00-\x1f\x7f]|\s-|\\$/.test(user)) {
    errors.push({ file: 'ssh_config', path: 'user', expected: 'a user without quotes and characters of a shell', got: quoteText(user) });
  }
  return errors;
}

function checkRefusal(settled: SettledConfig): InputError[] {
  const refusal = settled.get('refuseConnection');
  return refusal?.place === undefined ? [] : [{ ...refusal.place, path: 'RefuseConnection', expected: 'no connection to this host', got: quoteText(refusal.value) }];
}

const LISTS = { kexAlgorithms: 'kex', ciphers: 'ciphers', macs: 'macs', hostKeyAlgorithms: 'keys', pubkeyAcceptedAlgorithms: 'keys' } as const;

function checkLists(settled: SettledConfig): InputError[] {
  return Object.keys(LISTS).flatMap((name) => {
    const key = name as keyof typeof LISTS;
    const list = settled.get(key);
    const bad = list === undefined ? undefined : findBadList(list.value, LISTS[key]);
    return bad === undefined || list?.place === undefined ? [] : [{ ...list.place, path: key, ...bad }];
  });
}

/** The last jump host may not be the host itself. */
function checkLoop(settled: SettledConfig, asked: AskedFor): InputError[] {
  const jumps = settled.get('proxyJump');
  const last = jumps === undefined || jumps.value === 'none' ? undefined : jumps.value.at(-1);
  const user = settled.get('user')?.value ?? asked.localUser;
  const isSame = last?.host === settled.hostName && (last.port ?? DEFAULT_PORT) === (settled.get('port')?.value ?? DEFAULT_PORT) && (last.user ?? user) === user;
  if (!isSame || jumps?.place === undefined || asked.isWaySaid === true) return [];
  return [{ ...jumps.place, path: 'ProxyJump', expected: 'a host other than the one to reach', got: quoteText(last.host) }];
}
