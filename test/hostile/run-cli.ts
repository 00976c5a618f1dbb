/** The real command line tool as a process of its own, with the most memory it ever had. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EnemyFleet } from './enemy-fleet.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PLAYBOOK = join(ROOT, 'playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml');

export interface CliEnd {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly tookMs: number;
  /** Peak of the process's resident memory. */
  readonly peakMiB: number;
}

/** `words`: without those that say where the fleet is. The state goes into `directory`. */
export async function runCli(words: readonly string[], directory: string, fleet?: EnemyFleet): Promise<CliEnd> {
  const fleetWords = fleet ? ['-i', fleet.inventoryPath, '--known-hosts', fleet.knownHostsPath] : [];
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src/main.ts'), ...words, ...fleetWords], {
    cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, XDG_STATE_HOME: directory, HOME: directory, SSH_AUTH_SOCK: '' },
  });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  let peakMiB = 0;
  const watch = setInterval(() => { peakMiB = Math.max(peakMiB, peakOf(child.pid ?? 0)); }, 20);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status));
  });
  clearInterval(watch);
  return { code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8'), tookMs: performance.now() - startedMs, peakMiB };
}

function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+([0-9]+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
