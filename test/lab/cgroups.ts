/** Control groups of the lab's nodes: one directory per node in each hierarchy that systemd uses. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Mount points: the unified hierarchy and, on a hybrid machine, `name=systemd`. */
export async function cgroupRoots(): Promise<string[]> {
  return parseCgroupRoots(await readFile('/proc/mounts', 'utf8'));
}

export function parseCgroupRoots(mounts: string): string[] {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type, options]) => type === 'cgroup2' || (type === 'cgroup' && options?.split(',').includes('name=systemd')))
    .flatMap(([, point]) => (point === undefined ? [] : [point]));
}

export function labCgroup(root: string, prefix: string): string {
  return join(root, `${prefix}.lab`);
}

export function nodeCgroup(root: string, prefix: string, name: string): string {
  return join(labCgroup(root, prefix), name);
}
