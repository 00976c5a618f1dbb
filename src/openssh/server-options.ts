/**
 * What `ssh` is told of one server, a jump host or the target: what the inventory and the command line say of it, and what fleetmend
 * rests on; all else stays as ssh_config has it. `KnownHostsCommand` stays: it is a program that a person chose to trust. Pure;
 * never holds a secret.
 */
import { cleanText } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import type { Host, HostSsh } from '../core/host.js';
import type { OpenSshOptions } from './options.js';

export interface ArgumentChoices extends Pick<OpenSshOptions, 'hostKeys' | 'knownHostsFiles' | 'program'> {
  /** Of NEWER_OPTIONS: those that this `ssh` knows. */
  readonly newer?: readonly string[];
}

/** A target or a jump host; the way to it is not said here. */
export type Server = Pick<Host, 'name' | 'address' | 'port' | 'user' | 'identityFile' | 'connectTimeoutMs'> & { readonly ssh?: Omit<HostSsh, 'proxyJump' | 'jumpHosts'> };

/**
 * Beats ssh_config. `UpdateHostKeys`: many processes at once would overwrite each other's known_hosts. A name server, or the
 * address of this machine itself, vouches for no host key.
 */
const FIXED: readonly string[] = [
  'BatchMode=yes', 'FingerprintHash=sha256', 'UpdateHostKeys=no', 'NoHostAuthenticationForLocalhost=no', 'VerifyHostKeyDNS=no',
  'RemoteCommand=none', 'ClearAllForwardings=yes', 'ForwardAgent=no', 'ForwardX11=no', 'Tunnel=no', 'EscapeChar=none', 'PermitLocalCommand=no',
  'ServerAliveInterval=10', 'ServerAliveCountMax=3',
];

/**
 * Asked for by name, because an `ssh` that does not know one ends at once; `IgnoreUnknown` would take the place of a person's own. A
 * GSSAPI key exchange shows no host key that could be pinned; logins by GSSAPI stay.
 */
export const NEWER_OPTIONS: readonly string[] = ['ForkAfterAuthentication=no', 'StdinNull=no', 'LogVerbose=none', 'GSSAPIKeyExchange=no', 'SessionType=default'];

/**
 * Added to the defaults of `ssh`: the same algorithms as the other transport under this key, where `ssh` has them. Such a list takes the
 * place of one in ssh_config, a stricter one too; so only for a server for which somebody asked for weak algorithms, which is told.
 */
const LEGACY: readonly string[] = [
  'KexAlgorithms=+diffie-hellman-group14-sha1', 'HostKeyAlgorithms=+ssh-rsa', 'PubkeyAcceptedKeyTypes=+ssh-rsa',
  'Ciphers=+aes128-cbc,aes256-cbc', 'MACs=+hmac-sha1',
];

/** Throws FleetmendError: badInput for a name that `ssh` must not see, authentication for a password, which this transport cannot send. */
export function serverArguments(server: Server, choices: ArgumentChoices, options: readonly string[]): string[] {
  const { name, user, port, identityFile, ssh } = server;
  if (ssh?.password !== undefined) throw noPassword(name);
  const all = [...FIXED, ...options, ...trustOptions(server, choices), ...timeOptions(server), ...(ssh?.legacyAlgorithms === true ? LEGACY : [])];
  return [
    ...configArguments(server),
    ...all.flatMap((option) => ['-o', option]),
    ...(user === undefined ? [] : ['-l', checkWord('user', user)]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identityFile === undefined ? [] : ['-o', 'IdentitiesOnly=yes', '-o', `IdentityFile=${quotedPath(identityFile)}`]),
  ];
}

/** To be put behind `--`. */
export function checkedAddress({ address }: Server): string {
  return checkWord('address', address, /[/@]/);
}

function configArguments({ ssh }: Server): string[] {
  const config = ssh?.config;
  if (config === undefined) return [];
  return ['-F', config === 'none' ? 'none' : config.file];
}

function trustOptions({ ssh }: Server, { hostKeys, knownHostsFiles }: ArgumentChoices): string[] {
  const { hostKeyAlias, certificateFile } = ssh ?? {};
  return [
    `StrictHostKeyChecking=${hostKeys === 'acceptNew' ? 'accept-new' : 'yes'}`,
    ...(knownHostsFiles === undefined ? [] : [`UserKnownHostsFile=${knownHostsFiles.map(quotedPath).join(' ')}`, 'GlobalKnownHostsFile=/dev/null']),
    ...(hostKeyAlias === undefined ? [] : [`HostKeyAlias=${checkWord('hostKeyAlias', hostKeyAlias)}`]),
    ...(certificateFile === undefined ? [] : [`CertificateFile=${quotedPath(certificateFile)}`]),
  ];
}

function timeOptions({ connectTimeoutMs }: Server): string[] {
  return connectTimeoutMs === undefined ? [] : [`ConnectTimeout=${Math.max(1, Math.ceil(connectTimeoutMs / 1000))}`];
}

/** For a value of `-o`, which `ssh` reads as a line of ssh_config. */
function quotedPath(path: string): string {
  return `"${withoutTokens(path).replaceAll(/["\\]/g, '\\$&')}"`;
}

/** `ssh` replaces tokens such as %h in file names and commands; what comes from us is meant as it stands. */
export function withoutTokens(text: string): string {
  return text.replaceAll('%', '%%');
}

/** Names reach a shell through a ProxyCommand (CVE-2023-51385), so they are held to what `ssh` itself accepts since 9.6. */
export function checkWord(key: string, word: string, also?: RegExp): string {
  const isUnsafe = word === '' || word.startsWith('-') || /[\s\u0000-\u001f\u007f'"`$\\;&<>|(){},!*?]/.test(word) || also?.test(word) === true;
  if (!isUnsafe) return word;
  throw new FleetmendError({
    kind: 'badInput', summary: `${key}: expected a name that the ssh program accepts, got "${cleanText(word).slice(0, 100)}"`, next: 'correct it in the inventory',
  });
}

function noPassword(name: string): FleetmendError {
  return new FleetmendError({
    kind: 'authentication', summary: `${cleanText(name)} has a login password and transport: openssh, which never asks and never sends one`,
    next: 'use a key or a certificate for this host, or leave its transport out',
  });
}
