/**
 * Removes all that a lab left on the machine, whoever made it and however far it got. Synchronous, so that
 * it also works while the process ends. Touches only what carries the prefix; processes only by the lab's own cgroups.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseCgroupRoots, labCgroup } from './cgroups.js';
import { runNow } from './command.js';
import { labDir } from './paths.js';

/** Returns what could not be removed; empty when nothing is left. */
export function sweepLab(prefix: string): string[] {
  const dir = labDir(prefix);
  const alive = killProcesses(prefix);
  const problems = [...alive, ...unmountBelow(dir), ...removeNetwork(prefix)];
  removeCgroups(prefix);
  // A tree that is still mounted must not be emptied through its mount.
  if (mountsBelow(dir).length === 0) removeFiles(dir);
  return problems;
}

function removeFiles(dir: string): void {
  try {
    rmSync(dir, { recursive: true, force: true });
  } catch {
    // Some test made a file immutable.
    runNow(['chattr', '-R', '-f', '-i', dir]);
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All processes of the lab's control groups: exactly the nodes' and their systemd-nspawn's, whoever started them. */
function killProcesses(prefix: string): string[] {
  const gone = waitUntil(10_000, () => {
    const pids = labProcesses(prefix);
    for (const pid of pids) killNow(pid);
    return pids.length === 0;
  });
  return gone ? [] : labProcesses(prefix).map((pid) => `process ${pid} does not end`);
}

function labProcesses(prefix: string): number[] {
  return labCgroups(prefix).flatMap(processesBelow);
}

function labCgroups(prefix: string): string[] {
  const roots = parseCgroupRoots(readFileSync('/proc/mounts', 'utf8'));
  return roots.map((root) => labCgroup(root, prefix)).filter((path) => existsSync(path));
}

/** A dead child of this process stays listed on some kernels, without a command line, until its end is collected. */
function processesBelow(cgroup: string): number[] {
  const own = readIfThere(join(cgroup, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return [...own.filter((pid) => readIfThere(`/proc/${pid}/cmdline`) !== ''), ...directoriesIn(cgroup).flatMap(processesBelow)];
}

function directoriesIn(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
  } catch {
    return [];
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself between the look and the kill.
  }
}

function waitUntil(deadlineMs: number, done: () => boolean): boolean {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const end = Date.now() + deadlineMs; Date.now() < end; ) {
    if (done()) return true;
    Atomics.wait(pause, 0, 0, 20);
  }
  return done();
}

function mountsBelow(dir: string): string[] {
  const points = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) => point.startsWith(`${dir}/`)).reverse();
}

/** A killed node's last processes may hold its mounts for some milliseconds. */
function unmountBelow(dir: string): string[] {
  const gone = waitUntil(10_000, () => {
    const points = mountsBelow(dir);
    if (points.length > 0) runNow(['umount', ...points]);
    return mountsBelow(dir).length === 0;
  });
  return gone ? [] : mountsBelow(dir).map((point) => `${point} is still mounted`);
}

function removeNetwork(prefix: string): string[] {
  const spaces = ownNamespaces(prefix);
  const links = ownLinks(prefix);
  // Links first: a veth that goes with its namespace only goes some time later.
  const lines = [...links.map((name) => `link del ${name}`), ...spaces.map((name) => `netns del ${name}`)];
  if (lines.length > 0) runNow(['ip', '-force', '-batch', '-'], `${lines.join('\n')}\n`);
  return [...ownNamespaces(prefix), ...ownLinks(prefix)].map((name) => `${name} is still there`);
}

function ownNamespaces(prefix: string): string[] {
  return existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(`${prefix}-`)) : [];
}

function ownLinks(prefix: string): string[] {
  return readdirSync('/sys/class/net').filter((name) => name === `${prefix}-br` || new RegExp(`^${prefix}-v\\d+$`).test(name));
}

function removeCgroups(prefix: string): void {
  for (const top of labCgroups(prefix)) waitUntil(2_000, () => removeTree(top));
}

function removeTree(dir: string): boolean {
  for (const inner of directoriesIn(dir)) removeTree(inner);
  try {
    rmdirSync(dir);
    return true;
  } catch {
    return false;
  }
}
