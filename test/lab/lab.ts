/**
 * A lab: real nodes (own systemd, own OpenSSH server, own network namespace) on this machine, for root on
 * Linux. Everything it makes carries its prefix and goes with destroy(), with the end of the process, or,
 * when the process was killed, with the next lab of that prefix. It raises three kernel limits and leaves
 * them raised, and leaves one small tmpfs on /run/systemd/nspawn: other labs may be using them.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { prepareBase } from './base.js';
import { forEachLimited } from './command.js';
import type { Container } from './container.js';
import { mountRoots, upperDirOf } from './container.js';
import { inventoryText } from './inventory.js';
import { giveIdentities, makeKeys } from './identity.js';
import { holdLock } from './lock.js';
import { createNetwork, linkOf, parseSubnet } from './network.js';
import type { NodeLink } from './network.js';
import { createNode } from './node.js';
import type { LabNode } from './node.js';
import { labDir, labLockFile } from './paths.js';
import { prepareMachine } from './machine.js';
import { isDetached, markDetached } from './sweep-dead.js';
import { sweepLab } from './sweep.js';

export type { FileSpec, LabNode } from './node.js';

export interface LabOptions {
  /** 2 to 6 lower-case letters and digits; labs with different prefixes and subnets stand side by side. */
  readonly prefix: string;
  /** `10.81.0.0/16` */
  readonly subnet: string;
  /** How many nodes (named node-001 and so on), or their names. */
  readonly nodes: number | readonly string[];
  /** Called with a line when something takes long. */
  readonly say?: (line: string) => void;
}

export interface InventoryOptions {
  /** Default root. */
  readonly user?: 'root' | 'ops' | 'guest' | 'nosudo';
  /** By node name. */
  readonly labels?: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Default: the lab's own; a relative path starts at the inventory. */
  readonly keyFile?: string;
}

export interface Lab {
  readonly nodes: readonly LabNode[];
  /** The node of that name, or an error. */
  node(name: string): LabNode;
  /** Private key that root and the users ops (sudo), guest (sudo with a password) and nosudo accept. */
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** Writes an inventory of all nodes and returns its path. */
  inventoryFile(options?: InventoryOptions): Promise<string>;
  inventoryText(options?: InventoryOptions): string;
  /** From now on the lab outlives this process; `sweepLab(prefix)` ends it. */
  detach(): Promise<void>;
  /** Ends all nodes and removes every trace. Safe to call twice. */
  destroy(): Promise<void>;
}

/** More at once gains nothing: a boot is mostly processor time. */
const BOOTS_AT_ONCE = 4 * availableParallelism();

/** Boots the nodes, in parallel, and waits until every sshd answers. After a failure nothing is left behind. */
export async function createLab(options: LabOptions): Promise<Lab> {
  const { prefix } = options;
  if (!/^[a-z][a-z0-9]{1,5}$/.test(prefix)) throw new Error(`prefix: expected 2 to 6 lower-case letters and digits, got ${prefix}`);
  const lower = await prepareBase(options.say);
  await prepareMachine();
  const lock = await holdLock(labLockFile(prefix), 0);
  if (!lock) throw new Error(`a lab with prefix ${prefix} is in use by another process`);
  if (isDetached(prefix)) {
    await lock.release();
    throw new Error(`a lab with prefix ${prefix} is up; end it first`);
  }

  const ending = sweepAtExit(prefix);
  let ours = true;
  const destroy = async (): Promise<void> => {
    // After the first time the prefix may be another owner's.
    if (!ours) return;
    ours = false;
    const problems = sweepLab(prefix);
    ending.forget();
    await lock.release();
    if (problems.length > 0) throw new Error(`lab ${prefix}: ${problems.join('; ')}`);
  };
  const detach = async (): Promise<void> => {
    await markDetached(prefix);
    ending.forget();
    await lock.release();
  };
  try {
    sweepLab(prefix);
    return { ...(await raise(options, lower)), destroy, detach };
  } catch (error) {
    await destroy();
    throw error;
  }
}

async function raise(options: LabOptions, lower: readonly string[]): Promise<Omit<Lab, 'destroy' | 'detach'>> {
  const { prefix } = options;
  const dir = labDir(prefix);
  const subnet = parseSubnet(options.subnet);
  const names = typeof options.nodes === 'number' ? numberedNames(options.nodes) : options.nodes;
  const plans = names.map((name, index) => planNode(prefix, name, linkOf(prefix, subnet, index, name)));
  await mkdir(dir, { recursive: true });
  await createNetwork(prefix, subnet, plans.map((plan) => plan.link));
  const keyFile = join(dir, 'id_ed25519');
  await makeKeys([keyFile], 'lab');
  const publicKey = (await readFile(`${keyFile}.pub`, 'utf8')).trim();
  const containers = plans.map((plan) => plan.container);
  const identities = await giveIdentities(containers.map((container) => ({ name: container.name, upper: upperDirOf(container) })), publicKey);
  await mountRoots(containers, lower);
  const made = plans.map(({ container, link }, index) => {
    const identity = identities[index];
    if (!identity) throw new Error(`${container.name}: no identity`);
    return { node: createNode(container, link, identity.fingerprint), known: `${link.address} ${identity.hostKeyLine}` };
  });
  const nodes = made.map(({ node }) => node);
  const knownHostsFile = join(dir, 'known_hosts');
  await writeFile(knownHostsFile, made.map(({ known }) => `${known}\n`).join(''));
  await forEachLimited(nodes, BOOTS_AT_ONCE, async (node) => node.boot());

  const textOf = (options: InventoryOptions = {}): string => inventoryText(nodes, { user: 'root', keyFile, ...options });
  return {
    nodes,
    node(name) {
      const found = nodes.find((node) => node.name === name);
      if (!found) throw new Error(`no node ${name}; there are ${names.join(', ')}`);
      return found;
    },
    keyFile,
    knownHostsFile,
    async inventoryFile(options) {
      const file = join(dir, `inventory-${options?.user ?? 'root'}.yaml`);
      await writeFile(file, textOf(options));
      return file;
    },
    inventoryText: textOf,
  };
}

function numberedNames(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `node-${String(index + 1).padStart(3, '0')}`);
}

function planNode(prefix: string, name: string, link: NodeLink): { container: Container; link: NodeLink } {
  return { container: { dir: join(labDir(prefix), 'nodes', name), prefix, name, namespace: link.namespace }, link };
}

/** The last resort: also a process that is told to end takes its lab with it. */
function sweepAtExit(prefix: string): { forget(): void } {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onExit = (): void => {
    sweepLab(prefix);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    forget();
    sweepLab(prefix);
    process.kill(process.pid, signal);
  };
  const forget = (): void => {
    process.off('exit', onExit);
    for (const signal of signals) process.off(signal, onSignal);
  };
  process.once('exit', onExit);
  for (const signal of signals) process.once(signal, onSignal);
  return { forget };
}

