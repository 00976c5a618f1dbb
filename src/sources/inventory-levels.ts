/** Joins the settings of defaults, group and host, and makes a Host of them. Pure; opens no file that is named. */
import { dirname, resolve } from 'node:path';
import type { Becoming, Host, HostSsh } from '../core/host.js';
import type { SecretSource } from '../core/secret.js';
import type { Settings } from './inventory-schema.js';
import type { BecomeSettings, SshSettings } from './inventory-ssh-schema.js';

/** The inner level wins, key by key; of the three ways to name a password the inner one replaces the outer one. */
export function joinSettings(outer: Settings, inner: Settings): Settings {
  const ssh = joinKeys(outer.ssh, inner.ssh);
  const become = joinBecome(outer.become, inner.become);
  const labels = { ...outer.labels, ...inner.labels };
  return { ...joinKeys<Settings>(outer, inner), labels, ...(ssh === undefined ? {} : { ssh }), ...(become === undefined ? {} : { become }) };
}

/** A word says it all; a mapping adds to what the outer level says. */
function joinBecome(outer: Settings['become'], inner: Settings['become']): Settings['become'] {
  if (inner === undefined) return outer;
  return typeof inner === 'string' ? inner : joinKeys(mappingOf(outer), inner);
}

function mappingOf(become: Settings['become']): BecomeSettings | undefined {
  return typeof become === 'string' ? { method: become } : become;
}

const SOURCES: readonly string[] = ['password', 'passwordEnv', 'passwordCommand'];

function joinKeys<T extends object>(outer: T | undefined, inner: T | undefined): T | undefined;
function joinKeys<T extends object>(outer: T, inner: T): T;
function joinKeys<T extends object>(outer: T | undefined, inner: T | undefined): T | undefined {
  if (outer === undefined || inner === undefined) return inner ?? outer;
  const said = Object.entries(inner).filter(([, value]) => value !== undefined);
  const replaced = said.some(([key]) => SOURCES.includes(key)) ? SOURCES : [];
  const kept = Object.entries(outer).filter(([key, value]) => value !== undefined && !replaced.includes(key));
  return Object.fromEntries([...kept, ...said]) as T;
}

export interface HostPlace {
  /** The inventory: relative paths start beside it. */
  readonly file: string;
  /** Where `~` leads. */
  readonly home: string;
}

/** What nobody says stays unsaid: ssh_config may know it. */
export function makeHost(settings: Settings, name: string, address: string, place: HostPlace): Host {
  const { port, user, identityFile, connectTimeout, transport } = settings;
  const become = mappingOf(settings.become);
  const method = become?.method ?? 'none';
  const becoming = become === undefined || method === 'none' ? undefined : becomingOf(become);
  const ssh = settings.ssh === undefined ? undefined : sshOf(settings.ssh, place);
  return {
    name, address,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(identityFile === undefined ? {} : { identityFile: pathOf(identityFile, place) }),
    become: method,
    ...(becoming === undefined ? {} : { becoming }),
    ...(connectTimeout === undefined ? {} : { connectTimeoutMs: connectTimeout }),
    ...(transport === 'openssh' ? { transport } : {}),
    ...(ssh === undefined ? {} : { ssh }),
    labels: settings.labels ?? {},
  };
}

function becomingOf(become: BecomeSettings): Becoming | undefined {
  const password = sourceOf(become);
  const becoming: Becoming = {
    ...(password === undefined ? {} : { password }),
    ...(become.tty === true ? { terminal: 'pty' as const } : {}),
    ...(become.scope === 'commands' ? { scope: 'commands' as const } : {}),
  };
  return Object.keys(becoming).length === 0 ? undefined : becoming;
}

function sshOf(said: SshSettings, place: HostPlace): HostSsh | undefined {
  const { config, proxyJump, certificateFile, hostKeyAlias, legacyAlgorithms } = said;
  const password = sourceOf(said);
  const ssh: HostSsh = {
    ...(config === undefined ? {} : { config: config === 'none' ? config : { file: pathOf(config, place) } }),
    ...(proxyJump === undefined ? {} : { proxyJump }),
    ...(certificateFile === undefined ? {} : { certificateFile: pathOf(certificateFile, place) }),
    ...(hostKeyAlias === undefined ? {} : { hostKeyAlias }),
    ...(password === undefined ? {} : { password }),
    ...(legacyAlgorithms === true ? { legacyAlgorithms } : {}),
  };
  return Object.keys(ssh).length === 0 ? undefined : ssh;
}

function sourceOf({ password, passwordEnv, passwordCommand }: Pick<SshSettings, 'password' | 'passwordEnv' | 'passwordCommand'>): SecretSource | undefined {
  if (passwordEnv !== undefined) return { from: 'env', name: passwordEnv };
  if (passwordCommand !== undefined) return { from: 'command', argv: passwordCommand };
  return password === 'prompt' ? { from: 'prompt' } : undefined;
}

function pathOf(path: string, { file, home }: HostPlace): string {
  return resolve(dirname(resolve(file)), path.replace(/^~(?=\/|$)/u, () => home));
}
