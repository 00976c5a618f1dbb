/**
 * One booted userland: systemd-nspawn over an overlay, in a namespace that stands already.
 * Knows processes, cgroups and mounts; knows nothing of SSH or kubelets.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRunScript, runBytes } from './command.js';
import { cgroupRoots, nodeCgroup } from './cgroups.js';

export interface Container {
  /** Directory of this node in the lab: up, work, root, pid, console.log. */
  readonly dir: string;
  readonly prefix: string;
  readonly name: string;
  readonly namespace: string;
}

export function rootDirOf(container: Container): string {
  return join(container.dir, 'root');
}

export function upperDirOf(container: Container): string {
  return join(container.dir, 'up');
}

/** The overlays stay mounted until the lab ends; powering off and on keeps their content. */
export async function mountRoots(containers: readonly Container[], lower: readonly string[]): Promise<void> {
  for (const container of containers) {
    for (const name of ['up', 'work', 'root']) await mkdir(join(container.dir, name), { recursive: true });
  }
  await mustRunScript(
    containers.map((container) => {
      const options = `lowerdir=${lower.join(':')},upperdir=${upperDirOf(container)},workdir=${join(container.dir, 'work')}`;
      return ['mount', '-t', 'overlay', `${container.prefix}-overlay`, '-o', options, rootDirOf(container)];
    }),
  );
}

/** Returns when the program was started, not when the node is up. Each node has cgroups of its own: with a shared one, their systemds would fight. */
export async function startContainer(container: Container): Promise<void> {
  const cgroups = (await cgroupRoots()).map((root) => nodeCgroup(root, container.prefix, container.name));
  for (const cgroup of cgroups) await mkdir(cgroup, { recursive: true });
  const log = openSync(join(container.dir, 'console.log'), 'a');
  const enter = 'for c in $CGROUPS; do echo $$ >"$c/cgroup.procs" || exit 1; done; unset CGROUPS; exec systemd-nspawn "$@"';
  const machine = `--machine=${container.prefix}-${container.name}`;
  const child = spawn(
    '/bin/sh',
    [
      '-c', enter, 'sh', '--quiet', '--boot', '--register=no', '--keep-unit', '--console=pipe', machine,
      `--hostname=${container.name}`, `--network-namespace-path=/run/netns/${container.namespace}`,
      '--resolv-conf=off', '--timezone=off', '--link-journal=no', '-D', rootDirOf(container),
    ],
    { detached: true, stdio: ['ignore', log, log], env: { PATH: process.env['PATH'] ?? '', CGROUPS: cgroups.join(' ') } },
  );
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  child.unref();
  await writeFile(join(container.dir, 'pid'), `${child.pid}\n`);
}

/** The running systemd-nspawn of this node; `undefined` when the power is off. A reused pid is not taken for it. */
export async function findSupervisor(container: Container): Promise<number | undefined> {
  const pidFile = join(container.dir, 'pid');
  if (!existsSync(pidFile)) return undefined;
  const pid = Number((await readFile(pidFile, 'utf8')).trim());
  const cmdline = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return cmdline.split('\0').includes(`--machine=${container.prefix}-${container.name}`) ? pid : undefined;
}

/** The node's pid 1 as this machine numbers it; `undefined` while it does not exist. */
export async function findInit(container: Container): Promise<number | undefined> {
  const supervisor = await findSupervisor(container);
  if (supervisor === undefined) return undefined;
  const children = await readFile(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter(Boolean)) {
    const status = await readFile(`/proc/${child}/status`, 'utf8').catch(() => '');
    if (/^NSpid:\t\d+\t1$/m.test(status)) return Number(child);
  }
  return undefined;
}

/** Runs a shell command as root in the node, whatever state its sshd is in. */
export async function enter(container: Container, command: string, stdin: string | Uint8Array = '', timeoutMs = 180_000): Promise<{ code: number; stdout: Buffer; stderr: string }> {
  const init = await findInit(container);
  if (init === undefined) throw new Error(`${container.name}: the power is off`);
  const argv = [
    'nsenter', '-t', String(init), '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w',
    'env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'LC_ALL=C', '/bin/sh', '-c', command,
  ];
  return runBytes(argv, { stdin, timeoutMs });
}
