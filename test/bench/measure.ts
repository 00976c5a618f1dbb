/** Runs one program to its end and measures it from outside: seconds, its processor time, the nodes' processor time. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cgroupRoots, labCgroup } from '../lab/cgroups.js';

export interface Measured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallSeconds: number;
  /** User and system time of the program and of all children it waited for. */
  readonly clientCpuSeconds: number;
  /** User and system time of everything in the nodes, meanwhile; undefined where the kernel does not tell. */
  readonly nodesCpuSeconds: number | undefined;
}

/** bash's own `time` counts what wait4 tells, like time(1), which is often not installed. Output goes to files: nobody reads along. */
const WRAPPER = 'TIMEFORMAT="%R %U %S"; { time "$@" >"$BENCH_OUT.stdout" 2>"$BENCH_OUT.stderr" </dev/null; } 2>"$BENCH_OUT.times"';

export async function measure(argv: readonly string[], options: { readonly dir: string; readonly env: NodeJS.ProcessEnv; readonly prefix: string }): Promise<Measured> {
  const out = join(options.dir, 'measured');
  const nodesBefore = await nodesCpu(options.prefix);
  const code = await ended(spawn('bash', ['-c', WRAPPER, 'bash', ...argv], { cwd: options.dir, env: { ...options.env, BENCH_OUT: out }, stdio: 'ignore' }));
  const nodesAfter = await nodesCpu(options.prefix);
  const [stdout, stderr, times] = await Promise.all(['stdout', 'stderr', 'times'].map(async (name) => readFile(`${out}.${name}`, 'utf8')));
  const [wall, user, system] = (times ?? '').trim().split(' ').map(Number);
  if (wall === undefined || user === undefined || system === undefined) throw new Error(`${argv[0] ?? ''}: could not be measured: ${times ?? ''}`);
  return {
    code, stdout: stdout ?? '', stderr: stderr ?? '', wallSeconds: wall, clientCpuSeconds: user + system,
    nodesCpuSeconds: nodesBefore === undefined || nodesAfter === undefined ? undefined : nodesAfter - nodesBefore,
  };
}

async function ended(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 137));
  });
}

async function nodesCpu(prefix: string): Promise<number | undefined> {
  const files = (await cgroupRoots()).map((root) => join(labCgroup(root, prefix), 'cpu.stat'));
  const file = files.find((path) => existsSync(path));
  const text = file === undefined ? '' : await readFile(file, 'utf8');
  const microseconds = /^usage_usec (\d+)$/m.exec(text)?.[1];
  return microseconds === undefined ? undefined : Number(microseconds) / 1e6;
}
