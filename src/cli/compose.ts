/** Turns command-line options into the parts of the engine. The only file that names concrete adapters. */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Catalogue } from '../core/catalogue.js';
import type { Host } from '../core/host.js';
import type { Digest } from '../core/bytes.js';
import { digestOf } from '../core/bytes.js';
import { FleetmendError } from '../core/failure.js';
import { DEFAULT_STARTS_PER_SECOND } from '../core/ramp.js';
import type { Playbook } from '../core/playbook.js';
import type { Connector, Reporter, Secrets } from '../core/ports.js';
import type { ConnectionChoices, RunRecord } from '../core/run-record.js';
import { selectHosts } from '../core/select-hosts.js';
import { rampConnector } from '../engine/ramp.js';
import { createConnector } from '../host/connector.js';
import { findSecrets } from '../kubelet/find-secrets.js';
import { checkRollout } from '../rollout/check-rollout.js';
import * as probes from '../probes/index.js';
import { createDetachedReporter, createSilentReporter } from '../reporters/index.js';
import { loadPlaybook, readTextFile, yaml } from '../sources/index.js';
import { plainRoute } from '../ssh/plain-route.js';
import type { PlainRouteOptions } from '../ssh/plain-route.js';
import { createSshTransport } from '../ssh/transport.js';
import * as steps from '../steps/index.js';
import type { ConnectionArguments, FleetArguments } from './options.js';
import { DEFAULT_CONCURRENCY } from './options.js';
import { rolloutFlags } from './rollout-options.js';
import { systemClock } from './system-clock.js';

export const CATALOGUE: Catalogue = { steps, probes, findSecrets };

/** Everything a command needs to know before it reaches for the first host. Throws FleetmendError (badInput). */
export interface Fleet {
  readonly playbook: Playbook;
  readonly hosts: readonly Host[];
  readonly connector: Connector;
  readonly concurrency: number;
}

/** A fleet as the command line names it, and what a later resume needs to name it again. */
export interface NewFleet extends Fleet {
  readonly origin: RunRecord['playbook'];
  readonly connection: ConnectionChoices;
  /** Where its hosts come from: the file in full, and its digest. */
  readonly inventory: { readonly file: string; readonly sha256: Digest };
}

export async function composeFleet(args: FleetArguments & { guard?: 'none' | undefined }): Promise<NewFleet> {
  const connection = chooseConnection(args);
  const settings = parseSettings(args.set);
  const rollout = rolloutFlags(args);
  const text = await readTextFile(args.playbook);
  const loaded = loadPlaybook(args.playbook, text, CATALOGUE, settings, rollout);
  const hosts = await loadHosts(args.inventory, args.limit, connection.identityFile);
  const inventory = { file: resolve(args.inventory), sha256: digestOf(Buffer.from(await readTextFile(args.inventory))) };
  const { names } = loaded.secrets;
  const origin = { name: loaded.name, file: resolve(args.playbook), text, settings, rollout, ...(names.length > 0 ? { redact: names } : {}), ...(args.guard ? { guard: args.guard } : {}) };
  return { playbook: withGuard(loaded, args.guard), hosts, concurrency: connection.concurrency, connector: composeConnector(connection), origin, connection, inventory };
}

export function chooseConnection(args: ConnectionArguments): ConnectionChoices {
  return {
    hostKeys: args.hostKeys ?? 'strict', concurrency: checkConcurrency(args.concurrency ?? DEFAULT_CONCURRENCY),
    ...(args.startsPerSecond === undefined ? {} : { startsPerSecond: checkStarts(args.startsPerSecond) }),
    ...(args.knownHosts ? { knownHosts: args.knownHosts.map((file) => resolve(file)) } : {}),
    ...(args.identityFile === undefined ? {} : { identityFile: resolve(args.identityFile) }),
  };
}

/** What could never be meant for these hosts is said before one of them is reached. */
export function refuseRollout(playbook: Playbook, hosts: readonly Host[]): void {
  const errors = checkRollout(playbook.rollout, hosts);
  if (errors.length > 0) throw badInput(`rollout: ${errors.join('\n')}`);
}

/** The playbook of a record, with what its command line said of it. */
export function playbookOf({ file, text, settings, guard, rollout }: RunRecord['playbook'], rolloutNow: Readonly<Record<string, string>> = {}): Playbook {
  return withGuard(loadPlaybook(file, text, CATALOGUE, settings, { ...rollout, ...rolloutNow }), guard);
}

function withGuard(playbook: Playbook, guard: 'none' | undefined): Playbook {
  return guard === undefined ? playbook : { ...playbook, guard };
}

export function checkConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1000) return concurrency;
  throw badInput(`--concurrency: expected a whole number from 1 to 1000, got ${String(concurrency)}`);
}

export function checkStarts(startsPerSecond: number): number {
  if (Number.isInteger(startsPerSecond) && startsPerSecond >= 1 && startsPerSecond <= 1000) return startsPerSecond;
  throw badInput(`--starts-per-second: expected a whole number from 1 to 1000, got ${String(startsPerSecond)}`);
}

export async function loadHosts(inventory: string, limit: readonly string[], identityFile?: string): Promise<Host[]> {
  const hosts = await yaml.load(inventory);
  const chosen = limit.length === 0 ? hosts : selectHosts(hosts, limit);
  return chosen.map((host) => (identityFile === undefined || host.identityFile !== undefined ? host : { ...host, identityFile }));
}

/** The key files of another machine may not be there on this one: what is said now wins. */
export function withIdentity(host: Host, identityFile: string | undefined): Host {
  return identityFile === undefined ? host : { ...host, identityFile: resolve(identityFile) };
}

export function composeConnector(connection: ConnectionChoices): Connector {
  const home = homedir();
  const agentSocket = process.env['SSH_AUTH_SOCK'];
  const straight: PlainRouteOptions = {
    hostKeys: connection.hostKeys === 'accept-new' ? 'acceptNew' : 'strict',
    knownHostsFiles: connection.knownHosts ?? [join(home, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    defaultIdentityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name)),
    ...(agentSocket ? { agentSocket } : {}),
  };
  const secrets: Secrets = { read: ({ label }) => Promise.reject(badInput(`no ${label}`)) };
  const connector = createConnector(createSshTransport({ routeOf: (host) => Promise.resolve(plainRoute(host, straight)), secrets }));
  return rampConnector(connector, { startsPerSecond: connection.startsPerSecond ?? DEFAULT_STARTS_PER_SECOND }, systemClock);
}

function parseSettings(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(settings.map((setting) => {
    const [name, ...rest] = setting.split('=');
    if (name === undefined || name === '' || rest.length === 0) throw badInput(`--set: expected NAME=VALUE, got "${setting}"`);
    return [name, rest.join('=')];
  }));
}

export function badInput(summary: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary });
}

/** The view that fits the output: live on a terminal, lines elsewhere, nothing beside a single document. */
export function composeReporter(output: FleetArguments['output']): Reporter {
  switch (output) {
    case 'json':
      return createSilentReporter();
    case 'ndjson':
      return createDetachedReporter('ndjson');
    case 'text':
      return createDetachedReporter(process.stderr.isTTY && process.env['TERM'] !== 'dumb' ? 'terminal' : 'lines');
  }
}

/** Sorts by time, says nothing about people or hosts, and cannot meet another run's. */
export function newRunId(now: Date): string {
  return `${now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}-${randomBytes(3).toString('hex')}`;
}
