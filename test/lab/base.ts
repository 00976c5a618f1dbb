/**
 * The userland under every node: a debootstrap tree and, as a layer of its own, the stand-in kubelet.
 * Built once, kept in the cache, built anew when its recipe changes. Never changed after it was built.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from './command.js';
import { holdLock } from './lock.js';
import { cacheDir } from './paths.js';

const KUBELET_SOURCES = ['kubelet.c', 'kubelet-config.c', 'kubelet-config.h'].map((name) => new URL(name, import.meta.url).pathname);

const PACKAGES = ['systemd', 'systemd-sysv', 'dbus', 'openssh-server', 'sudo', 'iproute2', 'procps', 'busybox', 'e2fsprogs'];

/** Users of every node: how each of them may become root. Fixed ids, so that a node's home can be filled from outside. */
export const NODE_USERS = [
  { name: 'ops', uid: 2001, sudoers: 'ops ALL=(ALL:ALL) NOPASSWD: ALL' },
  { name: 'guest', uid: 2002, sudoers: 'guest ALL=(ALL:ALL) ALL' },
  { name: 'nosudo', uid: 2003, sudoers: '' },
] as const;

/** Runs inside the new tree. guest's password is `guest`. */
const SETUP_SCRIPT = `set -eu
${NODE_USERS.map((user) => `useradd -m -u ${user.uid} -s /bin/bash ${user.name}`).join('\n')}
echo guest:guest | chpasswd
cat >/etc/sudoers.d/lab <<'END'
${NODE_USERS.map((user) => user.sudoers).filter(Boolean).join('\n')}
END
chmod 0440 /etc/sudoers.d/lab
rm -f /etc/ssh/ssh_host_* /etc/machine-id /var/lib/dbus/machine-id /etc/hostname /etc/resolv.conf
cat >/etc/ssh/sshd_config.d/lab.conf <<'END'
UseDNS no
HostKey /etc/ssh/ssh_host_ed25519_key
END
mkdir -p /etc/kubernetes /var/lib/kubelet
cd /etc/systemd/system
for unit in console-getty.service getty@.service getty.target apt-daily.timer apt-daily-upgrade.timer \\
  e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer systemd-networkd-wait-online.service; do
  ln -sf /dev/null "$unit"
done
rm -rf /var/cache/apt/archives/*.deb /var/lib/apt/lists/*
`;

/** Directories for overlayfs, topmost first. */
export async function prepareBase(say: (line: string) => void = () => undefined): Promise<string[]> {
  const origin = await readOrigin();
  const sources = await Promise.all(KUBELET_SOURCES.map(async (path) => readFile(path)));
  const userland = join(cacheDir(), `base-${shortHash(JSON.stringify([origin.suite, PACKAGES, SETUP_SCRIPT]))}`);
  const kubelet = join(cacheDir(), `kubelet-${shortHash(Buffer.concat(sources))}`);
  const layers = [kubelet, userland];
  if (layers.every((layer) => existsSync(layer))) return markUsed(layers);

  const lock = await holdLock(join(cacheDir(), 'build.lock'), 900);
  if (!lock) throw new Error(`${cacheDir()}: another process has been building the base for 15 minutes`);
  try {
    if (!existsSync(userland)) {
      say(`building the userland of the nodes once, about a minute, into ${userland}`);
      await buildInto(userland, async (dir) => buildUserland(dir, origin));
    }
    if (!existsSync(kubelet)) await buildInto(kubelet, buildKubelet);
    await markUsed(layers);
    await removeUnused();
  } finally {
    await lock.release();
  }
  return layers;
}

async function markUsed(layers: string[]): Promise<string[]> {
  const now = new Date();
  for (const layer of layers) await utimes(layer, now, now);
  return layers;
}

function shortHash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

interface Origin {
  readonly suite: string;
  readonly uri: string;
}

/** The release and the mirror that this machine itself uses. */
async function readOrigin(): Promise<Origin> {
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1]?.replaceAll('"', '');
  const uri = await findMirror();
  if (!suite || !uri) throw new Error('no Debian release name or mirror found in /etc/os-release and /etc/apt: the lab needs a Debian machine with package sources');
  return { suite, uri };
}

async function findMirror(): Promise<string | undefined> {
  const directory = '/etc/apt/sources.list.d';
  const names = existsSync(directory) ? (await readdir(directory)).sort() : [];
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(directory, name))].filter((path) => existsSync(path));
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    const found = file.endsWith('.sources') ? /^URIs:\s*(\S+)/m.exec(text) : /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)/m.exec(text);
    if (found?.[1]) return found[1];
  }
  return undefined;
}

/** Builds beside the goal and renames: a half-built tree is never taken for a base. */
async function buildInto(goal: string, build: (dir: string) => Promise<void>): Promise<void> {
  await mkdir(cacheDir(), { recursive: true });
  const dir = await mkdtemp(join(cacheDir(), 'building-'));
  try {
    await build(dir);
    await chmod(dir, 0o755);
    await rename(dir, goal);
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}

async function buildUserland(dir: string, { suite, uri }: Origin): Promise<void> {
  const minutes = 60_000;
  await mustRun(['debootstrap', '--variant=minbase', `--include=${PACKAGES.join(',')}`, suite, dir, uri], { timeoutMs: 15 * minutes });
  await mustRun(['chroot', dir, '/usr/bin/env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', '/bin/sh', '-s'], { stdin: SETUP_SCRIPT });
}

/** Static, so that it runs whatever the C library of the nodes. */
async function buildKubelet(dir: string): Promise<void> {
  await mkdir(join(dir, 'usr/bin'), { recursive: true });
  await mustRun(['gcc', '-std=gnu11', '-O1', '-static', '-o', join(dir, 'usr/bin/kubelet'), ...KUBELET_SOURCES.filter((path) => path.endsWith('.c'))]);
}

/** Trees of older recipes go when nobody used them for a day and no lab has them mounted. */
async function removeUnused(): Promise<void> {
  const mounts = await readFile('/proc/mounts', 'utf8');
  const dayAgo = Date.now() - 24 * 3600 * 1000;
  for (const name of await readdir(cacheDir())) {
    const path = join(cacheDir(), name);
    const ours = /^(base|kubelet|building)-/.test(name);
    if (ours && !mounts.includes(path) && (await stat(path)).mtimeMs < dayAgo) await rm(path, { recursive: true, force: true });
  }
}
