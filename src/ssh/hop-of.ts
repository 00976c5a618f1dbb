/**
 * One SSH server of a route, from what is said of it: the command line before the inventory, the inventory before ssh_config,
 * ssh_config before fleetmend's own defaults. Pure; reads no file and looks nothing up.
 */
import { join, resolve } from 'node:path';
import { FleetmendError } from '../core/failure.js';
import type { JumpHost } from '../core/host.js';
import { applyAlgorithmList } from '../ssh-config/index.js';
import type { OptionField, SshConfig } from '../ssh-config/index.js';
import { LEGACY_OFFER, LEGACY_SIGNATURES, OFFER, SIGNATURES } from './algorithms.js';
import type { Hop, HopAlgorithms, HostKeyRules, LoginRules } from './route.js';

/** Who asks, and what the command line says for all hosts. */
export interface RouteChoices {
  /** Absent: what ssh_config says, else strict. */
  readonly hostKeys?: 'strict' | 'acceptNew';
  /** Instead of all others; absolute, at least one. */
  readonly knownHostsFiles?: readonly string[];
  /** Usually $SSH_AUTH_SOCK. */
  readonly agentSocket?: string;
  /** Of the person, absolute. */
  readonly home: string;
  /** Absent for a user id without an account: then every hop needs a user. */
  readonly localUser?: string;
  /** Where relative paths of ssh_config start. */
  readonly directory: string;
}

/** What the inventory says of one hop: a host's own entry, or a jump and, where there is one, its entry. */
export interface HopSaid extends Omit<JumpHost, 'jump'> {
  readonly address: string;
  readonly port?: number;
  readonly user?: string;
}

export interface HopMade {
  readonly hop: Hop;
  /** What is done otherwise than ssh_config says, for a person. */
  readonly remarks: readonly string[];
}

const DEFAULT_PORT = 22;
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;
/** ssh.md 2.4. ssh_config cannot turn it off: a dead host would hold its place for hours. */
export const DEFAULT_KEEP_ALIVE = { intervalMs: 10_000, countMax: 3 };
const DEFAULT_KEYS = ['id_ed25519', 'id_ecdsa', 'id_rsa', 'id_ed25519_sk', 'id_ecdsa_sk'];
const GLOBAL_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];

/** Throws FleetmendError (badInput) where what is said leaves nothing that works. */
export function hopOf(said: HopSaid, config: SshConfig, choices: RouteChoices): HopMade {
  const user = said.user ?? config.user ?? choices.localUser;
  if (user === undefined) throw refusal(said.name, 'no user is named, and you have no name to log in with', 'name one in the inventory (user) or in ssh_config (User)');
  const { rules, remarks } = hostKeyRules(said, config, choices);
  return {
    remarks,
    hop: {
      name: said.name, address: config.hostName, user,
      port: said.port ?? config.port ?? DEFAULT_PORT,
      connectTimeoutMs: said.connectTimeoutMs ?? config.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
      hostKeys: rules,
      login: loginRules(said, config, choices),
      algorithms: algorithmsOf(said, config),
      keepAlive: {
        intervalMs: config.serverAliveIntervalMs || DEFAULT_KEEP_ALIVE.intervalMs,
        countMax: config.serverAliveCountMax ?? DEFAULT_KEEP_ALIVE.countMax,
      },
      ...(config.bindAddress === undefined ? {} : { bindAddress: config.bindAddress }),
      ...(config.addressFamily === undefined ? {} : { addressFamily: config.addressFamily }),
    },
  };
}

function hostKeyRules(said: HopSaid, config: SshConfig, choices: RouteChoices): { readonly rules: HostKeyRules; readonly remarks: readonly string[] } {
  const remarks: string[] = [];
  // What is not looked at would be trusted.
  if (config.revokedHostKeys !== undefined) {
    throw refusal(said.name, `RevokedHostKeys (${placeOf(config, 'revokedHostKeys')}) names keys that must not be trusted, and fleetmend does not read such files`,
      '`transport: openssh` in the inventory does; `@revoked` lines of known_hosts are read; `ssh: { config: none }` leaves ssh_config out');
  }
  const alias = said.ssh?.hostKeyAlias ?? config.hostKeyAlias;
  const users = usable(config.userKnownHostsFiles, choices) ?? ['known_hosts', 'known_hosts2'].map((name) => join(choices.home, '.ssh', name));
  const files = choices.knownHostsFiles ?? [...users, ...(usable(config.globalKnownHostsFiles, choices) ?? GLOBAL_KNOWN_HOSTS)];
  if (files.length === 0) throw refusal(said.name, `${placeOf(config, 'userKnownHostsFiles')} leaves no known_hosts file at all`, 'name one with --known-hosts');
  let mode = choices.hostKeys ?? modeOf(config);
  if (choices.hostKeys === undefined && config.strictHostKeyChecking === 'no') {
    remarks.push(`StrictHostKeyChecking no (${placeOf(config, 'strictHostKeyChecking')}) is not obeyed: the key of a new host is recorded, a changed one is refused`);
  }
  if (mode === 'acceptNew' && choices.knownHostsFiles === undefined && users.length === 0) {
    mode = 'strict';
    remarks.push(`${placeOf(config, 'userKnownHostsFiles')} names no file that could record host keys: only keys that are known are accepted; --known-hosts FILE names one`);
  }
  return { remarks, rules: { mode, files, hashNames: config.hashKnownHosts ?? false, ...(alias === undefined ? {} : { alias }) } };
}

/** `ask` cannot ask here: that is `yes`. */
function modeOf({ strictHostKeyChecking }: SshConfig): HostKeyRules['mode'] {
  return strictHostKeyChecking === 'accept-new' || strictHostKeyChecking === 'no' ? 'acceptNew' : 'strict';
}

/** /dev/null is how many a file says `none`. */
function usable(files: readonly string[] | undefined, { directory }: RouteChoices): string[] | undefined {
  return files?.filter((file) => file !== '/dev/null').map((file) => resolve(directory, file));
}

function loginRules(said: HopSaid, config: SshConfig, choices: RouteChoices): LoginRules {
  const { identityFile, ssh } = said;
  const absolute = (files: readonly string[]): string[] => files.map((file) => resolve(choices.directory, file));
  const socket = config.identityAgent === undefined || config.identityAgent === 'SSH_AUTH_SOCK' ? choices.agentSocket : config.identityAgent;
  const methods = methodsOf(config, ssh?.password !== undefined);
  return {
    identityFiles: identityFile === undefined ? absolute(config.identityFiles ?? []) : [identityFile],
    defaultIdentityFiles: config.identityFiles === undefined ? DEFAULT_KEYS.map((name) => join(choices.home, '.ssh', name)) : [],
    identitiesOnly: identityFile !== undefined || (config.identitiesOnly ?? false),
    certificateFiles: ssh?.certificateFile === undefined ? absolute(config.certificateFiles) : [ssh.certificateFile],
    signatures: some(said, config, 'pubkeyAcceptedAlgorithms', ssh?.legacyAlgorithms === true ? LEGACY_SIGNATURES : SIGNATURES),
    ...(socket !== undefined && socket !== 'none' && socket !== '' ? { agentSocket: socket } : {}),
    ...(ssh?.password === undefined ? {} : { password: ssh.password }),
    ...(methods === undefined ? {} : { methods }),
  };
}

const METHODS = ['publickey', 'password', 'keyboard-interactive'] as const;

/** Who names a password in the inventory wants it to be used, whatever ssh_config says of such logins. */
function methodsOf(config: SshConfig, hasPassword: boolean): LoginRules['methods'] {
  const { preferredAuthentications: preferred, pubkeyAuthentication, passwordAuthentication, kbdInteractiveAuthentication } = config;
  const off = [pubkeyAuthentication === false, passwordAuthentication === false, kbdInteractiveAuthentication === false];
  if (preferred === undefined && !off.includes(true)) return undefined;
  const known = preferred === undefined ? METHODS : preferred.flatMap((name) => METHODS.find((method) => method === name) ?? []);
  const allowed = known.filter((method) => off[METHODS.indexOf(method)] !== true);
  return hasPassword && allowed.every((method) => method === 'publickey') ? [...allowed, 'password', 'keyboard-interactive'] : allowed;
}

function algorithmsOf(said: HopSaid, config: SshConfig): HopAlgorithms {
  const legacy = isLegacy(said);
  const offer = legacy ? LEGACY_OFFER : OFFER;
  return {
    kex: some(said, config, 'kexAlgorithms', offer.kex), hostKeys: some(said, config, 'hostKeyAlgorithms', offer.hostKeys),
    ciphers: some(said, config, 'ciphers', offer.ciphers), macs: some(said, config, 'macs', offer.macs),
    compression: offer.compression, legacy,
  };
}

function isLegacy({ ssh }: HopSaid): boolean {
  return ssh?.legacyAlgorithms === true;
}

type ListField = 'kexAlgorithms' | 'ciphers' | 'macs' | 'hostKeyAlgorithms' | 'pubkeyAcceptedAlgorithms';

/** ssh_config may order and leave out; it brings nothing back that is weak. */
function some(said: HopSaid, config: SshConfig, field: ListField, ours: readonly string[]): readonly string[] {
  const names = applyAlgorithmList(config[field], ours);
  if (names.length > 0) return names;
  const more = isLegacy(said) ? '' : '--legacy-algorithms allows some weak ones, ';
  throw refusal(said.name, `${placeOf(config, field)} leaves no algorithm that fleetmend has`, `${more}\`transport: openssh\` in the inventory uses those of the system's ssh`);
}

/** `FILE:LINE`. */
function placeOf(config: SshConfig, field: OptionField): string {
  const place = config.origins[field];
  return place === undefined ? 'ssh_config' : `${place.file}:${place.line}`;
}

export function refusal(name: string, what: string, next: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary: `${name}: ${what}`, done: 'no host was reached', next });
}
