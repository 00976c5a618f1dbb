/** What the system's own `ssh -G` says of a configuration, and what src/ssh-config says, in one form that can be compared. */
import { execFile } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import { FleetmendError } from '../../src/core/failure.js';
import { loadConfigFiles } from '../../src/ssh/config-files.js';
import type { ConfigFilesOptions } from '../../src/ssh/config-files.js';
import { findHome } from '../../src/ssh/home-of.js';
import { applyAlgorithmList, resolveConfig } from '../../src/ssh-config/index.js';
import type { AlgorithmList, AskedFor, SshConfig } from '../../src/ssh-config/index.js';

export interface Question {
  readonly name: string;
  readonly user?: string;
  readonly port?: number;
}

/** `refused`: why, for a person who looks at a difference. */
export type Answer = { readonly refused: string } | { readonly options: Readonly<Record<string, string>> };

/** The variables that configurations of the tests may use. */
export const ENV = { ...process.env, FM_NAME: 'from-env', FM_EMPTY: '', SSH_AUTH_SOCK: '/run/agent.sock' };

/** As `user@name:port`. */
export function parseQuestion(text: string): Question {
  const [, user, name = '', port] = /^(?:([^@]*)@)?(.*?)(?::(\d+))?$/.exec(text) ?? [];
  return { name, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port: Number(port) }) };
}

export function run(program: string, args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  return new Promise((done, fail) => {
    const child = execFile(program, args, { env: ENV, timeout: 20_000, encoding: 'utf8' }, (error, out, err) => {
      if (error === null) done({ code: 0, out, err });
      else if (typeof error.code === 'number') done({ code: error.code, out, err });
      else fail(error);
    });
    child.stdin?.end();
  });
}

const LISTS = { kexAlgorithms: 'kex', ciphers: 'cipher', macs: 'mac', hostKeyAlgorithms: 'key-sig', pubkeyAcceptedAlgorithms: 'key-sig' } as const;
type ListField = keyof typeof LISTS;

export interface SshDefaults {
  readonly lists: Readonly<Record<ListField, { readonly ours: readonly string[]; readonly all: readonly string[] }>>;
  readonly files: Readonly<Record<'userknownhostsfile' | 'globalknownhostsfile', string>>;
  readonly identityFiles: string;
}

export async function readDefaults(): Promise<SshDefaults> {
  const plain = await askSsh(['-F', 'none'], { name: 'plain' });
  if (!('options' in plain)) throw new Error(plain.refused);
  const { options } = plain;
  const lists = await Promise.all(Object.entries(LISTS).map(async ([field, query]) => {
    const all = (await run('ssh', ['-Q', query])).out.trim().split('\n');
    return [field, { ours: (options[field.toLowerCase()] ?? '').split(','), all }] as const;
  }));
  return {
    lists: Object.fromEntries(lists) as unknown as SshDefaults['lists'],
    files: { userknownhostsfile: options['userknownhostsfile'] ?? '', globalknownhostsfile: options['globalknownhostsfile'] ?? '' },
    identityFiles: options['identityfile'] ?? '',
  };
}

const REPEATED = ['identityfile', 'certificatefile'];
const USED = [
  'user', 'hostname', 'port', 'identitiesonly', 'identityagent', 'proxycommand', 'proxyjump', 'userknownhostsfile', 'globalknownhostsfile',
  'stricthostkeychecking', 'hostkeyalias', 'hashknownhosts', 'connecttimeout', 'serveraliveinterval', 'serveralivecountmax', 'kexalgorithms',
  'ciphers', 'macs', 'hostkeyalgorithms', 'pubkeyacceptedalgorithms', 'addressfamily', 'bindaddress', 'preferredauthentications',
  'passwordauthentication', 'kbdinteractiveauthentication', 'pubkeyauthentication', ...REPEATED,
];

export async function askSsh(files: readonly string[], question: Question): Promise<Answer> {
  const args = ['-G', ...files, ...(question.user === undefined ? [] : ['-l', question.user]), ...(question.port === undefined ? [] : ['-p', String(question.port)])];
  const { code, out, err } = await run('ssh', [...args, '--', question.name]);
  // OpenSSH 9.2 says that a list is wrong, and goes on with half of its defaults; newer ones end here.
  return code === 0 && !/^fill_default_options: /m.test(err) ? { options: readAnswer(out) } : { refused: err };
}

/** The output of `ssh -G`, as far as it is about what we use. */
export function readAnswer(out: string): Readonly<Record<string, string>> {
  const options: Record<string, string> = {};
  for (const line of out.split('\n')) {
    const [, keyword = '', value = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
    if (!USED.includes(keyword)) continue;
    options[keyword] = REPEATED.includes(keyword) && options[keyword] !== undefined ? `${options[keyword]} ${value}` : value;
  }
  return { ...options, ...normalized(options) };
}

/** Where `ssh -G` has several spellings for one meaning, or prints what is not replaced yet. */
function normalized(options: Readonly<Record<string, string>>): Record<string, string> {
  const yesNo: Readonly<Record<string, string>> = { true: 'yes', false: 'no', off: 'no', unbound: 'yes', 'host-bound': 'yes' };
  const one = (keyword: string): Record<string, string> => {
    const value = options[keyword];
    return value === undefined ? {} : { [keyword]: yesNo[value] ?? value };
  };
  return { ...one('stricthostkeychecking'), ...one('pubkeyauthentication') };
}

export interface OurQuestion extends Question {
  readonly files: ConfigFilesOptions;
}

export function askedFor(question: Question, home = userInfo().homedir): AskedFor {
  const { username, uid } = userInfo();
  return {
    ...question, localUser: username, localHost: hostname(), home, uid, env: ENV,
    homeOf: findHome,
  };
}

export async function resolveOurs({ files, ...question }: OurQuestion): Promise<SshConfig> {
  return resolveConfig(await loadConfigFiles(files), askedFor(question, userInfo().homedir));
}

/** Identity and certificate files, and commands, are compared as they are written: `ssh -G` does not replace anything in them. */
export async function askOurs(question: OurQuestion, defaults: SshDefaults): Promise<Answer> {
  try {
    return { options: describeOurs(await resolveOurs(question), defaults) };
  } catch (error) {
    if (error instanceof FleetmendError && error.failure.kind === 'badInput') return { refused: `${error.failure.summary}\n${error.failure.detail ?? ''}` };
    throw error;
  }
}

function describeOurs(config: SshConfig, defaults: SshDefaults): Readonly<Record<string, string>> {
  const flag = (value: boolean | undefined, otherwise: boolean): string => ((value ?? otherwise) ? 'yes' : 'no');
  const list = (field: ListField): string => describeList(config[field], defaults.lists[field]);
  const options: Record<string, string | undefined> = {
    user: config.user ?? userInfo().username, hostname: config.hostName, port: String(config.port ?? 22),
    identityfile: config.identityFiles === undefined ? written('identityfile', defaults.identityFiles, {}) : config.identityFiles.join(' '),
    certificatefile: config.certificateFiles.join(' ') || undefined,
    identitiesonly: flag(config.identitiesOnly, false), identityagent: config.identityAgent,
    proxycommand: config.proxyCommand === 'none' ? undefined : config.proxyCommand,
    proxyjump: describeJumps(config.proxyJump),
    userknownhostsfile: describeFiles(config.userKnownHostsFiles) ?? defaults.files.userknownhostsfile,
    globalknownhostsfile: describeFiles(config.globalKnownHostsFiles) ?? defaults.files.globalknownhostsfile,
    stricthostkeychecking: config.strictHostKeyChecking ?? 'ask',
    hostkeyalias: config.hostKeyAlias, hashknownhosts: flag(config.hashKnownHosts, false),
    connecttimeout: config.connectTimeoutMs === undefined ? 'none' : String(config.connectTimeoutMs / 1000),
    serveraliveinterval: String((config.serverAliveIntervalMs ?? 0) / 1000), serveralivecountmax: String(config.serverAliveCountMax ?? 3),
    kexalgorithms: list('kexAlgorithms'), ciphers: list('ciphers'), macs: list('macs'), hostkeyalgorithms: list('hostKeyAlgorithms'),
    pubkeyacceptedalgorithms: list('pubkeyAcceptedAlgorithms'),
    addressfamily: config.addressFamily === undefined ? 'any' : config.addressFamily === 4 ? 'inet' : 'inet6',
    bindaddress: config.bindAddress, preferredauthentications: config.preferredAuthentications?.join(','),
    passwordauthentication: flag(config.passwordAuthentication, true), kbdinteractiveauthentication: flag(config.kbdInteractiveAuthentication, true),
    pubkeyauthentication: flag(config.pubkeyAuthentication, true),
  };
  return Object.fromEntries(Object.entries(options).flatMap(([keyword, value]) => (value === undefined ? [] : [[keyword, value]])));
}

function describeList(list: AlgorithmList | undefined, { ours, all }: { readonly ours: readonly string[]; readonly all: readonly string[] }): string {
  return applyAlgorithmList(list, ours, all).join(',');
}

function describeFiles(files: readonly string[] | undefined): string | undefined {
  return files === undefined ? undefined : files.join(' ') || 'none';
}

/** As `ssh -G` prints it: the last hop is taken apart, the others stand as they were written. */
function describeJumps(jumps: SshConfig['proxyJump']): string | undefined {
  if (jumps === undefined || jumps === 'none') return undefined;
  return jumps.map(({ user, host, port }) => `${user === undefined ? '' : `${user}@`}${/^[\d.]+$|:/.test(host) ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`).join(',');
}

/** `ssh -G` in that form too. */
function normalizeJumps(text: string): string {
  return text.split(',').map((hop) => {
    const [, user = '', host = '', port = ''] = /^(.*@)?\[?([^\]]*?)\]?(?::(\d*))?$/.exec(hop.replace(/^ssh:\/\//, '').replace(/\/$/, '')) ?? [];
    return `${user}${/^[\d.]+$|:/.test(host) ? `[${host}]` : host}${port === '' ? '' : `:${port}`}`;
  }).join(',');
}

/** The keywords in which two answers differ, with both values; empty: they agree. */
export function differences(ssh: Answer, ours: Answer): string[] {
  if ('refused' in ssh || 'refused' in ours) {
    if ('refused' in ssh && 'refused' in ours) return [];
    return [`ssh: ${'refused' in ssh ? ssh.refused : 'accepts'}; ours: ${'refused' in ours ? ours.refused : 'accepts'}`];
  }
  return USED.flatMap((keyword) => {
    const theirs = keyword === 'proxyjump' && ssh.options[keyword] !== undefined ? normalizeJumps(ssh.options[keyword]) : (ssh.options[keyword] ?? '(none)');
    const own = ours.options[keyword] ?? '(none)';
    const expected = written(keyword, theirs, ssh.options);
    return expected === own ? [] : [`${keyword}: ssh ${JSON.stringify(expected)}, ours ${JSON.stringify(own)}`];
  });
}

/** What `ssh -G` prints as it was written and we print replaced. What ssh makes of tokens in file names has tests of its own. */
function written(keyword: string, value: string, options: Readonly<Record<string, string>>): string {
  if (keyword === 'proxycommand') {
    const tokens: Readonly<Record<string, string | undefined>> = { '%': '%', h: options['hostname'], p: options['port'], r: options['user'] };
    return value.replace(/%(.)/g, (all, letter: string) => tokens[letter] ?? all);
  }
  if (!['identityfile', 'certificatefile', 'globalknownhostsfile'].includes(keyword)) return value;
  return value.split(' ').filter((file) => file.toLowerCase() !== 'none' || keyword === 'globalknownhostsfile').map((file) => file.replace(/^~(?:\/+|$)/, `${userInfo().homedir}/`)).join(' ');
}
