/** Enemies that run a real protocol and lie in what they say: contents, names, sizes and numbers. */
import type { Answer, DirectoryEntry, FileAnswer, Query } from '../../src/core/query.js';
import { eksAl2, jsonConfig } from '../fake/layouts.js';
import type { Enemy, Lie } from './enemy.js';
import { POISON } from './enemy.js';

type ExistingFile = Extract<FileAnswer, { exists: true }>;

/** Verdicts and failures of a node that could be talked to. */
const JUDGED = ['pass', 'fail', 'unknown', 'notApplicable', 'protocol'] as const;
const ANY_PATH = /./;

/** Honest, but for what `make` gives instead of the file. */
function file(path: RegExp, make: (file: ExistingFile) => Partial<ExistingFile>): Lie {
  return (query, honest) => {
    if (query.ask !== 'file' || !path.test(query.path) || honest.ask !== 'file' || !honest.ok || !honest.value.exists) return honest;
    const value = { ...honest.value, ...make(honest.value) };
    return { ...honest, value: { ...value, size: value.bytes.length } };
  };
}

const CONFIG = /kubelet-config\.json$/;
const content = (path: RegExp, text: string): Lie => file(path, () => ({ bytes: Buffer.from(text) }));

/** Of every unit. */
function properties(change: (unit: string) => Record<string, string>): Lie {
  return (query, honest) => (query.ask === 'unit' && honest.ask === 'unit' && honest.ok ? { ...honest, value: { ...honest.value, properties: { ...honest.value.properties, ...change(query.unit) } } } : honest);
}

function commandLine(...words: readonly string[]): Lie {
  const cmdline = Buffer.from(['/usr/bin/kubelet', ...words].map((word) => `${word}\0`).join(''));
  return (_query, honest) => {
    if (honest.ok && honest.ask === 'unit' && honest.value.process) return { ...honest, value: { ...honest.value, process: { ...honest.value.process, cmdline } } };
    if (honest.ok && honest.ask === 'process' && honest.value.process) return { ...honest, value: { process: { ...honest.value.process, cmdline } } };
    return honest;
  };
}

/** A config directory on the command line, and what it is said to hold. */
function configDirectory(entries: readonly DirectoryEntry[], bytes = '{}'): Lie {
  const words = commandLine('--config', eksAl2.configPath, '--config-dir', '/etc/kubelet.d');
  return (query, honest) => {
    if (query.ask === 'directory') return { ok: true, ask: 'directory', value: { exists: true, isDirectory: true, isLink: false, entries } };
    if (query.ask === 'file' && query.path.startsWith('/etc/kubelet.d')) return aFile(query.path, bytes);
    return words(query, honest);
  };
}

function aFile(path: string, text: string): Answer {
  const bytes = Buffer.from(text);
  return { ok: true, ask: 'file', value: { exists: true, kind: 'file', realPath: path, viaLink: false, mode: 0o644, uid: 0, gid: 0, size: bytes.length, links: 1, inode: '9', modifiedAt: 1, bytes } };
}

const refuse = (query: Query): Answer => ({ ok: false, ask: query.ask, reason: query.ask === 'file' ? 'denied' : 'failed', detail: POISON.repeat(2000) }) as Answer;

const entry = (path: string): DirectoryEntry => ({ path, kind: 'file' });
const many = (count: number, name: (index: number) => string): string[] => Array.from({ length: count }, (_, index) => name(index));
const aliases = `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${many(12, (index) => `a${index + 1}: &a${index + 1} [${many(9, () => `*a${index}`).join(',')}]\n`).join('')}`;
const poisoned = JSON.stringify(POISON);

export const NODE_ENEMIES: readonly Enemy[] = [
  { name: 'every-answer-refused-in-control-codes', ends: JUDGED, lie: refuse },
  { name: 'config-of-control-codes', ends: JUDGED, lie: content(CONFIG, `{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1","streamingConnectionIdleTimeout":${poisoned}}`) },
  { name: 'config-of-raw-control-codes', ends: JUDGED, lie: content(CONFIG, POISON.repeat(1000)) },
  { name: 'config-nested-too-deep', ends: JUDGED, lie: content(CONFIG, `{"a":${'['.repeat(60_000)}`) },
  { name: 'config-of-nested-objects', ends: JUDGED, lie: content(CONFIG, '{"a":'.repeat(20_000)) },
  { name: 'config-of-prototypes', ends: JUDGED, lie: content(CONFIG, '{"__proto__":{"streamingConnectionIdleTimeout":"1h","polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1,"hasOwnProperty":2}') },
  { name: 'config-of-a-million-members', ends: JUDGED, lie: content(CONFIG, `{${many(100_000, (index) => `"k${index}":1`).join(',')}}`) },
  { name: 'config-of-one-long-word', ends: JUDGED, lie: content(CONFIG, jsonConfig({ streamingConnectionIdleTimeout: 'h'.repeat(100_000) })) },
  { name: 'config-of-aliases', ends: JUDGED, lie: content(CONFIG, aliases) },
  { name: 'config-of-yaml-nested-too-deep', ends: JUDGED, lie: content(CONFIG, many(20_000, () => '- ').join('')) },
  { name: 'config-of-flow-yaml-nested-too-deep', ends: JUDGED, lie: content(CONFIG, `a: ${'['.repeat(100_000)}`) },
  { name: 'config-of-yaml-prototypes', ends: JUDGED, lie: content(CONFIG, 'kind: KubeletConfiguration\n__proto__: {polluted: true}\n? {a: b}\n: c\n<<: {__proto__: {x: 1}}\n') },
  { name: 'config-of-a-number-beyond-all', ends: JUDGED, lie: content(CONFIG, '{"streamingConnectionIdleTimeout":1e999999}') },
  { name: 'config-larger-than-allowed', ends: JUDGED, lie: content(CONFIG, ' '.repeat(1024 * 1024 + 1)) },
  { name: 'files-of-four-megabytes', ends: JUDGED, lie: content(ANY_PATH, '#'.repeat(4 * 1024 * 1024)) },
  { name: 'unit-file-of-control-codes', ends: JUDGED, lie: content(/kubelet\.service$/, `[Service]\nExecStart=/usr/bin/kubelet --x=${POISON}\nEnvironment="${POISON}"\n`) },
  { name: 'unit-file-of-line-continuations', ends: JUDGED, lie: content(/kubelet\.service$/, `[Service]\nExecStart=/usr/bin/kubelet ${'\\\n'.repeat(50_000)}`) },
  { name: 'unit-file-of-environment-files', ends: JUDGED, lie: content(/kubelet\.service$/, `[Service]\n${many(5000, (index) => `EnvironmentFile=-/../../etc/${index}\n`).join('')}ExecStart=/usr/bin/kubelet $A\n`) },
  { name: 'unit-file-that-is-not-there-twice', ends: JUDGED, lie: content(/\.service$/, '\0'.repeat(100_000)) },
  { name: 'paths-that-lead-out', ends: JUDGED, lie: file(ANY_PATH, () => ({ viaLink: true, realPath: '../../../../../../root/.ssh/authorized_keys' })) },
  { name: 'paths-of-control-codes', ends: JUDGED, lie: file(ANY_PATH, () => ({ viaLink: true, realPath: `/etc/${POISON.replaceAll('\0', '')}` })) },
  { name: 'properties-of-control-codes', ends: JUDGED, lie: properties(() => ({ Id: POISON, ActiveState: POISON, SubState: POISON, Result: POISON, FragmentPath: `/etc/${POISON}`, DropInPaths: POISON })) },
  { name: 'properties-that-lead-out', ends: JUDGED, lie: properties(() => ({ FragmentPath: '../../../etc/passwd', DropInPaths: '../../x.conf /etc/../../y.conf --help -rf' })) },
  { name: 'unit-of-twenty-thousand-drop-ins', ends: JUDGED, lie: properties(() => ({ DropInPaths: many(20_000, (index) => `/etc/${index}.conf`).join(' ') })) },
  { name: 'main-process-that-never-stays', ends: JUDGED, lie: (query, honest) => (honest.ok && honest.ask === 'process' && query.ask === 'process' ? { ...honest, value: {} } : honest) },
  { name: 'command-line-of-control-codes', ends: JUDGED, lie: commandLine('--config', `/etc/${POISON}`, `--${POISON}=${POISON}`, '--streaming-connection-idle-timeout', POISON) },
  { name: 'command-line-that-leads-out', ends: JUDGED, lie: commandLine('--config', '../../../../../../etc/shadow', '--config-dir=../../..') },
  { name: 'command-line-of-a-megabyte', ends: JUDGED, lie: commandLine(...many(30_000, (index) => `--a${index}=1`)) },
  { name: 'directory-of-twenty-thousand', ends: JUDGED, lie: configDirectory(many(20_000, (index) => `${index}.conf`).map(entry)) },
  { name: 'directory-of-sixty-thousand', ends: JUDGED, lie: configDirectory(many(60_000, () => 'a.conf').map(entry)) },
  { name: 'directory-of-large-files', ends: JUDGED, lie: configDirectory(many(400, (index) => `${index}.conf`).map(entry), `# ${'x'.repeat(20_000)}\n{}`) },
  { name: 'directory-of-names-that-lead-out', ends: JUDGED, lie: configDirectory(['../../../etc/passwd.conf', '/etc/shadow.conf', `${POISON.replaceAll('\0', '')}.conf`, '..', '', '__proto__.conf'].map(entry)) },
  { name: 'processes-without-end', ends: JUDGED, lie: (query, honest) => (query.ask === 'unit' ? properties(() => ({ LoadState: 'not-found', MainPID: '0' }))(query, noProcess(honest)) : query.ask === 'processes' ? { ok: true, ask: 'processes', value: { pids: Array.from({ length: 50_000 }, (_, index) => index + 2), unreadable: 1 } } : honest) },
];

function noProcess(answer: Answer): Answer {
  if (answer.ask !== 'unit' || !answer.ok) return answer;
  const { process: _gone, ...value } = answer.value;
  return { ...answer, value };
}
