/**
 * `npm run demo`: 24 nodes in this process behind real SSH on loopback, and the real command line tool run
 * against them as child processes: audit, plan, apply (killed in the middle), resume, audit, undo. Needs no root, no server
 * and no network.
 * Leaves nothing behind, also after Ctrl-C.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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

/** The sick one and the three that are taken back end in their old state. */
const EXPECTED: Tally = { untouched: 7, mended: 13, restored: 4 };

interface Act {
  readonly title: string;
  /** RUN stands for the name of the run. */
  readonly words: readonly string[];
  readonly code: number;
  /** The process is killed, without a chance to say goodbye, once so many nodes were restarted. */
  readonly killedAfterRestarts?: number;
}

const KILLED = 128 + constants.signals.SIGKILL;

/** What an operator types. The paths are filled in, and the soak of the copied playbook is short. */
const ACTS: readonly Act[] = [
  { title: 'Which nodes break the control? (nothing is changed)', words: ['audit'], code: 4 },
  { title: 'What would be done, in which waves, and when would it stop? Saved, to be done exactly so. (over connections that cannot write)', words: ['plan', '--concurrency', '6', '-o', 'rollout.plan'], code: 4 },
  { title: 'Do it, wave by wave. And in the middle, this demo kills the process: kill -9.', words: ['apply', 'rollout.plan', '--yes'], code: KILLED, killedAfterRestarts: 9 },
  { title: 'Nothing is lost: the run is known, and where each node stands.', words: ['runs'], code: 0 },
  { title: 'Go on in the wave where it was: every node ends mended and proved, or restored and proved.', words: ['resume', 'RUN'], code: 2 },
  { title: 'The story of the node that does not get healthy with the new value.', words: ['show', 'RUN', 'node-24'], code: 0 },
  { title: 'Take three nodes back: old bytes, old process, proved.', words: ['undo', 'RUN', '--limit', 'node-2[1-3]', '--yes'], code: 0 },
  { title: 'The audit again: the restored node and the three that were taken back.', words: ['audit'], code: 4 },
];

const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'all is as it was asked to be',
  1: 'usage or configuration; nothing was touched',
  2: 'some nodes failed, and every one of them is proved restored or was never touched',
  3: 'at least one node is stuck: a person must look',
  4: 'nodes that break the control were found',
  130: 'interrupted; can be resumed',
  [KILLED]: 'killed; nodes were in the middle',
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
      codes.push(await runCli(act, playbook, fleet, directory));
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

/** The real playbook with waits that suit a demo. A canary would find the node that does not get well, and stop there: not today. */
async function copyPlaybook(directory: string): Promise<string> {
  const text = await readFile(join(ROOT, PLAYBOOK), 'utf8');
  const copy = join(directory, 'playbook.yaml');
  const inWaves = 'rollout: { waves: [2, 50%, 100%], canary: none, budget: 3, soak: 1s }\n';
  await writeFile(copy, text.replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$12s').replace(/^rollout:\n(?: .*\n)+/m, inWaves));
  return copy;
}

/** Of the commands; those about a past run need neither playbook nor inventory. */
const NEEDS_FLEET = ['audit', 'plan'];

async function runCli(act: Act, playbook: string, fleet: EmbeddedFleet, directory: string): Promise<number> {
  const state = join(directory, 'state');
  const run = (await readdir(join(state, 'fleetmend/runs')).catch(() => []))[0] ?? 'RUN';
  const [command = '', ...more] = act.words.map((word) => (word === 'RUN' ? run : word));
  const needsFleet = NEEDS_FLEET.includes(command);
  const typed = needsFleet ? [command, PLAYBOOK, '-i', 'inventory.yaml', ...more] : [command, ...more];
  console.log(`\n\u2500\u2500 ${act.title}\n$ fleetmend ${typed.join(' ')}\n`);
  const fleetWords = ['-i', fleet.inventoryPath, '--known-hosts', fleet.knownHostsPath, '--identity-file', fleet.identityFile];
  const args = [join(ROOT, 'dist/main.js'), command, ...(needsFleet ? [playbook, ...fleetWords] : []), ...more];
  const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: directory, env: { ...process.env, XDG_STATE_HOME: state } });
  const wanted = act.killedAfterRestarts ?? Infinity;
  const restarts = (): number => fleet.hosts.filter(({ node }) => node.systemd.counts.restart > 0).length;
  const watch = setInterval(() => { if (restarts() >= wanted) child.kill('SIGKILL'); }, 50);
  return await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearInterval(watch);
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
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
    console.log(`  fleetmend ${(ACTS[index]?.words[0] ?? '').padEnd(6)} ended with ${code}: ${EXIT_CODES[code] ?? 'unknown'}`);
  }
  console.log(`${seen.untouched} nodes were compliant: not written to, not restarted.`);
  console.log(`${seen.mended} nodes are mended, and an audit after the restart proved it, although the first process was killed.`);
  console.log(`${seen.restored} have their old files back byte for byte and run as before: one did not get healthy, three were taken back.`);
  console.log('Next: README, "First steps on your own fleet".');
  const isAsAnnounced = seen.untouched === EXPECTED.untouched && seen.mended === EXPECTED.mended && seen.restored === EXPECTED.restored;
  return codes.join(' ') === ACTS.map(({ code }) => code).join(' ') && isAsAnnounced ? 0 : 1;
}

process.exitCode = await main();
