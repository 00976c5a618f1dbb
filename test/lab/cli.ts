/** `npm run lab -- up | down | status`: real nodes to try fleetmend on, for root on Linux. They stay until `down`. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AILMENT_NAMES } from './ailments.js';
import type { AilmentName } from './ailments.js';
import { arrangeAll } from './arrange.js';
import { createLab } from './lab.js';
import type { Lab } from './lab.js';
import { missingForLab } from './machine.js';
import { greets } from './banner.js';
import { isDetached } from './sweep-dead.js';
import { sweepLab } from './sweep.js';

const PREFIX = 'fmlab';
const SUBNET = '10.79.0.0/16';
const OUT = new URL('../../.lab/', import.meta.url).pathname;
const STATE = join(OUT, 'nodes.json');

/** Mends well, mends well, is fine, gets restored, is refused: a bit of everything. */
const MIX: readonly AilmentName[] = ['flag-dropin', 'json-zero', 'compliant-by-absence', 'yaml-zero', 'flag-environment-file', 'dies-after-2s', 'flag-two-words', 'flag-execstart', 'readonly-config', 'yaml-crlf-comments', 'refuses-new-config', 'stopped'];

const USAGE = `usage: npm run lab -- up [--nodes N] [--ailments mix|all|NAME,NAME...] | down | status
ailments: ${AILMENT_NAMES.join(', ')}`;

interface SavedNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly ailment: string;
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: { nodes: { type: 'string' }, ailments: { type: 'string', default: 'mix' } } });
  const missing = missingForLab();
  if (missing.length > 0) return complain(`real nodes need: ${missing.join(', ')}. Without root: npm run demo`);
  switch (positionals[0]) {
    case 'up':
      return up(values.ailments, values.nodes);
    case 'down':
      return down();
    case 'status':
      return status();
    default:
      return complain(USAGE);
  }
}

function complain(text: string): number {
  console.error(text);
  return 1;
}

async function up(ailments: string, count: string | undefined): Promise<number> {
  if (isDetached(PREFIX)) return complain('a lab is up already: npm run lab -- status, or npm run lab -- down');
  const names = parseAilments(ailments);
  const nodes = count === undefined ? names.length : Number(count);
  if (names.length === 0 || !Number.isInteger(nodes) || nodes < 1 || nodes > 500) return complain(USAGE);
  const lab = await createLab({ prefix: PREFIX, subnet: SUBNET, nodes, say: (line) => console.log(line) });
  try {
    const arranged = await arrangeAll(lab.nodes, names);
    await save(lab, arranged);
    await lab.detach();
  } catch (error) {
    await lab.destroy();
    throw error;
  }
  console.log(`${nodes} nodes are up: ${names.join(', ')}\n\nnow try:\n  ${nextCommands().join('\n  ')}`);
  return 0;
}

function parseAilments(text: string): readonly AilmentName[] {
  if (text === 'mix') return MIX;
  if (text === 'all') return AILMENT_NAMES;
  const known = text.split(',').map((wanted) => AILMENT_NAMES.find((name) => name === wanted));
  return known.every((name) => name !== undefined) ? known : [];
}

async function save(lab: Lab, ailments: ReadonlyMap<string, AilmentName>): Promise<void> {
  await rm(OUT, { recursive: true, force: true });
  await mkdir(OUT, { recursive: true, mode: 0o700 });
  await copyFile(lab.keyFile, join(OUT, 'id_ed25519'));
  await copyFile(lab.knownHostsFile, join(OUT, 'known_hosts'));
  const labels = new Map([...ailments].map(([name, ailment]) => [name, { ailment }]));
  await writeFile(join(OUT, 'inventory.yaml'), lab.inventoryText({ labels, keyFile: 'id_ed25519' }));
  const saved: SavedNode[] = lab.nodes.map(({ name, address, port }) => ({ name, address, port, ailment: ailments.get(name) ?? '' }));
  await writeFile(STATE, `${JSON.stringify(saved, undefined, 2)}\n`);
}

function nextCommands(): string[] {
  const fleet = 'playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml --inventory .lab/inventory.yaml --known-hosts .lab/known_hosts';
  return [
    ...['audit', 'plan', 'apply'].map((command) => `node dist/main.js ${command} ${fleet}`),
    'ssh -i .lab/id_ed25519 -o UserKnownHostsFile=.lab/known_hosts root@10.79.0.10',
    'npm run lab -- down',
  ];
}

async function down(): Promise<number> {
  const problems = sweepLab(PREFIX);
  await rm(OUT, { recursive: true, force: true });
  for (const problem of problems) console.error(problem);
  return problems.length === 0 ? 0 : 1;
}

async function status(): Promise<number> {
  if (!isDetached(PREFIX) || !existsSync(STATE)) return complain('no lab is up');
  const saved = JSON.parse(await readFile(STATE, 'utf8')) as SavedNode[];
  for (const { name, address, port, ailment } of saved) {
    console.log(`${name}  ${address}  ${ailment}  ${(await greets(address, port, 1_000)) ? 'answers' : 'does not answer'}`);
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
