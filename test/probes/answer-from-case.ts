/** Answers questions from a case's small node. Knows nothing of kubelets beyond the standard layout below; asked the same, says the same. */
import type { Answer, DirectoryAnswer, DirectoryEntry, FileAnswer, ProcessFacts, Query, UnitAnswer } from '../../src/core/query.js';
import type { ContentCase, NodeCase, ProcessCase } from './case-schema.js';

const CONFIG_PATH = '/etc/kubernetes/kubelet/kubelet-config.json';
const DROP_IN_PATH = '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf';
const MAIN_PID = 900;
const STARTED_AT = 1_700_000_000;
const AN_HOUR = 3600;
const FRAGMENT = `[Service]\nExecStart=/usr/bin/kubelet --config ${CONFIG_PATH} $KUBELET_ARGS $KUBELET_EXTRA_ARGS\nRestart=on-failure\n`;
const CONFIG = '{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1"}\n';

/** `look`: how many times the unit has been asked for before. */
export function answerFromCase(node: NodeCase, query: Query, look: number): Answer {
  switch (query.ask) {
    case 'unit':
      if (node.systemd === 'none') return { ok: false, ask: 'unit', reason: 'missingTool', detail: 'systemctl not found' };
      if (node.systemd === 'denied') return { ok: false, ask: 'unit', reason: 'denied', detail: 'access denied' };
      return { ok: true, ask: 'unit', value: unitAnswer(node, query.unit, look) };
    case 'process': {
      const process = query.pid === MAIN_PID ? mainProcess(node, look + 1) : otherProcess(node, query.pid);
      return { ok: true, ask: 'process', value: process === undefined ? {} : { process } };
    }
    case 'processes': {
      const pids = (node.processes ?? []).filter((process) => process.exe.endsWith(`/${query.exe}`)).map((process) => process.pid);
      return { ok: true, ask: 'processes', value: { pids, unreadable: node.unreadableProcesses ?? 0 } };
    }
    case 'file':
      return fileAnswer(node, query.path);
    case 'directory':
      return directoryAnswer(node, query.path);
    case 'version':
      return node.version === undefined
        ? { ok: false, ask: 'version', reason: 'failed', detail: 'no version' }
        : { ok: true, ask: 'version', value: { text: `${query.exe.startsWith('/proc/') ? 'Kubernetes v1.28.0' : node.version}\n` } };
    default:
      throw new Error(`an audit has no reason to ask for ${query.ask}`);
  }
}

function contents(node: NodeCase): Map<string, ContentCase> {
  const args = (node.flags ?? []).join(' ');
  const dropIns = node.dropIns ?? { [DROP_IN_PATH]: `[Service]\nEnvironment='KUBELET_ARGS=--node-ip=10.0.0.1${args === '' ? '' : ` ${args}`}'\n` };
  const fragment = { [fragmentPath(node)]: node.fragment ?? FRAGMENT };
  const config = node.config === null ? {} : { [CONFIG_PATH]: node.config ?? CONFIG };
  return new Map(Object.entries({ ...fragment, ...dropIns, ...config, ...node.files }));
}

function fragmentPath(node: NodeCase): string {
  return node.fragmentPath ?? `/etc/systemd/system/${node.unit ?? 'kubelet.service'}`;
}

function unitAnswer(node: NodeCase, unit: string, look: number): UnitAnswer {
  const process = node.invisible === true ? undefined : mainProcess(node, look);
  const absent = node.state === 'not-found' || node.state === 'masked';
  return {
    properties: {
      Id: unit,
      ...stateProperties(node),
      MainPID: node.invisible === true || process !== undefined ? String(MAIN_PID) : '0',
      NRestarts: '0',
      ExecMainStatus: '0',
      NeedDaemonReload: node.needReload === true ? 'yes' : 'no',
      FragmentPath: absent ? '' : fragmentPath(node),
      DropInPaths: absent ? '' : Object.keys(node.dropIns ?? { [DROP_IN_PATH]: '' }).join(' '),
      ...node.properties,
    },
    monotonicUs: 9_000_000_000,
    ...(process === undefined ? {} : { process }),
  };
}

function stateProperties({ state = 'running' }: NodeCase): Record<string, string> {
  const loaded = { LoadState: 'loaded', Result: 'success' };
  switch (state) {
    case 'running':
      return { ...loaded, ActiveState: 'active', SubState: 'running' };
    case 'inactive':
      return { ...loaded, ActiveState: 'inactive', SubState: 'dead' };
    case 'failed':
      return { LoadState: 'loaded', ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' };
    case 'start-limit-hit':
      return { LoadState: 'loaded', ActiveState: 'failed', SubState: 'failed', Result: 'start-limit-hit' };
    case 'auto-restart':
      return { LoadState: 'loaded', ActiveState: 'activating', SubState: 'auto-restart', Result: 'exit-code' };
    case 'masked':
    case 'not-found':
      return { LoadState: state, ActiveState: 'inactive', SubState: 'dead', Result: 'success' };
  }
}

function mainProcess(node: NodeCase, look: number): ProcessFacts | undefined {
  if ((node.state ?? 'running') !== 'running') return undefined;
  const argv = ['/usr/bin/kubelet', '--config', CONFIG_PATH, '--node-ip=10.0.0.1', ...(node.flags ?? [])];
  const facts = factsOf({ pid: MAIN_PID, argv, ...node.process });
  const born = Math.min(look, node.restartsWhileRead ?? 0);
  return { ...facts, startTicks: String(5000 + born), ...(node.zombie === true ? { cmdline: new Uint8Array() } : {}) };
}

function otherProcess(node: NodeCase, pid: number): ProcessFacts | undefined {
  const found = (node.processes ?? []).find((process) => process.pid === pid);
  return found === undefined ? undefined : factsOf(found);
}

function factsOf({ pid = MAIN_PID, exe = '/usr/bin/kubelet', argv = [exe], cwd = '/', cgroup = '0::/system.slice/kubelet.service', contained, deleted }: ProcessCase): ProcessFacts {
  return {
    pid, exe, cwd, cgroup, startTicks: '5000', startedAt: STARTED_AT,
    cmdline: Buffer.from(argv.map((word) => `${word}\0`).join('')),
    exeDeleted: deleted ?? false,
    hostNamespaces: contained !== true,
  };
}

function fileAnswer(node: NodeCase, path: string): Answer {
  const directory = node.directories?.[path];
  if (directory === 'newer') return { ok: true, ask: 'file', value: directoryFacts(path, STARTED_AT + AN_HOUR) };
  const content = contents(node).get(path);
  if (content === undefined) {
    const holds = [...contents(node).keys()].some((file) => file.startsWith(`${path.replace(/\/+$/, '')}/`));
    return { ok: true, ask: 'file', value: holds ? directoryFacts(path, STARTED_AT - AN_HOUR) : { exists: false } };
  }
  if (typeof content === 'string') return { ok: true, ask: 'file', value: fileFacts(path, { text: content }) };
  if (content.denied === true) return { ok: false, ask: 'file', reason: 'denied', detail: `${path}: may not be read` };
  return { ok: true, ask: 'file', value: content.missing === true ? { exists: false } : fileFacts(path, content) };
}

function directoryFacts(path: string, modifiedAt: number): FileAnswer {
  return { exists: true, kind: 'directory', realPath: path, viaLink: false, mode: 0o755, uid: 0, gid: 0, size: 0, links: 2, inode: '2', modifiedAt, bytes: new Uint8Array() };
}

function fileFacts(path: string, content: Exclude<ContentCase, string>): FileAnswer {
  const bytes = content.base64 === undefined ? Buffer.from(content.text ?? '') : Buffer.from(content.base64, 'base64');
  const realPath = content.realPath ?? (content.device === true ? '/dev/null' : path);
  return {
    exists: true, kind: content.device === true ? 'other' : 'file', realPath, viaLink: realPath !== path,
    mode: 0o644, uid: 0, gid: 0, size: bytes.length, links: 1, inode: '7', bytes,
    modifiedAt: STARTED_AT + (content.newer === true ? AN_HOUR : (content.secondsAfterStart ?? -AN_HOUR)),
  };
}

function directoryAnswer(node: NodeCase, path: string): Answer {
  const told = node.directories?.[path];
  if (told === 'denied') return { ok: false, ask: 'directory', reason: 'denied', detail: `${path}: may not be read` };
  const root = path.replace(/\/+$/, '');
  const entries = [...contents(node)].flatMap(([file, content]) => {
    const isEntry = file.startsWith(`${root}/`) && !(typeof content === 'object' && content.missing === true);
    return isEntry ? entriesOf(file.slice(root.length + 1), typeof content === 'object' && content.realPath !== undefined) : [];
  });
  const exists = told !== 'missing' && (entries.length > 0 || told !== undefined);
  const isDirectory = told !== 'file';
  const isLink = told === 'link';
  const value: DirectoryAnswer = exists ? { exists: true, isDirectory, isLink, entries: isDirectory ? unordered(entries) : [] } : { exists: false };
  return { ok: true, ask: 'directory', value };
}

function entriesOf(path: string, link: boolean): DirectoryEntry[] {
  const parents = path.split('/').slice(0, -1).map((_, depth, names): DirectoryEntry => ({ path: names.slice(0, depth + 1).join('/'), kind: 'directory' }));
  return [...parents, link ? { path, kind: 'link', target: 'file' } : { path, kind: 'file' }];
}

/** A walk gives no order. */
function unordered(entries: readonly DirectoryEntry[]): DirectoryEntry[] {
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()].reverse();
}
