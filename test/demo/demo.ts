/**
 * `npm run demo`: 24 nodes in this process behind real SSH on loopback, and the real command line tool run
 * against them as child processes: audit, plan, apply, audit. Needs no root, no server and no network.
 * Leaves nothing behind, also after Ctrl-C.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digestOf } from '../../src/core/bytes.js';
import { STATE_DIRECTORY } from '../fake/fake-effects.js';
import type { FakeNode } from '../fake/fake-node.js';
import {
  compliantAl2023, compliantKubeadm, diesWithNewValue, type NodeSpec, zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson, zeroInYaml,
} from '../fake/layouts.js';
import { type EmbeddedFleet, type FleetMember, startEmbeddedFleet } from './embedded-fleet.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PLAYBOOK = 'playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml';

/** 24 nodes. The last one does not get healthy with the new value. */
const NODES: readonly (readonly [count: number, pool: string, spec: NodeSpec])[] = [
  [4, 'pool-b', compliantAl2023],
  [3, 'pool-d', compliantKubeadm],
  [5, 'pool-a', zeroFlagInDropIn],
  [4, 'pool-a', zeroInJson],
  [4, 'pool-c', zeroFlagInEnvironmentFile],
  [3, 'pool-d', zeroInYaml],
  [1, 'pool-a', diesWithNewValue],
];

const EXPECTED: Tally = { untouched: 7, mended: 16, restored: 1 };

/** What an operator types. The paths are filled in, and the soak of the copied playbook is short. */
const ACTS: readonly { readonly title: string; readonly words: readonly string[] }[] = [
  { title: 'Which nodes break the control? (nothing is changed)', words: ['audit'] },
  { title: 'What would be done? (over connections that cannot write)', words: ['plan'] },
  { title: 'Do it: every node ends mended and proved, or restored and proved.', words: ['apply', '--yes'] },
  { title: 'The audit again: only the restored node is left.', words: ['audit'] },
];

const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'all compliant or changed',
  1: 'usage or configuration; nothing was touched',
  2: 'some nodes failed, and every one of them is proved restored or was never touched',
  3: 'at least one node is stuck: a person must look',
  4: 'nodes that break the control were found',
  130: 'interrupted; can be resumed',
};

async function main(): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'fleetmend-demo-'));
  let interrupted = false;
  let fleet: EmbeddedFleet | undefined;
  // A child in the foreground gets the same Ctrl-C and ends by itself; this process only waits and cleans up.
  const onSignal = (): void => {
    interrupted = true;
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The reader went away (`npm run demo | head`): stop as well, and clean up.
  process.stdout.on('error', onSignal);
  try {
    fleet = await startEmbeddedFleet(directory, membersOf());
    introduce(fleet);
    const before = new Map(fleet.hosts.map(({ node }) => [node.name, textOfFiles(node)]));
    const playbook = await copyPlaybook(directory);
    const codes: number[] = [];
    for (const act of ACTS) {
      if (interrupted) break;
      codes.push(await runCli(act.title, act.words, playbook, fleet, directory));
    }
    return interrupted ? 130 : conclude(codes, tally(fleet, before));
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await fleet?.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function membersOf(): FleetMember[] {
  const specs = NODES.flatMap(([count, pool, spec]) => Array.from({ length: count }, () => ({ pool, spec })));
  return specs.map(({ pool, spec }, index) => ({ name: `node-${String(index + 1).padStart(2, '0')}`, spec, pool }));
}

function introduce(fleet: EmbeddedFleet): void {
  console.log(`${fleet.hosts.length} nodes run in this process, each behind its own SSH server on 127.0.0.1:`);
  for (const [count, pool, spec] of NODES) console.log(`  ${String(count).padStart(2)} x ${spec.ailment}, ${pool}`);
}

/** The real playbook with a soak that suits a demo. */
async function copyPlaybook(directory: string): Promise<string> {
  const text = await readFile(join(ROOT, PLAYBOOK), 'utf8');
  const copy = join(directory, 'playbook.yaml');
  await writeFile(copy, text.replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$12s'));
  return copy;
}

async function runCli(title: string, words: readonly string[], playbook: string, fleet: EmbeddedFleet, directory: string): Promise<number> {
  const [command = '', ...more] = words;
  console.log(`\n\u2500\u2500 ${title}\n$ fleetmend ${[command, PLAYBOOK, '-i', 'inventory.yaml', ...more].join(' ')}\n`);
  const args = [
    join(ROOT, 'dist/main.js'), command, playbook, '-i', fleet.inventoryPath,
    '--known-hosts', fleet.knownHostsPath, '--identity-file', fleet.identityFile, ...more,
  ];
  const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: directory, env: { ...process.env, XDG_STATE_HOME: join(directory, 'state') } });
  return await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

/** What became of the nodes, seen from behind: by their files and their service managers, not by what the tool says. */
interface Tally {
  readonly untouched: number;
  readonly mended: number;
  readonly restored: number;
}

function tally(fleet: EmbeddedFleet, before: ReadonlyMap<string, string>): Tally {
  const counts = { untouched: 0, mended: 0, restored: 0 };
  for (const { node } of fleet.hosts) {
    const isSame = textOfFiles(node) === before.get(node.name);
    if (!isSame) counts.mended += 1;
    else if (node.systemd.counts.restart === 0) counts.untouched += 1;
    else counts.restored += 1;
  }
  return counts;
}

/** Every file of the node but the tool's own saved copies, with modes, owners and times. */
function textOfFiles({ files }: FakeNode): string {
  const rows = files.paths().flatMap((path) => {
    const inode = files.lstat(path);
    if (inode?.kind !== 'file' || path.startsWith(STATE_DIRECTORY)) return [];
    return [[path, inode.mode, inode.uid, inode.gid, inode.modifiedAt, digestOf(inode.bytes)].join(' ')];
  });
  return rows.join('\n');
}

/** 0 when the demo went as announced. */
function conclude(codes: readonly number[], seen: Tally): number {
  console.log('\n\u2500\u2500 What happened');
  for (const [index, code] of codes.entries()) {
    console.log(`  fleetmend ${(ACTS[index]?.words[0] ?? '').padEnd(5)} ended with ${code}: ${EXIT_CODES[code] ?? 'unknown'}`);
  }
  console.log(`${seen.untouched} nodes were compliant: not written to, not restarted.`);
  console.log(`${seen.mended} nodes were mended, and an audit after the restart proved it.`);
  console.log(`${seen.restored} did not get healthy with the new value: its files are back byte for byte and its kubelet runs as before.`);
  console.log('Next: README, "First steps on your own fleet".');
  const isAsAnnounced = seen.untouched === EXPECTED.untouched && seen.mended === EXPECTED.mended && seen.restored === EXPECTED.restored;
  return codes.join(' ') === '4 4 2 4' && isAsAnnounced ? 0 : 1;
}

process.exitCode = await main();
