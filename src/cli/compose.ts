/** Turns command-line options into the parts of the engine. The only file that names concrete adapters. */
import { randomBytes } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '../core/catalogue.js';
import type { Host } from '../core/host.js';
import { FleetmendError } from '../core/failure.js';
import type { Playbook } from '../core/playbook.js';
import type { Connector, Reporter } from '../core/ports.js';
import { selectHosts } from '../core/select-hosts.js';
import { createConnector } from '../host/connector.js';
import * as probes from '../probes/index.js';
import { createDetachedReporter, createSilentReporter } from '../reporters/index.js';
import { readPlaybook, yaml } from '../sources/index.js';
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

export async function composeFleet(args: FleetArguments): Promise<Fleet> {
  if (!Number.isInteger(args.concurrency) || args.concurrency < 1 || args.concurrency > 1000) {
    throw badInput(`--concurrency: expected a whole number from 1 to 1000, got ${String(args.concurrency)}`);
  }
  const playbook = await readPlaybook(args.playbook, CATALOGUE, parseSettings(args.set));
  const hosts = await loadHosts(args.inventory, args.limit, args.identityFile);
  return { playbook, hosts, concurrency: args.concurrency, connector: createConnector(composeTransport(args)) };
}

export async function loadHosts(inventory: string, limit: readonly string[], identityFile?: string): Promise<Host[]> {
  const hosts = await yaml.load(inventory);
  const chosen = limit.length === 0 ? hosts : selectHosts(hosts, limit);
  return chosen.map((host) => (identityFile === undefined || host.identityFile !== undefined ? host : { ...host, identityFile }));
}

function composeTransport(args: FleetArguments) {
  const home = homedir();
  const agentSocket = process.env['SSH_AUTH_SOCK'];
  return createSshTransport({
    hostKeys: args.hostKeys === 'accept-new' ? 'acceptNew' : 'strict',
    knownHostsFiles: args.knownHosts ?? [join(home, '.ssh', 'known_hosts'), '/etc/ssh/ssh_known_hosts'],
    defaultIdentityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name)),
    ...(agentSocket ? { agentSocket } : {}),
  });
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

/** Where the journals of runs live (XDG base directories). */
export function runDirectory(run: string): string {
  const state = process.env['XDG_STATE_HOME'];
  return join(state !== undefined && state.startsWith('/') ? state : join(homedir(), '.local', 'state'), 'fleetmend', 'runs', run);
}
