/** One lab and a user's folder in front of it: inventory, known_hosts, playbook. Every node serves one test only. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createLab } from '../lab/lab.js';
import type { Lab, LabNode } from '../lab/lab.js';
import type { Ended, Started } from './fleetmend.js';
import { buildOnce, commandOf, start } from './fleetmend.js';
import { shortPlaybook } from './playbook.js';

export interface Access {
  readonly user?: 'root' | 'ops' | 'guest' | 'nosudo';
  readonly knownHosts?: string;
  /** Default 5s. */
  readonly connectTimeout?: string;
  /** In the inventory although no such node exists. */
  readonly absent?: Readonly<Record<string, string>>;
  readonly arguments?: readonly string[];
  readonly output?: 'json' | 'ndjson' | 'text';
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly lab: Lab;
  readonly folder: string;
  node(name: string): LabNode;
  /** All words of one command over these nodes. */
  command(verb: 'audit' | 'plan' | 'apply', nodes: readonly string[], access?: Access): string[];
  /** Any program in the user's place; ended with the stage at the latest. */
  launch(argv: readonly string[], environment?: Readonly<Record<string, string>>): Started;
  start(verb: 'audit' | 'plan' | 'apply', nodes: readonly string[], access?: Access): Started;
  run(verb: 'audit' | 'plan' | 'apply', nodes: readonly string[], access?: Access): Promise<Ended>;
  end(): Promise<void>;
}

const PREFIX = 'fme';
const SUBNET = '10.82.0.0/16';
/** An address of the lab's own network that no node has. */
export const NOBODY = '10.82.250.250';

export async function raiseStage(nodes: readonly string[]): Promise<Stage> {
  buildOnce();
  const lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes });
  const folder = mkdtempSync(join(tmpdir(), 'fleetmend-e2e-'));
  const playbook = join(folder, 'playbook.yaml');
  writeFileSync(playbook, shortPlaybook({ for: '5s', within: '30s' }));
  let inventories = 0;

  const command: Stage['command'] = (verb, names, access = {}) => {
    inventories += 1;
    const inventory = join(folder, `inventory-${inventories}.yaml`);
    writeFileSync(inventory, inventoryOf(lab, names, access));
    return commandOf([
      verb, playbook, '--inventory', inventory, '--known-hosts', access.knownHosts ?? lab.knownHostsFile, '--output', access.output ?? 'json',
      ...(verb === 'apply' && access.output !== 'text' ? ['--yes'] : []), ...(access.arguments ?? []),
    ]);
  };
  const running = new Set<Started>();
  const launch: Stage['launch'] = (argv, environment) => {
    const started = start(argv, folder, environment);
    running.add(started);
    const forget = (): void => void running.delete(started);
    started.ended.then(forget, forget);
    return started;
  };
  const startCommand: Stage['start'] = (verb, names, access = {}) => launch(command(verb, names, access), access.environment);
  return {
    lab, folder, command, launch,
    node: (name) => lab.node(name),
    start: startCommand,
    run: (verb, names, access) => startCommand(verb, names, access).ended,
    async end() {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.allSettled([...running].map(({ ended }) => ended));
      rmSync(folder, { recursive: true, force: true });
      await lab.destroy();
    },
  };
}

function inventoryOf(lab: Lab, names: readonly string[], { user = 'root', absent = {}, connectTimeout = '5s' }: Access): string {
  const known = names.map((name) => ({ name, address: lab.node(name).address }));
  const unknown = Object.entries(absent).map(([name, address]) => ({ name, address }));
  const defaults = { user, identityFile: lab.keyFile, become: user === 'root' ? 'none' : 'sudo', connectTimeout };
  return stringify({ defaults, groups: { lab: { hosts: [...known, ...unknown] } } });
}
