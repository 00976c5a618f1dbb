/** What this machine must offer, and the few settings that many nodes on one kernel need. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { mustRun } from './command.js';

/** Program to the Debian package that brings it. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'systemd-nspawn': 'systemd-container',
  debootstrap: 'debootstrap',
  ip: 'iproute2',
  'ssh-keygen': 'openssh-client',
  gcc: 'gcc',
  nsenter: 'util-linux',
  flock: 'util-linux',
  chattr: 'e2fsprogs',
};

/** Why real nodes can't be made here; empty when they can. */
export function missingForLab(): string[] {
  if (process.platform !== 'linux') return [`Linux (this is ${process.platform})`];
  const missing = process.getuid?.() === 0 ? [] : ['root'];
  const directories = (process.env['PATH'] ?? '').split(delimiter);
  for (const [program, bringer] of Object.entries(PROGRAMS)) {
    if (!directories.some((dir) => existsSync(join(dir, program)))) missing.push(`${program} (package ${bringer})`);
  }
  if (!existsSync('/usr/include/stdio.h')) missing.push('C headers (package libc6-dev)');
  return missing;
}

/** The default of 128 inotify instances ends at node 21. */
const LIMITS: Readonly<Record<string, number>> = {
  'fs/inotify/max_user_instances': 8192,
  'fs/inotify/max_user_watches': 524_288,
  'kernel/pid_max': 262_144,
};

/** Limits are only ever raised. */
export async function prepareMachine(): Promise<void> {
  for (const [name, wanted] of Object.entries(LIMITS)) {
    const file = join('/proc/sys', name);
    if (Number(await readFile(file, 'utf8')) < wanted) await writeFile(file, String(wanted));
  }
  // systemd-nspawn refuses to clean its own directory when that is on a disk.
  const dir = '/run/systemd/nspawn';
  await mkdir(dir, { recursive: true });
  const mounts = await readFile('/proc/mounts', 'utf8');
  const onMemory = mounts.split('\n').some((line) => / (\/run|\/run\/systemd\/nspawn) tmpfs /.test(line));
  if (!onMemory) await mustRun(['mount', '-t', 'tmpfs', 'tmpfs', dir]);
}
