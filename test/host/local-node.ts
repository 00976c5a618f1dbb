/** This machine as a node: a scratch directory, a stand-in for systemctl, and the shell text under a shell of choice. Needs root. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Host } from '../../src/core/host.js';
import { createConnector, type ConnectorOptions } from '../../src/host/connector.js';
import type { LookedAt, NodeUnderTest } from '../contracts/node-under-test.js';
import { createLocalTransport, type LocalTransportOptions } from './local-transport.js';

export const LOCAL_HOST: Host = { name: 'local', address: '127.0.0.1', port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} };

export interface LocalNodeOptions extends Partial<LocalTransportOptions> {
  readonly shell: string;
  /** Use busybox's tools instead of the system's. */
  readonly busyboxTools?: boolean;
  readonly connector?: ConnectorOptions;
}

export interface LocalNode extends NodeUnderTest {
  /** Programs put here come first in the library's PATH. */
  readonly bin: string;
  readonly stateRoot: string;
  readonly unitRoot: string;
  addProgram(name: string, text: string): void;
}

export async function makeLocalNode(options: LocalNodeOptions): Promise<LocalNode> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'fleetmend-host-')));
  const [root, bin, stateRoot] = [join(base, 'root'), join(base, 'bin'), join(base, 'state')];
  for (const directory of [root, bin]) mkdirSync(directory);
  const systemctl = join(bin, 'systemctl');
  for (const name of ['systemctl', 'systemd-run']) {
    copyFileSync(new URL(`${name}-stand-in.sh`, import.meta.url), join(bin, name));
    chmodSync(join(bin, name), 0o755);
  }
  const [unitRoot, runningRoot] = [join(base, 'units'), join(base, 'running')];
  for (const directory of [unitRoot, runningRoot]) mkdirSync(directory);
  writeFileSync(join(bin, 'logger'), '#!/bin/sh\n', { mode: 0o755 });
  execFileSync(systemctl, ['begin']);
  const server = await serveHealth();
  let cutArmed = false;
  let cutNow = false;
  const transport = createLocalTransport({
    onWrite: (text) => {
      if (cutArmed && / (edit|restore) /.test(text)) [cutArmed, cutNow] = [false, true];
      return text;
    },
    onOutput: () => {
      const cut = cutNow;
      cutNow = false;
      return cut;
    },
    ...options,
  });
  const searchPath = `${bin}:${options.busyboxTools ? installBusybox(join(base, 'applets')) : '/usr/sbin:/usr/bin:/sbin:/bin'}`;
  const mounts = mayMount(base);
  return {
    connector: createConnector(transport, { stateRoot, searchPath, unitRoot, runningRoot, ...options.connector }),
    host: LOCAL_HOST,
    root, bin, stateRoot, unitRoot,
    addProgram: (name, text) => writeFileSync(join(bin, name), text, { mode: 0o755 }),
    async put(path, content, { mode = 0o644, modifiedAt } = {}) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      chmodSync(path, mode);
      if (modifiedAt !== undefined) utimesSync(path, modifiedAt, modifiedAt);
    },
    makeDirectory: async (path) => void mkdirSync(path, { recursive: true }),
    link: async (path, target) => symlinkSync(target, path),
    look: async (path) => look(path),
    names: async (directory) => readdirSync(directory).sort(),
    async close() {
      execFileSync(systemctl, ['end']);
      await new Promise((resolve) => server.close(resolve));
      rmSync(base, { recursive: true });
    },
    age: async (path, modifiedAt) => utimesSync(path, modifiedAt, modifiedAt),
    hardLink: async (path, target) => linkSync(target, path),
    ...(mounts ? { makeReadOnly, fill } : {}),
    ...(mayMakeImmutable(base) ? { makeImmutable } : {}),
    cutNextAnswer: () => void (cutArmed = true),
    async fireGuard(run, when) {
      // In a session of its own, as a service is.
      const guard = spawn('setsid', ['-w', ...options.shell.split(' '), join(stateRoot, run, 'guard', 'script'), when], { stdio: 'ignore', timeout: 60_000 });
      await new Promise((resolve) => guard.on('close', resolve));
    },
    async silence(ms) {
      const at = Date.now() / 1000 - ms / 1000;
      const tombstones = readdirSync(stateRoot).filter((name) => name.startsWith('broken-'));
      for (const name of ['lock/beat', 'lock/holder', 'lock', ...tombstones]) if (existsSync(join(stateRoot, name))) utimesSync(join(stateRoot, name), at, at);
    },
    breakSystemdRun: async () => {
      writeFileSync(join(bin, 'systemd-run.broken'), '');
      return async () => rmSync(join(bin, 'systemd-run.broken'));
    },
    unit: 'fm-test.service',
    healthUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/healthz`,
  };
}

function look(path: string): LookedAt | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return undefined;
  const kind = stat.isSymbolicLink() ? 'link' : stat.isDirectory() ? 'directory' : 'file';
  const bytes = kind === 'file' ? new Uint8Array(readFileSync(path)) : new Uint8Array(0);
  return { kind, bytes, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, modifiedAt: Math.floor(stat.mtimeMs / 1000) };
}

async function serveHealth(): Promise<Server> {
  const server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return server;
}

function installBusybox(directory: string): string {
  mkdirSync(directory);
  execFileSync('busybox', ['--install', '-s', directory]);
  // Not one of busybox's own in every build, but on every node with ext4.
  symlinkSync('/usr/bin/lsattr', join(directory, 'lsattr'));
  return directory;
}

// Probed once a test process: neither changes while it runs.
const known: { mount?: boolean; immutable?: boolean } = {};

function mayMount(directory: string): boolean {
  return (known.mount ??= probeMount(directory));
}

function mayMakeImmutable(directory: string): boolean {
  return (known.immutable ??= probeImmutable(directory));
}

function probeMount(directory: string): boolean {
  const place = mkdtempSync(join(directory, 'probe-'));
  if (spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', place]).status !== 0) return false;
  execFileSync('umount', [place]);
  return true;
}

function probeImmutable(directory: string): boolean {
  const place = mkdtempSync(join(directory, 'probe-'));
  if (spawnSync('chattr', ['+i', place]).status !== 0) return false;
  execFileSync('chattr', ['-i', place]);
  return true;
}

async function makeImmutable(path: string): Promise<() => Promise<void>> {
  execFileSync('chattr', ['+i', path]);
  return async () => void execFileSync('chattr', ['-i', path]);
}

async function makeReadOnly(directory: string): Promise<() => Promise<void>> {
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['-o', 'remount,ro,bind', directory]);
  return async () => void execFileSync('umount', [directory]);
}

async function fill(directory: string): Promise<() => Promise<void>> {
  const aside = `${directory}.aside`;
  cpSync(directory, aside, { recursive: true, preserveTimestamps: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]);
  cpSync(aside, directory, { recursive: true, preserveTimestamps: true });
  spawnSync('dd', ['if=/dev/zero', `of=${directory}/filler`, 'bs=4k', 'count=12']);
  rmSync(aside, { recursive: true });
  return async () => void execFileSync('umount', [directory]);
}
