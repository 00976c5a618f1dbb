/** Runs the real command line as a user does: a process of its own, its own home and state directory. Judges nothing. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HostPlan } from '../../src/core/plan.js';
import type { Failure } from '../../src/core/failure.js';
import type { JournalEntry, RunEvent } from '../../src/core/journal.js';
import type { HostResult } from '../../src/core/report.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
/** Ends a program that hangs. No test waits for it, however slow the machine. */
const TIMEOUT_MS = 600_000;

/** One host in any of the JSON documents. */
export type HostDocument = HostResult & { readonly verdict?: string; readonly plan?: HostPlan; readonly failure?: Failure };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with all output so far once it contains the text (standard output and error together). */
  said(text: string | RegExp): Promise<string>;
}

/** Brings dist up to date; says nothing when it is. */
export function buildOnce(): void {
  const { status, stderr, stdout } = spawnSync(process.execPath, ['test/setup.mjs'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`no fresh dist: ${stdout}${stderr}`);
}

export function commandOf(args: readonly string[]): string[] {
  return [process.execPath, MAIN, ...args];
}

/** `home` takes everything that the tool keeps: known_hosts, state. Of the caller's environment only PATH is passed on. */
export function start(argv: readonly string[], home: string, environment: Readonly<Record<string, string>> = {}): Started {
  const [file = '', ...args] = argv;
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_STATE_HOME: `${home}/state`, ...environment };
  // A process group of its own, so that it can be ended with all that it started.
  const child = spawn(file, args, { cwd: home, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  // A program that ended reads nothing more.
  child.stdin.on('error', () => undefined);
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  const heard = (): void => { for (const listener of listeners) listener(); };
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; heard(); });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; heard(); });
  const ended = new Promise<Ended>((resolve, reject) => {
    const timer = setTimeout(() => { killTree({ child }); }, TIMEOUT_MS);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
  const said = (wanted: string | RegExp): Promise<string> => new Promise((resolve, reject) => {
    const look = (): void => {
      const all = stdout + stderr;
      if (typeof wanted === 'string' ? !all.includes(wanted) : !wanted.test(all)) return;
      listeners.delete(look);
      resolve(all);
    };
    listeners.add(look);
    look();
    void ended.then(() => reject(new Error(`ended before it said ${String(wanted)}:\n${stdout}${stderr}`)), reject);
  });
  return { child, ended, said };
}

/** SIGKILL for the program and all that it started, in one moment. */
export function killTree({ child }: Pick<Started, 'child'>): void {
  signalTree({ child }, 'SIGKILL');
}

/** As a terminal signals: the whole process group. Nothing when it has ended. */
export function signalTree({ child }: Pick<Started, 'child'>, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

/** The hosts of a `--output json` document, by name. */
export function hostsOf({ stdout, stderr }: Ended): ReadonlyMap<string, HostDocument> {
  if (stdout === '') throw new Error(`no document: ${stderr}`);
  const document = JSON.parse(stdout) as { hosts: HostDocument[] };
  return new Map(document.hosts.map((host) => [host.host, host]));
}

/** The entries of a `--output ndjson` stream, in order. */
export function entriesOf(output: string): JournalEntry[] {
  const events = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as RunEvent);
  return events.flatMap((event) => (event.event === 'entry' ? [event.entry] : []));
}
