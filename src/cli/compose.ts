/** Turns command-line options into the parts of the engine. The only file that names concrete adapters. */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Catalogue } from '../core/catalogue.js';
import type { Host } from '../core/host.js';
import { FleetmendError } from '../core/failure.js';
import type { Playbook } from '../core/playbook.js';
import type { Connector, Reporter } from '../core/ports.js';
import type { ConnectionChoices, RunRecord } from '../core/run-record.js';
import { selectHosts } from '../core/select-hosts.js';
import { createConnector } from '../host/connector.js';
import * as probes from '../probes/index.js';
import { createDetachedReporter, createSilentReporter } from '../reporters/index.js';
import { loadPlaybook, readTextFile, yaml } from '../sources/index.js';
import { createSshTransport } from '../ssh/transport.js';
import * as steps from '../steps/index.js';
import type { FleetArguments } from './options.js';

export const CATALOGUE: Catalogue = { steps, probes };

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
}

export async function composeFleet(args: FleetArguments & { guard?: 'none' | undefined }): Promise<NewFleet> {
  const connection: ConnectionChoices = {
    hostKeys: args.hostKeys, concurrency: checkConcurrency(args.concurrency),
    ...(args.knownHosts ? { knownHosts: args.knownHosts.map((file) => resolve(file)) } : {}),
    ...(args.identityFile === undefined ? {} : { identityFile: resolve(args.identityFile) }),
  };
  const settings = parseSettings(args.set);
  const text = await readTextFile(args.playbook);
  const loaded = loadPlaybook(args.playbook, text, CATALOGUE, settings);
  const hosts = await loadHosts(args.inventory, args.limit, connection.identityFile);
  const origin = { name: loaded.name, file: args.playbook, text, settings, ...(args.guard ? { guard: args.guard } : {}) };
  return { playbook: withGuard(loaded, args.guard), hosts, concurrency: connection.concurrency, connector: composeConnector(connection), origin, connection };
}

export function withGuard(playbook: Playbook, guard: 'none' | undefined): Playbook {
  return guard === undefined ? playbook : { ...playbook, guard };
}

export function checkConcurrency(concurrency: number): number {
  if (Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1000) return concurrency;
  throw badInput(`--concurrency: expected a whole number from 1 to 1000, got ${String(concurrency)}`);
}

export async function loadHosts(inventory: string, limit: readonly string[], identityFile?: string): Promise<Host[]> {
  const hosts = await yaml.load(inventory);
  const chosen = limit.length === 0 ? hosts : selectHosts(hosts, limit);
  return chosen.map((host) => (identityFile === undefined || host.identityFile !== undefined ? host : { ...host, identityFile }));
}

export function composeConnector(connection: ConnectionChoices): Connector {
  const home = homedir();
  const agentSocket = process.env['SSH_AUTH_SOCK'];
  return createConnector(createSshTransport({
    hostKeys: connection.hostKeys === 'accept-new' ? 'acceptNew' : 'strict',
    knownHostsFiles: connection.knownHosts ?? [join(home, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    defaultIdentityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name)),
    ...(agentSocket ? { agentSocket } : {}),
  }));
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
