/**
 * `node --import tsx test/bench/transports.ts [--hosts N] [--runs N]`: the two transports side by side against one sshd on loopback.
 * Processor time and memory of the controller's side for each host, as medians; asserts nothing.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { parseArgs } from 'node:util';
import type { Host } from '../../src/core/host.js';
import type { ShellStream, Transport } from '../../src/core/ports.js';
import { createOpenSshTransport } from '../../src/openssh/transport.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import { createScratch, hostAt, makeKey } from '../ssh/scratch.js';
import type { TestKey } from '../ssh/scratch.js';
import { endChild } from '../ssh/sshd.js';

interface Figures {
  readonly cpuMs: number;
  readonly memoryKib: number;
  readonly wallMs: number;
}

const TICK_MS = 10;
const signal = new AbortController().signal;

/** Of this process and of all children that have ended. */
function cpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(') ')[1]?.split(' ') ?? [];
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]) * TICK_MS, 0);
}

/** Private memory of this process and of every `ssh` that it started. */
function memoryKib(): number {
  const children = readdirSync('/proc/self/task').flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'latin1').trim().split(' '));
  const programs = children.filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/comm`, 'latin1').trim() === 'ssh');
  return ['self', ...programs].reduce((sum, pid) => sum + Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0), 0);
}

async function round(transport: Transport, hosts: readonly Host[], atOnce: number): Promise<Figures> {
  globalThis.gc?.();
  const [cpuBefore, memoryBefore, wallBefore] = [cpuMs(), memoryKib(), performance.now()];
  const waiting = [...hosts];
  const shells: ShellStream[] = [];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      const shell = await transport.open(host, 'exec /bin/cat', signal);
      shell.stderr.resume();
      const answer = new Promise((resolve) => shell.stdout.once('data', resolve));
      shell.stdin.write('ready\n');
      await answer;
      shell.stdout.resume();
      shells.push(shell);
    }
  }));
  const wallMs = performance.now() - wallBefore;
  globalThis.gc?.();
  const memory = memoryKib() - memoryBefore;
  await Promise.all(shells.map(async (shell) => {
    shell.stdin.end();
    await shell.ended;
  }));
  return { cpuMs: (cpuMs() - cpuBefore) / hosts.length, memoryKib: memory / hosts.length, wallMs };
}

/** The sshd of the tests logs everything into the process that is measured here; this one says nothing. */
async function startQuietSshd(): Promise<{ readonly port: number; readonly hostKey: TestKey; readonly userKey: TestKey; close(): Promise<void> }> {
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const [port, hostKey, userKey] = [24_917, makeKey(), makeKey()];
  const config = [
    `Port ${port}`, 'ListenAddress 127.0.0.1', `PidFile ${scratch.path('pid')}`, 'UsePAM no', 'StrictModes no', 'PermitRootLogin prohibit-password', 'MaxStartups 1000',
    `HostKey ${scratch.write('hostkey', hostKey.privateText)}`, `AuthorizedKeysFile ${scratch.write('authorized', `${userKey.publicText}\n`)}`,
  ];
  const child = spawn('/usr/sbin/sshd', ['-D', '-f', scratch.write('sshd.config', `${config.join('\n')}\n`)], { stdio: 'ignore' });
  while (!(await answers(port))) if (child.exitCode !== null) throw new Error('sshd did not start');
  return { port, hostKey, userKey, close: () => endChild(child) };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => { resolve(true); socket.destroy(); });
    socket.once('error', () => { resolve(false); });
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const { values } = parseArgs({ options: { hosts: { type: 'string', default: '100' }, runs: { type: 'string', default: '5' } } });
const [hostCount, runs] = [Number(values.hosts), Number(values.runs)];
const scratch = createScratch();
const sshd = await startQuietSshd();
try {
  const known = scratch.write('known', `[127.0.0.1]:${sshd.port} ${sshd.hostKey.publicText}\n`);
  const identityFile = scratch.write('id', sshd.userKey.privateText);
  const hosts = Array.from({ length: hostCount }, (_, at): Host => hostAt(sshd.port, { name: `node-${at}`, user: userInfo().username, identityFile }));
  const program = createOpenSshTransport({ environment: process.env, knownHostsFiles: [known] });
  const openssh = (file: string): Transport => ({ open: (host, ...how) => program.open({ ...host, ssh: { config: { file } } }, ...how) });
  const contenders: Readonly<Record<string, Transport>> = {
    'ssh2 (curve25519)': createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [known], defaultIdentityFiles: [] }),
    'openssh, curve25519': openssh(scratch.write('curve', 'KexAlgorithms curve25519-sha256\n')),
    'openssh, its own choice': openssh(scratch.write('empty', '\n')),
  };
  const figures = new Map<string, Figures[]>();
  for (let run = 0; run <= runs; run += 1) {
    for (const [name, transport] of Object.entries(contenders)) {
      const one = await round(transport, hosts, 32);
      console.error(`round ${run}, ${name}: ${JSON.stringify(one)}`);
      // The first round warms up.
      if (run > 0) figures.set(name, [...(figures.get(name) ?? []), one]);
    }
  }
  console.log(`${hostCount} hosts, 32 openings at once, medians of ${runs} rounds`);
  for (const [name, all] of figures) {
    const of = (pick: (one: Figures) => number): string => median(all.map(pick)).toFixed(1);
    console.log(`${name}: CPU ${of((one) => one.cpuMs)} ms a host, memory ${of((one) => one.memoryKib)} KiB a host while all are open, ${of((one) => one.wallMs)} ms until all were open`);
  }
} finally {
  await sshd.close();
  scratch.remove();
}
