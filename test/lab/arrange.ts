/** Brings a node into an ailment, in one visit, and waits until its kubelet is as the ailment says. */
import type { Ailment, AilmentName } from './ailments.js';
import { AILMENTS } from './ailments.js';
import { forEachLimited, quote } from './command.js';
import type { FileSpec, LabNode } from './node.js';

/** For a fresh node: an earlier ailment is not taken away. Rejects when the kubelet does not get where it should. */
export async function arrange(node: LabNode, name: AilmentName): Promise<void> {
  const script = arrangeScript(AILMENTS[name]);
  const result = await node.exec('/bin/sh -s', { stdin: script });
  if (result.code !== 0) throw new Error(`${node.name}: ailment ${name}: exit ${result.code}: ${result.stderr.trim()}`);
}

/** Node number n gets name number n; with fewer names than nodes they repeat. */
export async function arrangeAll(nodes: readonly LabNode[], names: readonly AilmentName[]): Promise<Map<string, AilmentName>> {
  const pairs = nodes.map((node, index) => [node, names[index % names.length]] as const);
  const arranged = new Map<string, AilmentName>();
  await forEachLimited(pairs, 8, async ([node, name]) => {
    if (name === undefined) throw new Error('no ailment to arrange');
    await arrange(node, name);
    arranged.set(node.name, name);
  });
  return new Map(nodes.flatMap((node) => [[node.name, arranged.get(node.name)] as const]).filter((pair): pair is readonly [string, AilmentName] => pair[1] !== undefined));
}

function arrangeScript(ailment: Ailment): string {
  const start = ailment.kubelet === 'stopped' ? ['systemctl daemon-reload'] : ['systemctl daemon-reload', 'systemctl enable --quiet --now kubelet.service'];
  const wait = ailment.kubelet === 'ill' ? [WAIT_DOWN] : ailment.kubelet === undefined ? [WAIT_HEALTHY] : [];
  return ['set -eu', ...ailment.files.map(writeCommand), ...(ailment.before ?? []), ...start, ...wait, ...(ailment.after ?? []), ''].join('\n');
}

function writeCommand({ path, content, mode = 0o644 }: FileSpec): string {
  const target = quote(path);
  const encoded = Buffer.from(content).toString('base64');
  return `mkdir -p "$(dirname ${target})"; echo ${encoded} | base64 -d >${target}; chmod ${mode.toString(8)} ${target}`;
}

const HEALTHZ = 'http://127.0.0.1:10248/healthz';
const WAIT_HEALTHY = `i=0; until timeout 2 busybox wget -q -O /dev/null ${HEALTHZ} 2>/dev/null; do
  i=$((i+1)); if [ $i -gt 200 ]; then systemctl status --no-pager kubelet >&2; exit 1; fi; sleep 0.1
done`;

const WAIT_DOWN = `i=0; while systemctl is-active --quiet kubelet; do
  i=$((i+1)); if [ $i -gt 200 ]; then echo 'the kubelet is well' >&2; exit 1; fi; sleep 0.1
done`;

/** The value that the node's kubelet runs with, by its own word (configz). */
export async function runningTimeout(node: LabNode): Promise<string> {
  const text = await node.mustExec('timeout 2 busybox wget -q -O - http://127.0.0.1:10248/configz');
  const parsed: unknown = JSON.parse(text);
  const found = /"streamingConnectionIdleTimeout":"([^"]*)"/.exec(JSON.stringify(parsed))?.[1];
  if (found === undefined) throw new Error(`${node.name}: configz: ${text}`);
  return found;
}
