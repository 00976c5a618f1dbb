/** What is true inside a node, looked at from inside it and not over SSH. Knows nothing of what the tool says. */
import { runningTimeout } from '../lab/arrange.js';
import type { LabNode } from '../lab/lab.js';

/** One line of facts per path: kind, inode, mode, owner, size, times of content and of the entry itself. Never the time of the last read. */
export type Files = ReadonlyMap<string, string>;

const PLACES = ['/etc', '/opt', '/var/lib', '/usr/lib/systemd', '/root', '/home', '/usr/local'];
/** What the node's own services write on their own account. */
const OTHERS = ['/var/lib/systemd', '/var/lib/private', '/var/lib/fleetmend/*'];

/** Everything that a write, a chmod or a rename would show in. Walks twice: overlayfs marks a directory when it is first listed. */
export async function filesOf(node: LabNode): Promise<Files> {
  const skip = OTHERS.map((path) => `-path '${path}' -prune -o`).join(' ');
  const walk = `find ${PLACES.join(' ')} ${skip} -printf '%p\\t%y %i %m %U:%G %s %T@ %C@\\0'`;
  const listing = await node.mustExec(`${walk} >/dev/null; ${walk}`);
  return new Map(listing.split('\0').filter(Boolean).map((line) => line.split('\t') as [string, string]));
}

/** Paths that are new, gone or not what they were; directories too, because a file that came or went shows in them. */
export function changedPaths(before: Files, after: Files): string[] {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path)).sort();
}

/** The paths whose replacement is wanted, and the directories in which a replacement shows. */
export function withParents(paths: readonly string[]): string[] {
  return [...new Set(paths.flatMap((path) => [path, path.slice(0, path.lastIndexOf('/'))]))].sort();
}

/** What a guard that was armed and ended leaves: the times of two directories. A file that stayed in one would show itself. */
export const GUARD_TRACES: readonly string[] = ['/etc/systemd/system', '/etc/systemd/system/multi-user.target.wants'];

/** All of a file that a restore must bring back: bytes, mode, owner, time of the content, extended attributes. Not the inode. */
export async function fileTruth(node: LabNode, path: string): Promise<string> {
  return node.mustExec(`stat -c '%F %a %u:%g %s %y' '${path}'; sha256sum <'${path}'
    tar --xattrs --xattrs-include='*' -cPf - '${path}' | grep -a -o 'SCHILY.xattr.*' || :; getcap '${path}'`);
}

export interface ServiceTruth {
  readonly ActiveState: string;
  readonly MainPID: string;
  readonly InvocationID: string;
  readonly NRestarts: string;
  readonly NeedDaemonReload: string;
  readonly argv: readonly string[];
  /** How often systemd has started it since the node booted, by systemd's own log. */
  readonly starts: number;
  /** Those of them that systemd decided on by itself (Restart=). */
  readonly automaticRestarts: number;
  /** What it runs with, by its own word; absent when it does not answer. */
  readonly timeout: string | undefined;
}

export async function serviceTruth(node: LabNode): Promise<ServiceTruth> {
  const text = await node.mustExec(`systemctl show kubelet.service -p ActiveState,MainPID,InvocationID,NRestarts,NeedDaemonReload
    echo "starts=$(journalctl -q -o cat -u kubelet.service | grep -c '^Started ')"
    echo "automatic=$(journalctl -q -o cat -u kubelet.service | grep -c ': Scheduled restart job')"
    pid=$(systemctl show -P MainPID kubelet.service); printf argv=; [ "$pid" = 0 ] || tr '\\0' '\\n' <"/proc/$pid/cmdline" | base64 -w0`);
  const fields = new Map(text.split('\n').map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]));
  const field = (name: string): string => fields.get(name) ?? '';
  return {
    ActiveState: field('ActiveState'),
    MainPID: field('MainPID'),
    InvocationID: field('InvocationID'),
    NRestarts: field('NRestarts'),
    NeedDaemonReload: field('NeedDaemonReload'),
    argv: Buffer.from(field('argv'), 'base64').toString('utf8').split('\n').slice(0, -1),
    starts: Number(field('starts')),
    automaticRestarts: Number(field('automatic')),
    timeout: await runningTimeout(node).catch(() => undefined),
  };
}
