/**
 * The real OpenSSH server on a loopback port, with keys of its own, started and ended by the test. Never touches the
 * system's sshd, its configuration or its keys.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import type { Host } from '../../src/core/host.js';
import { hostAt, makeKey } from './scratch.js';
import type { KeyKind, Scratch, TestKey } from './scratch.js';

const SSHD = '/usr/sbin/sshd';
const isMissing = !existsSync(SSHD);

/** Said by the skipped tests. On CI a missing sshd is a fault, not a reason. */
export const SSHD_SKIP_REASON = `${SSHD} is not installed (package openssh-server)`;
export const SKIP_WITHOUT_SSHD = isMissing && process.env['CI'] !== 'true';

export interface Sshd {
  readonly port: number;
  readonly host: Host;
  readonly hostKeys: readonly TestKey[];
  readonly userKey: TestKey;
  /** Lines of its debug log so far. */
  log(): string;
  /** Settles when its log has the text. */
  logged(text: string): Promise<void>;
  close(): Promise<void>;
}

export interface SshdOptions {
  readonly hostKeyKinds?: readonly KeyKind[];
  readonly userKey?: TestKey;
  readonly settings?: readonly string[];
  /** Default 127.0.0.1. */
  readonly listen?: string;
  /** Lines before all others: sshd takes the first value of each setting. */
  readonly first?: readonly string[];
  /** Words before its own: a program that becomes sshd in the end. */
  readonly within?: readonly string[];
}

/** So often somebody else may take the free port before sshd does. */
const PORTS_TRIED = 5;

export async function startSshd(scratch: Scratch, options: SshdOptions = {}): Promise<Sshd> {
  if (isMissing) throw new Error(SSHD_SKIP_REASON);
  for (let tried = 1; ; tried += 1) {
    try {
      return await startOnFreePort(scratch, options);
    } catch (error) {
      if (tried === PORTS_TRIED || !(error instanceof Error && error.message.includes('Address already in use'))) throw error;
    }
  }
}

async function startOnFreePort(scratch: Scratch, options: SshdOptions): Promise<Sshd> {
  const isRoot = process.getuid?.() === 0;
  // An empty run-time directory that root's sshd insists on. It stays: another sshd of this machine may use it by now.
  if (isRoot) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort();
  const user = userInfo().username;
  const userKey = options.userKey ?? makeKey();
  const hostKeys = (options.hostKeyKinds ?? ['ed25519']).map((kind) => makeKey(kind));
  const prefix = `sshd-${port}`;
  const listen = options.listen ?? '127.0.0.1';
  // Empty: no rc file of whoever runs the tests speaks, or takes its time, at each login.
  const home = scratch.path(`${prefix}.home`);
  mkdirSync(home);
  const config = [
    ...(options.first ?? []),
    `Port ${port}`, `ListenAddress ${listen}`, `PidFile ${scratch.path(`${prefix}.pid`)}`, 'UsePAM no', 'StrictModes no',
    'PasswordAuthentication no', 'KbdInteractiveAuthentication no', 'PermitRootLogin prohibit-password', 'PrintMotd no',
    'MaxStartups 300', 'LogLevel DEBUG1', `SetEnv HOME=${home}`, `AuthorizedKeysFile ${scratch.write(`${prefix}.authorized`, `${userKey.publicText}\n`)}`,
    ...hostKeys.map((key, index) => `HostKey ${scratch.write(`${prefix}.hostkey${index}`, key.privateText)}`),
    ...(options.settings ?? []),
  ];
  const [program = SSHD, ...before] = [...(options.within ?? []), SSHD];
  const child = spawn(program, [...before, '-D', '-e', '-f', scratch.write(`${prefix}.config`, `${config.join('\n')}\n`)], { stdio: ['ignore', 'ignore', 'pipe'] });
  const log = followLog(child);
  await log.logged(`Server listening on ${listen}`);
  return {
    port, hostKeys, userKey, host: hostAt(port, { user }),
    log: log.text,
    logged: log.logged,
    close: () => endChild(child),
  };
}

function followLog(child: ChildProcess): { text(): string; logged(text: string): Promise<void> } {
  let text = '';
  const watchers = new Set<() => void>();
  const look = (): void => {
    for (const watch of watchers) watch();
  };
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    look();
  });
  child.on('exit', look);
  const logged = (wanted: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        if (!text.includes(wanted) && child.exitCode === null) return;
        watchers.delete(watch);
        if (text.includes(wanted)) resolve();
        else reject(new Error(`sshd ended: ${text}`));
      };
      watchers.add(watch);
      watch();
    });
  return { text: () => text, logged };
}

export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
