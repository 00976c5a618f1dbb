/**
 * The way to each host, joined from the command line, the inventory and ssh_config, and remembered. Jump hosts are looked up in
 * ssh_config under their own names, as `ssh -J` does. Connects to nothing and runs nothing.
 */
import type { Host } from '../core/host.js';
import { JUMP_EXPECTED, parseJump } from '../core/jump.js';
import type { AskedFor, LoadedConfig, SshConfig } from '../ssh-config/index.js';
import { resolveConfig } from '../ssh-config/index.js';
import { loadConfigFiles } from './config-files.js';
import { findHome } from './home-of.js';
import type { HopSaid, RouteChoices } from './hop-of.js';
import { hopOf, refusal } from './hop-of.js';
import type { Hop, Route } from './route.js';

export interface RoutesOptions extends RouteChoices {
  /** As `hostname` says. */
  readonly localHost: string;
  readonly uid: number;
  readonly env: AskedFor['env'];
  /** Default: the files of this controller. */
  readonly load?: typeof loadConfigFiles;
}

/** A route, and what a person may want to know of how it came about. */
export interface Way {
  readonly route: Route;
  /** Files of ssh_config that were read for it, those that they include too. */
  readonly files: readonly string[];
  /** What ssh_config said of each hop, the target last. */
  readonly configs: readonly SshConfig[];
  /** What is done otherwise than ssh_config says. */
  readonly remarks: readonly string[];
}

export interface Routes {
  /** The same answer for the same host. Rejects with FleetmendError (badInput). */
  wayOf(host: Host): Promise<Way>;
  routeOf(host: Host): Promise<Route>;
}

/** More would be a mistake; ssh has no limit of its own. */
const MAX_HOPS = 8;

export function createRoutes(options: RoutesOptions): Routes {
  const load = options.load ?? loadConfigFiles;
  const loaded = new Map<string, Promise<readonly LoadedConfig[]>>();
  const ways = new WeakMap<Host, Promise<Way>>();
  const filesFor = (config: HopSaid['ssh']): Promise<readonly LoadedConfig[]> => {
    const choice = config?.config;
    if (choice === 'none') return Promise.resolve([]);
    const key = choice?.file ?? '';
    const files = loaded.get(key) ?? load({ home: options.home, ...(choice === undefined ? {} : { file: choice.file }) });
    loaded.set(key, files);
    return files;
  };
  const wayOf = (host: Host): Promise<Way> => {
    const way = ways.get(host) ?? findWay(host, filesFor, options);
    ways.set(host, way);
    return way;
  };
  return { wayOf, routeOf: async (host) => (await wayOf(host)).route };
}

type FilesFor = (ssh: HopSaid['ssh']) => Promise<readonly LoadedConfig[]>;

interface Found {
  readonly said: HopSaid;
  readonly config: SshConfig;
  readonly hop: Hop;
  readonly files: readonly LoadedConfig[];
  readonly remarks: readonly string[];
}

async function findWay(host: Host, filesFor: FilesFor, options: RoutesOptions): Promise<Way> {
  const find = async (said: HopSaid, isWaySaid: boolean): Promise<Found> => {
    const files = await filesFor(said.ssh);
    const config = resolveConfig(files, { ...askedFor(said, options), isWaySaid: isWaySaid || said.ssh?.proxyJump === 'none' });
    return { said, config, files, ...hopOf(said, config, options) };
  };
  const ofInventory = inventoryJumps(host);
  const target = await find(ofHost(host), ofInventory !== undefined);
  const hops = [target];
  let proxy = proxyOf(target, ofInventory);
  while (typeof proxy === 'object') {
    const jumps: Found[] = [];
    for (const said of proxy) jumps.push(await find(said, jumps.length > 0));
    hops.unshift(...jumps);
    refuseCircle(host.name, hops);
    // As with ssh: only the first of a list is reached by its own way.
    const [first = target] = jumps;
    proxy = proxyOf(first, undefined);
  }
  return {
    route: { jumps: hops.slice(0, -1).map(({ hop }) => hop), target: target.hop, ...(proxy === undefined ? {} : { proxyCommand: proxy }) },
    files: [...new Set(hops.flatMap(({ files }) => files.flatMap(namesOf)))],
    configs: hops.map(({ config }) => config),
    remarks: [...new Set(hops.flatMap(({ remarks }) => remarks))],
  };
}

/** Without its jumps: those are hops of their own. */
function ofHost({ name, address, port, user, identityFile, connectTimeoutMs, ssh }: Host): HopSaid {
  const { proxyJump, jumpHosts: _jumps, ...own } = ssh ?? {};
  return {
    name, address, ssh: proxyJump === 'none' ? { ...own, proxyJump } : own,
    ...(port === undefined ? {} : { port }), ...(user === undefined ? {} : { user }),
    ...(identityFile === undefined ? {} : { identityFile }), ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  };
}

/** The hops before this one, or the command that stands for them. */
function proxyOf({ said, config }: Found, ofInventory: readonly HopSaid[] | undefined): readonly HopSaid[] | string | undefined {
  if (said.ssh?.proxyJump === 'none') return undefined;
  if (ofInventory !== undefined) return ofInventory;
  if (config.proxyJump === 'none') return undefined;
  if (config.proxyJump !== undefined) return config.proxyJump.map(({ host, user, port }) => ({ ...jumpAt(said, host), ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) }));
  return config.proxyCommand === 'none' ? undefined : config.proxyCommand;
}

/** A jump that only ssh_config knows is looked up in the same files as the host that names it. Weak algorithms are not for it too, unless they are said for all. */
function jumpAt({ ssh }: HopSaid, host: string): HopSaid {
  return { name: host, address: host, ...ownChoices(ssh) };
}

function ownChoices(ssh: HopSaid['ssh']): Pick<HopSaid, 'ssh'> {
  if (ssh === undefined) return {};
  const { config, legacyJumps } = ssh;
  return { ssh: { ...(config === undefined ? {} : { config }), ...(legacyJumps === undefined ? {} : { legacyAlgorithms: true, legacyJumps }) } };
}

function inventoryJumps(host: Host): readonly HopSaid[] | undefined {
  const { name, ssh } = host;
  if (ssh?.proxyJump === undefined || ssh.proxyJump === 'none') return undefined;
  const { jumpHosts = [] } = ssh;
  const own = ownChoices(ofHost(host).ssh);
  return ssh.proxyJump.map((text) => {
    const jump = parseJump(text);
    if (jump === undefined) throw refusal(name, `"${text}" is no jump host`, `write ${JUMP_EXPECTED}`);
    const { user, port } = jump;
    const place = { address: jump.host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
    const entry = jumpHosts.find((one) => one.jump === text);
    if (entry === undefined) return { name: jump.host, ...own, ...place };
    const { jump: _text, ...said } = entry;
    return { ...said, ...place };
  });
}

function askedFor({ address, user, port }: HopSaid, { localUser = '', localHost, home, uid, env }: RoutesOptions): AskedFor {
  return { name: address, localUser, localHost, home, uid, env, homeOf: findHome, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
}

function refuseCircle(name: string, hops: readonly Found[]): void {
  const keys = hops.map(({ hop }) => `${hop.user}@${hop.address}:${hop.port}`);
  const again = keys.find((key, index) => keys.indexOf(key) !== index);
  const shown = hops.map(({ hop }) => hop.name).join(', ');
  if (again !== undefined) throw refusal(name, `its jump hosts lead in a circle: ${shown}`, 'correct ProxyJump in ssh_config, or proxyJump in the inventory; `none` ends a way');
  if (hops.length > MAX_HOPS + 1) throw refusal(name, `more than ${MAX_HOPS} jump hosts: ${shown}`, 'correct ProxyJump in ssh_config, or proxyJump in the inventory');
}

function namesOf({ file, included }: LoadedConfig): string[] {
  return [file, ...[...included.values()].flat().flatMap(namesOf)];
}
