/** Turns command-line options into the parts of the engine. The only file that names concrete adapters. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Catalogue } from '../core/catalogue.js';
import type { Host } from '../core/host.js';
import type { Digest } from '../core/bytes.js';
import { digestOf } from '../core/bytes.js';
import type { Playbook } from '../core/playbook.js';
import type { Connector, Reporter } from '../core/ports.js';
import type { ConnectionChoices, RunRecord } from '../core/run-record.js';
import { selectHosts } from '../core/select-hosts.js';
import { findSecrets } from '../kubelet/find-secrets.js';
import { checkRollout } from '../rollout/check-rollout.js';
import * as probes from '../probes/index.js';
import { createDetachedReporter, createSilentReporter } from '../reporters/index.js';
import { loadPlaybook, readTextFile, yaml } from '../sources/index.js';
import * as steps from '../steps/index.js';
import { badInput } from './bad-input.js';
import { composeConnector } from './compose-connector.js';
import type { HostArguments } from './host-choices.js';
import { saidOfHosts } from './host-choices.js';
import type { ConnectionArguments, FleetArguments } from './options.js';
import { DEFAULT_CONCURRENCY } from './options.js';
import { rolloutFlags } from './rollout-options.js';

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
  const { hosts, all } = await loadInventory(args.inventory, args.limit, args);
  const inventory = { file: resolve(args.inventory), sha256: digestOf(Buffer.from(await readTextFile(args.inventory))) };
  const { names } = loaded.secrets;
  const origin = { name: loaded.name, file: resolve(args.playbook), text, settings, rollout, ...(names.length > 0 ? { redact: names } : {}), ...(args.guard ? { guard: args.guard } : {}) };
  const connector = await composeConnector(hosts, connection, { all, verbose: args.verbose });
  return { playbook: withGuard(loaded, args.guard), hosts, concurrency: connection.concurrency, connector, origin, connection, inventory };
}

type ConnectionFlags = Partial<Pick<ConnectionArguments, 'hostKeys' | 'concurrency' | 'startsPerSecond' | 'knownHosts' | 'identityFile'>>;

export function chooseConnection(args: ConnectionFlags): ConnectionChoices {
  return {
    concurrency: checkConcurrency(args.concurrency ?? DEFAULT_CONCURRENCY),
    ...(args.hostKeys === undefined ? {} : { hostKeys: args.hostKeys }),
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

/** `hosts`: the selected ones. */
export async function loadInventory(inventory: string, limit: readonly string[], args: HostArguments): Promise<{ readonly all: readonly Host[]; readonly hosts: readonly Host[] }> {
  const all = await yaml.load(inventory, saidOfHosts(args));
  return { all, hosts: limit.length === 0 ? all : selectHosts(all, limit) };
}

function parseSettings(settings: readonly string[]): Record<string, string> {
  return Object.fromEntries(settings.map((setting) => {
    const [name, ...rest] = setting.split('=');
    if (name === undefined || name === '' || rest.length === 0) throw badInput(`--set: expected NAME=VALUE, got "${setting}"`);
    return [name, rest.join('=')];
  }));
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
