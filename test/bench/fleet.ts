/** The nodes of a benchmark and the files that the contenders need to reach them. Removes all it made. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AILMENTS } from '../lab/ailments.js';
import type { AilmentName } from '../lab/ailments.js';
import { arrangeAll } from '../lab/arrange.js';
import { createLab } from '../lab/lab.js';
import type { Lab } from '../lab/lab.js';

export const PREFIX = 'fmb';
const SUBNET = '10.83.0.0/16';

/** EKS AL2 nodes as fleets have them: most are fine, some by default and some by a key in the file; every fourth has the flag at zero. */
const MIX: readonly AilmentName[] = ['compliant-by-absence', 'compliant-explicit', 'compliant-by-absence', 'flag-dropin'];

export interface Target {
  readonly name: string;
  readonly address: string;
  readonly verdict: 'pass' | 'fail';
}

export interface BenchFleet {
  readonly lab: Lab;
  readonly targets: readonly Target[];
  /** For everything that a contender writes. */
  readonly dir: string;
  readonly inventoryFile: string;
  /** JSON for the bare loop, one address a line for clush and pdsh, INI for Ansible. */
  readonly targetsFile: string;
  readonly addressesFile: string;
  readonly ansibleHostsFile: string;
  destroy(): Promise<void>;
}

export async function raiseFleet(nodes: number, say: (line: string) => void): Promise<BenchFleet> {
  const lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes, say });
  const dir = await mkdtemp(join(tmpdir(), 'fmb-'));
  const destroy = async (): Promise<void> => {
    await rm(dir, { recursive: true, force: true });
    await lab.destroy();
  };
  try {
    const ailments = await arrangeAll(lab.nodes, MIX);
    const targets = lab.nodes.map(({ name, address }): Target => ({ name, address, verdict: verdictOf(ailments.get(name)) }));
    return { lab, targets, dir, ...(await writeFiles(lab, targets, dir)), destroy };
  } catch (error) {
    await destroy();
    throw error;
  }
}

function verdictOf(ailment: AilmentName | undefined): 'pass' | 'fail' {
  const verdict = ailment === undefined ? 'unknown' : AILMENTS[ailment].expected.verdict;
  if (verdict === 'unknown') throw new Error(`no clear verdict for a node with ${ailment ?? 'no ailment'}`);
  return verdict;
}

async function writeFiles(lab: Lab, targets: readonly Target[], dir: string) {
  const lines = (await readFile(lab.knownHostsFile, 'utf8')).trimEnd().split('\n').map((line) => line.split(' '));
  const keys = new Map(lines.map(([address = '', , key = '']) => [address, key]));
  const files = { targetsFile: join(dir, 'targets.json'), addressesFile: join(dir, 'addresses'), ansibleHostsFile: join(dir, 'hosts.ini') };
  const hosts = targets.map(({ name, address }) => ({ name, address, port: 22, hostKey: keys.get(address) }));
  await writeFile(files.targetsFile, JSON.stringify({ user: 'root', keyFile: lab.keyFile, hosts }));
  await writeFile(files.addressesFile, targets.map(({ address }) => `${address}\n`).join(''));
  await writeFile(files.ansibleHostsFile, targets.map(({ name, address }) => `${name} ansible_host=${address}\n`).join(''));
  return { ...files, inventoryFile: await lab.inventoryFile() };
}
