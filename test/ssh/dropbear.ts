/**
 * dropbear, the second SSH server of the tests, on a loopback port with keys of its own. It reads authorized_keys only below the
 * user's home, so it runs in a mount namespace of its own in which that home is a scratch directory. Never touches the real one.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import type { Host } from '../../src/core/host.js';
import { hostAt, makeKey } from './scratch.js';
import type { Scratch, TestKey } from './scratch.js';
import { endChild } from './sshd.js';

const DROPBEAR = '/usr/sbin/dropbear';
const mayMount = spawnSync('unshare', ['-m', 'true'], { stdio: 'ignore' }).status === 0;

/** On CI a missing dropbear is a fault, not a reason. */
export const SKIP_WITHOUT_DROPBEAR = (!existsSync(DROPBEAR) || !mayMount) && process.env['CI'] !== 'true';
export const DROPBEAR_SKIP_REASON = `${DROPBEAR} is not installed (package dropbear-bin), or mounts are not allowed`;

export interface Dropbear {
  readonly port: number;
  readonly host: Host;
  readonly hostKey: Pick<TestKey, 'publicText' | 'blob'>;
  readonly userKey: TestKey;
  close(): Promise<void>;
}

export interface DropbearOptions {
  readonly hostKeyKind?: 'ed25519' | 'ecdsa' | 'rsa';
  readonly userKey?: TestKey;
  /** Further words of its command line, such as `-j`: no forwarding. */
  readonly words?: readonly string[];
}

export async function startDropbear(scratch: Scratch, options: DropbearOptions = {}): Promise<Dropbear> {
  const port = await freePort();
  const { username: user, homedir: home } = userInfo();
  const userKey = options.userKey ?? makeKey();
  const hostKeyFile = scratch.path(`dropbear-${port}.hostkey`);
  const made = await promisify(execFile)('dropbearkey', ['-t', options.hostKeyKind ?? 'ed25519', '-f', hostKeyFile]);
  const publicText = (/^(?:ssh|ecdsa)-\S+ \S+/m.exec(made.stdout)?.[0] ?? '').trim();
  mkdirSync(scratch.path(`dropbear-${port}/.ssh`), { recursive: true, mode: 0o700 });
  scratch.write(`dropbear-${port}/.ssh/authorized_keys`, `${userKey.publicText}\n`);
  const words = ['-F', '-E', '-m', '-p', `127.0.0.1:${port}`, '-r', hostKeyFile, '-P', scratch.path(`dropbear-${port}.pid`), ...(options.words ?? [])];
  const enter = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';
  const child = spawn('unshare', ['-m', 'sh', '-c', enter, 'sh', scratch.path(`dropbear-${port}`), home, DROPBEAR, ...words], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('Not backgrounding')) resolve();
    });
    child.once('exit', () => { reject(new Error(`dropbear ended: ${log}`)); });
  });
  return {
    port, userKey, host: hostAt(port, { user }),
    hostKey: { publicText, blob: Buffer.from(publicText.split(' ')[1] ?? '', 'base64') },
    close: () => endChild(child),
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => { resolve(); }));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
