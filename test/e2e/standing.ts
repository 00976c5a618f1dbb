/**
 * How a node stands, in one visit: its files, its kubelet, and whatever of a run is still at work there. Looked at from
 * inside the node, so it is what is true and not what a run says.
 */
import { forEachLimited, quote } from '../lab/command.js';
import type { LabNode } from '../lab/lab.js';

export interface Standing {
  /** By path: kind, mode, owner, size, time of the content, digest; `absent` when it is not there. */
  readonly files: Readonly<Record<string, string>>;
  readonly active: string;
  readonly needDaemonReload: string;
  readonly invocation: string;
  readonly argv: readonly string[];
  /** How often systemd has started the kubelet, by its own log. */
  readonly starts: number;
  /** Locks, armed guards, boot units on the disk, timers, temporary files: nothing of it may outlive a run. */
  readonly leftovers: readonly string[];
}

const LEFTOVERS = `ls -d /var/lib/fleetmend/lock /var/lib/fleetmend/broken-* /var/lib/fleetmend/*/guard/armed /etc/systemd/system/fleetmend* /etc/systemd/system/*/fleetmend* 2>/dev/null
systemctl list-units --all --plain --no-legend 'fleetmend-guard-*' | cut -d' ' -f1
find /etc /opt /var/lib/kubelet -name '*fleetmend*'`;

export async function standingOf(node: LabNode, paths: readonly string[]): Promise<Standing> {
  const files = paths.map((path) => {
    const word = quote(path);
    return `printf 'file\\t%s\\t' ${word}; if [ -e ${word} ]; then printf '%s %s\\n' "$(stat -c '%F %a %u:%g %s %y' ${word})" "$(sha256sum <${word} | cut -c1-64)"; else echo absent; fi`;
  });
  const text = await node.mustExec([
    ...files,
    "systemctl show kubelet.service -p ActiveState,NeedDaemonReload,InvocationID | sed 's/=/\\t/'",
    `printf 'starts\\t%s\\n' "$(journalctl -q -o cat -u kubelet.service | grep -c '^Started ')"`,
    `pid=$(systemctl show -P MainPID kubelet.service); printf 'argv\\t'; [ "$pid" = 0 ] || tr '\\0' '\\n' <"/proc/$pid/cmdline" | base64 -w0; echo`,
    `{ ${LEFTOVERS}
} | sed 's/^/left\\t/'`,
  ].join('\n'));
  const rows = text.split('\n').filter(Boolean).map((line) => line.split('\t'));
  const field = (name: string): string => rows.find(([key]) => key === name)?.[1] ?? '';
  return {
    files: Object.fromEntries(rows.flatMap(([key, path = '', facts = '']) => (key === 'file' ? [[path, facts]] : []))),
    active: field('ActiveState'),
    needDaemonReload: field('NeedDaemonReload'),
    invocation: field('InvocationID'),
    argv: Buffer.from(field('argv'), 'base64').toString('utf8').split('\n').slice(0, -1),
    starts: Number(field('starts')),
    leftovers: rows.flatMap(([key, what = '']) => (key === 'left' ? [what] : [])),
  };
}

/** Of many nodes at about one moment, by name. `pathsOf`: which files of a node to look at. */
export async function standings(nodes: readonly LabNode[], pathsOf: (name: string) => readonly string[]): Promise<Map<string, Standing>> {
  const seen = new Map<string, Standing>();
  await forEachLimited(nodes, 8, async (node) => { seen.set(node.name, await standingOf(node, pathsOf(node.name))); });
  return seen;
}

/** What an end of any kind asks of a node: the kubelet runs, systemd knows what is on the disk, nothing of a run is at work. */
export const AT_REST = { active: 'active', needDaemonReload: 'no', leftovers: [] } as const;

/** The digest at the end of a file's facts. */
export function digestIn(facts: string | undefined): string {
  return facts?.slice(-64) ?? '';
}

/** Kind, mode and owner: what a mend keeps although the bytes and the time are new. */
export function ownershipIn(facts: string | undefined): string {
  return /^.*? [0-7]+ \d+:\d+/.exec(facts ?? '')?.[0] ?? '';
}
