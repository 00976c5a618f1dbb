/** One lab and a user's folder in front of it: inventory, known_hosts, playbook, runs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createLab } from '../lab/lab.js';
import type { Lab, LabNode } from '../lab/lab.js';
import type { Ended, Started } from './fleetmend.js';
import { commandOf, killTree, start } from './fleetmend.js';
import type { Waits } from './playbook.js';
import { shortPlaybook } from './playbook.js';

export interface StageOptions {
  readonly playbook?: Waits;
  /** Default: those of the place where the test runs. `network`: the first two numbers of all addresses. */
  readonly lab?: { readonly prefix: string; readonly network: string };
}

export interface Access {
  readonly user?: 'root' | 'ops' | 'guest' | 'nosudo';
  /** Nodes that are reached as `ops`, through sudo, whatever the user of the others. */
  readonly bySudo?: readonly string[];
  readonly knownHosts?: string;
  /** Default 5s. */
  readonly connectTimeout?: string;
  /** In the inventory although no such node exists. */
  readonly absent?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  /** By name of the node. */
  readonly labels?: (name: string) => Readonly<Record<string, string>>;
  /** Instead of the stage's own. */
  readonly playbook?: string;
  readonly output?: Output;
  readonly environment?: Readonly<Record<string, string>>;
  /** Beside and before what the inventory says of all hosts by itself. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export type Output = 'json' | 'ndjson' | 'text';
/** They need an inventory, and all but `unlock` a playbook. */
export type FleetVerb = 'audit' | 'plan' | 'apply' | 'unlock';
/** They need a run, a saved plan, or nothing: what else they need to know lies in the run's folder or in the plan. */
export type RunVerb = 'resume' | 'undo' | 'clean' | 'show' | 'runs' | 'ctl' | 'apply';
export type RunAccess = Pick<Access, 'output' | 'environment'>;

export interface Stage {
  readonly lab: Lab;
  readonly folder: string;
  node(name: string): LabNode;
  /** All words of one command over these nodes. */
  command(verb: FleetVerb, nodes: readonly string[], access?: Access): string[];
  /** All words of one command about past runs: RUN, HOST, options. */
  pastCommand(verb: RunVerb, words: readonly string[], output?: Output): string[];
  /** Any program in the user's place; ended with the stage at the latest. */
  launch(argv: readonly string[], environment?: Readonly<Record<string, string>>): Started;
  start(verb: FleetVerb, nodes: readonly string[], access?: Access): Started;
  run(verb: FleetVerb, nodes: readonly string[], access?: Access): Promise<Ended>;
  startPast(verb: RunVerb, words: readonly string[], access?: RunAccess): Started;
  past(verb: RunVerb, words: readonly string[], access?: RunAccess): Promise<Ended>;
  end(): Promise<void>;
}

/** Test files run side by side, and so must their labs: each of vitest's places has a prefix and a subnet of its own. */
const PLACE = Number(process.env['VITEST_POOL_ID'] ?? '1');
const PREFIX = `fme${PLACE}`;
const NETWORK = `10.${84 + PLACE}`;
/** An address of this lab's own network that no node has. */
export const NOBODY = `${NETWORK}.250.250`;
/** Commands that ask before they act. */
const ASKING: readonly string[] = ['apply', 'unlock', 'undo', 'clean'];

export async function raiseStage(nodes: readonly string[], options: StageOptions = {}): Promise<Stage> {
  const { prefix, network } = options.lab ?? { prefix: PREFIX, network: NETWORK };
  const lab = await createLab({ prefix, subnet: `${network}.0.0/16`, nodes });
  const folder = mkdtempSync(join(tmpdir(), 'fleetmend-e2e-'));
  const playbook = join(folder, 'playbook.yaml');
  writeFileSync(playbook, shortPlaybook(options.playbook ?? { for: '5s', within: '30s' }));
  let inventories = 0;

  const command: Stage['command'] = (verb, names, access = {}) => {
    inventories += 1;
    const inventory = join(folder, `inventory-${inventories}.yaml`);
    writeFileSync(inventory, inventoryOf(lab, names, access));
    const about = verb === 'unlock' ? [] : [access.playbook ?? playbook];
    return commandOf([
      verb, ...about, '--inventory', inventory, '--known-hosts', access.knownHosts ?? lab.knownHostsFile, ...answers(verb, access.output), ...(access.arguments ?? []),
    ]);
  };
  const pastCommand: Stage['pastCommand'] = (verb, words, output) => commandOf([verb, ...words, ...answers(verb, output)]);
  const running = new Set<Started>();
  const launch: Stage['launch'] = (argv, environment) => {
    const started = start(argv, folder, environment);
    running.add(started);
    const forget = (): void => void running.delete(started);
    started.ended.then(forget, forget);
    return started;
  };
  const startCommand: Stage['start'] = (verb, names, access = {}) => launch(command(verb, names, access), access.environment);
  const startPast: Stage['startPast'] = (verb, words, access = {}) => launch(pastCommand(verb, words, access.output), access.environment);
  return {
    lab, folder, command, pastCommand, launch, startPast,
    node: (name) => lab.node(name),
    start: startCommand,
    run: (verb, names, access) => startCommand(verb, names, access).ended,
    past: (verb, words, access) => startPast(verb, words, access).ended,
    async end() {
      for (const started of running) killTree(started);
      await Promise.allSettled([...running].map(({ ended }) => ended));
      rmSync(folder, { recursive: true, force: true });
      await lab.destroy();
    },
  };
}

/** A document cannot be asked anything. */
function answers(verb: string, output: Output = 'json'): string[] {
  return ['--output', output, ...(ASKING.includes(verb) && output !== 'text' ? ['--yes'] : [])];
}

function inventoryOf(lab: Lab, names: readonly string[], { user = 'root', bySudo = [], absent = {}, connectTimeout = '5s', labels, settings }: Access): string {
  const known = names.map((name) => ({
    name, address: lab.node(name).address, ...(bySudo.includes(name) ? { user: 'ops', become: 'sudo' } : {}), ...(labels ? { labels: labels(name) } : {}),
  }));
  const unknown = Object.entries(absent).map(([name, address]) => ({ name, address }));
  const defaults = { user, identityFile: lab.keyFile, become: user === 'root' ? 'none' : 'sudo', connectTimeout, ...settings };
  return stringify({ defaults, groups: { lab: { hosts: [...known, ...unknown] } } });
}
