/**
 * Jump hosts that are hosts of the inventory: a jump by such a name means that host's address, port, user and key, and its own way
 * comes first. What is said beside the name (`admin@bastion:2222`) wins. Pure.
 */
import type { Host, HostSsh, JumpHost } from '../core/host.js';
import type { Jump } from '../core/jump.js';
import { formatJump, parseJump } from '../core/jump.js';

export type Joined = { readonly host: Host; readonly loop?: undefined } | { readonly host?: undefined; readonly loop: readonly string[] };

/** `byName`: all hosts, names in small letters. A way that leads back to a host it has passed is a loop. */
export function joinJumps(host: Host, byName: ReadonlyMap<string, Host>): Joined {
  const { proxyJump } = host.ssh ?? {};
  if (proxyJump === undefined || proxyJump === 'none' || !proxyJump.some((jump) => ownHost(jump, byName) !== undefined)) return { host };
  const path = [host.name];
  const hops: Hop[] = [];
  let ahead = proxyJump;
  for (;;) {
    hops.unshift(...ahead.map((jump) => hopOf(jump, byName)));
    const first = hops[0]?.entry;
    if (first === undefined) break;
    const seen = path.includes(first.name);
    path.push(first.name);
    if (seen) return { loop: path };
    const next = first.ssh?.proxyJump;
    if (next === undefined || next === 'none') break;
    ahead = next;
  }
  const jumpHosts = hops.flatMap(({ jump, entry }) => (entry === undefined ? [] : [jumpHostOf(jump, entry)]));
  return { host: { ...host, ssh: { ...host.ssh, proxyJump: hops.map(({ jump }) => jump), jumpHosts } } };
}

/** With `way` instead of its own; a host that is part of this way keeps its own. */
export function withWay(host: Host, way: readonly string[] | 'none', byName: ReadonlyMap<string, Host>): Host {
  const other = { ...host, ssh: { ...host.ssh, proxyJump: way } };
  const isPart = way !== 'none' && way.some((jump) => ownHost(jump, byName)?.entry === host);
  return isPart || joinJumps(other, byName).loop !== undefined ? host : other;
}

interface Hop {
  readonly jump: string;
  /** Its entry in the inventory. */
  readonly entry?: Host;
}

function hopOf(text: string, byName: ReadonlyMap<string, Host>): Hop {
  const own = ownHost(text, byName);
  if (own === undefined) return { jump: text };
  const { entry, said } = own;
  const user = said.user ?? entry.user;
  const port = said.port ?? entry.port;
  return { jump: formatJump({ host: entry.address, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) }), entry };
}

function ownHost(text: string, byName: ReadonlyMap<string, Host>): { readonly entry: Host; readonly said: Jump } | undefined {
  const said = parseJump(text);
  const entry = said === undefined ? undefined : byName.get(said.host.toLowerCase());
  return said === undefined || entry === undefined ? undefined : { entry, said };
}

function jumpHostOf(jump: string, { name, identityFile, connectTimeoutMs, ssh }: Host): JumpHost {
  return {
    jump, name,
    ...(identityFile === undefined ? {} : { identityFile }),
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
    ...withoutJumps(ssh),
  };
}

/** Its own jumps stand in the list already. */
function withoutJumps(ssh: HostSsh | undefined): Pick<JumpHost, 'ssh'> {
  if (ssh === undefined) return {};
  const { proxyJump, jumpHosts: _hosts, ...rest } = ssh;
  const own = proxyJump === 'none' ? { ...rest, proxyJump } : rest;
  return Object.keys(own).length === 0 ? {} : { ssh: own };
}
