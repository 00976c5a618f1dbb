/** Answers the closed set of questions from a fake node's state. Never changes anything but what is due by the clock. */
import type {
  Answer, CapabilityAnswer, DirectoryAnswer, DirectoryEntry, FileAnswer, HttpAnswer, ProcessFacts, Query, UnansweredReason, UnitAnswer, WritableAnswer,
} from '../../src/core/query.js';
import type { FakeFiles } from './fake-files.js';
import { guardAnswer } from './fake-guard.js';
import { lockAnswer } from './fake-lock.js';
import { baseOf, parentOf, STATE_DIRECTORY } from './fake-paths.js';
import { startLimit, type FakeProcess, type FakeSystemd, type Service, spanMs } from './fake-systemd.js';

/** A process that no unit of the fake started: a kubelet in a container, an editor with a telling name. */
export interface OtherProcess {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly exe: string;
  readonly cwd?: string;
  readonly cgroup?: string;
  readonly hostNamespaces?: boolean;
  readonly exeDeleted?: boolean;
}

export interface AnswerParts {
  readonly files: FakeFiles;
  readonly systemd: FakeSystemd;
  readonly capability: Omit<CapabilityAnswer, 'uid'>;
  readonly others: readonly OtherProcess[];
  readonly monotonicMs: () => number;
  readonly nowSeconds: () => number;
  readonly versions: Readonly<Record<string, string>>;
}

const SPARE_BYTES = 65_536;
const FILE_LIMIT_BYTES = 1024 * 1024;

/** `uid`: who asks. Everybody but root is kept away from files whose mode says so. */
export function answerQuery(parts: AnswerParts, query: Query, uid: number): Answer {
  parts.systemd.settle();
  switch (query.ask) {
    case 'capability':
      return { ok: true, ask: 'capability', value: { ...parts.capability, uid } };
    case 'unit':
      if (parts.capability.systemd === undefined) return unanswered('unit', 'missingTool', 'systemctl');
      if (uid !== 0 && parts.systemd.service(query.unit).mainPid !== 0) return unanswered('unit', 'denied', 'its process may not be looked at without root');
      return { ok: true, ask: 'unit', value: unitAnswer(parts, query.unit) };
    case 'process': {
      const process = processFacts(parts, query.pid);
      if (uid !== 0 && process !== undefined) return unanswered('process', 'denied', `process ${query.pid} may not be looked at without root`);
      return { ok: true, ask: 'process', value: process === undefined ? {} : { process } };
    }
    case 'processes': {
      const pids = pidsOf(parts, () => true);
      const value = uid === 0 ? { pids: pidsOf(parts, (exe) => baseOf(exe) === query.exe), unreadable: 0 } : { pids: [], unreadable: pids.length };
      return { ok: true, ask: 'processes', value };
    }
    case 'file':
      return refuseFile(parts, query.path, uid) ?? { ok: true, ask: 'file', value: fileAnswer(parts.files, query.path) };
    case 'directory':
      return { ok: true, ask: 'directory', value: directoryAnswer(parts.files, query.path) };
    case 'writable':
      return { ok: true, ask: 'writable', value: writableAnswer(parts.files, query.path, uid) };
    case 'http': {
      const value = httpAnswer(parts.systemd, query.url);
      return value === undefined ? unanswered('http', 'failed', 'connection refused') : { ok: true, ask: 'http', value };
    }
    case 'version': {
      const text = parts.versions[query.exe];
      return text === undefined ? unanswered('version', 'failed', `${query.exe}: not found`) : { ok: true, ask: 'version', value: { text } };
    }
    case 'status':
      return { ok: true, ask: 'status', value: statusAnswer(parts.systemd, query.unit) };
    case 'lock':
    case 'guard':
      if (uid !== 0 && parts.files.stat(STATE_DIRECTORY) !== undefined) return unanswered(query.ask, 'denied', `${STATE_DIRECTORY} is root's alone`);
      if (query.ask === 'lock') return { ok: true, ask: 'lock', value: lockAnswer(parts) };
      return { ok: true, ask: 'guard', value: guardAnswer(parts, query.run) };
  }
}

function unanswered(ask: Query['ask'], reason: UnansweredReason, detail: string): Answer {
  return { ok: false, ask, reason, detail };
}

function refuseFile(parts: AnswerParts, path: string, uid: number): Answer | undefined {
  if (!path.startsWith('/')) return unanswered('file', 'failed', `${path}: not an absolute path`);
  const inode = parts.files.stat(path);
  if (inode?.kind !== 'file') return undefined;
  const readBit = inode.uid === uid ? 0o400 : 0o004;
  if (uid !== 0 && (inode.mode & readBit) === 0) return unanswered('file', 'denied', `${path}: Permission denied`);
  return inode.bytes.length > FILE_LIMIT_BYTES ? unanswered('file', 'tooLarge', `${path}: ${inode.bytes.length} bytes`) : undefined;
}

function fileAnswer(files: FakeFiles, path: string): FileAnswer {
  const realPath = files.realPath(path);
  const inode = files.stat(path);
  if (realPath === undefined || inode === undefined) return { exists: false };
  return {
    exists: true,
    kind: inode.kind === 'file' || inode.kind === 'directory' ? inode.kind : 'other',
    realPath, viaLink: realPath !== path, mode: inode.mode, uid: inode.uid, gid: inode.gid,
    size: inode.bytes.length, links: inode.links, inode: String(inode.inode), modifiedAt: inode.modifiedAt,
    bytes: inode.kind === 'file' ? inode.bytes : new Uint8Array(),
  };
}

function directoryAnswer(files: FakeFiles, path: string): DirectoryAnswer {
  const inode = files.stat(path);
  if (inode === undefined) return { exists: false };
  const isLink = files.lstat(path)?.kind === 'link';
  if (inode.kind !== 'directory') return { exists: true, isDirectory: false, isLink, entries: [] };
  return { exists: true, isDirectory: true, isLink, entries: walk(files, path, '') };
}

function walk(files: FakeFiles, root: string, under: string): DirectoryEntry[] {
  return files.list(`${root}/${under}`).flatMap((name): DirectoryEntry[] => {
    const path = under === '' ? name : `${under}/${name}`;
    const inode = files.lstat(`${root}/${path}`);
    if (inode?.kind === 'directory') return [{ path, kind: 'directory' }, ...walk(files, root, path)];
    if (inode?.kind === 'link') return [{ path, kind: 'link', target: linkTarget(files, `${root}/${path}`) }];
    return [{ path, kind: inode?.kind === 'file' ? 'file' : 'other' }];
  });
}

function linkTarget(files: FakeFiles, path: string): 'file' | 'directory' | 'missing' | 'other' {
  const kind = files.stat(path)?.kind;
  if (kind === undefined) return 'missing';
  return kind === 'file' || kind === 'directory' ? kind : 'other';
}

/** In the order of the node's own shell text; the place of the saved copies must be writable too. */
function writableAnswer(files: FakeFiles, path: string, uid: number): WritableAnswer {
  const no = (reason: Hindrance, detail: string): WritableAnswer => ({ writable: false, reason, detail });
  const real = files.realPath(path) ?? path;
  const inode = files.stat(path);
  if (files.stat(parentOf(real))?.kind !== 'directory') return no('missingDirectory', `the directory of ${path} does not exist`);
  if (inode !== undefined && inode.kind !== 'file') return no('notRegular', `${real} is not a regular file`);
  if (uid !== 0) return no('notRoot', `the remote user has uid ${uid}`);
  const neededBytes = (inode?.bytes.length ?? 0) * 2 + SPARE_BYTES;
  const hindrance = hindranceOf(files, `${nearestDirectory(files, STATE_DIRECTORY)}/x`, neededBytes) ?? hindranceOf(files, real, neededBytes);
  return hindrance === undefined ? { writable: true, links: inode?.links ?? 1, freeBytes: files.freeBytes(real) } : no(...hindrance);
}

type Hindrance = Extract<WritableAnswer, { writable: false }>['reason'];

function hindranceOf(files: FakeFiles, real: string, neededBytes: number): readonly [Hindrance, string] | undefined {
  if (files.isMountPoint(real)) return ['mountPoint', `${real} is a mount point of its own`];
  if (files.isReadOnly(real)) return ['readOnlyMount', `${real} is mounted read-only`];
  if (files.stat(real)?.immutable === true || files.stat(parentOf(real))?.immutable === true) return ['immutable', real];
  const freeBytes = files.freeBytes(real);
  return freeBytes < neededBytes ? ['noSpace', `${freeBytes} bytes free`] : undefined;
}

function nearestDirectory(files: FakeFiles, path: string): string {
  return files.stat(path)?.kind === 'directory' ? path : nearestDirectory(files, parentOf(path));
}

function httpAnswer(systemd: FakeSystemd, url: string): HttpAnswer | undefined {
  const { hostname, port, pathname } = new URL(url);
  const asked = Number(port === '' ? '80' : port);
  const server = systemd.processes().find(({ healthz }) => healthz?.port === asked && reaches(hostname, healthz.host))?.healthz;
  if (server === undefined) return undefined;
  if (pathname !== '/healthz') return { status: 404, body: '404 page not found\n' };
  return server.ok ? { status: 200, body: 'ok' } : { status: 500, body: 'unhealthy\n' };
}

function reaches(asked: string, served: string): boolean {
  return asked === served || served === '0.0.0.0' || served === '::' || (asked === 'localhost' && served === '127.0.0.1');
}

function pidsOf(parts: AnswerParts, wanted: (exe: string) => boolean): number[] {
  const own = parts.systemd.processes().map((process) => ({ pid: process.pid, exe: process.exe }));
  return [...own, ...parts.others].filter((process) => wanted(process.exe)).map((process) => process.pid).sort((a, b) => a - b);
}

function processFacts(parts: AnswerParts, pid: number): ProcessFacts | undefined {
  const own = parts.systemd.processes().find((process) => process.pid === pid);
  if (own !== undefined) return factsOf(parts, own, own.startedAtMs);
  const other = parts.others.find((process) => process.pid === pid);
  return other === undefined ? undefined : factsOf(parts, other, 0);
}

function factsOf(parts: AnswerParts, process: FakeProcess | OtherProcess, startedAtMs: number): ProcessFacts {
  const other: Partial<OtherProcess> = 'unit' in process ? {} : process;
  return {
    pid: process.pid,
    startTicks: String(Math.round(startedAtMs / 10)),
    startedAt: Math.floor(parts.nowSeconds() - (parts.monotonicMs() - startedAtMs) / 1000),
    cmdline: Buffer.from(process.argv.map((word) => `${word}\0`).join('')),
    exe: process.exe,
    exeDeleted: other.exeDeleted ?? false,
    cwd: process.cwd ?? '/',
    cgroup: 'unit' in process ? `0::/system.slice/${process.unit}` : (other.cgroup ?? '0::/user.slice/user-0.slice/session-1.scope'),
    hostNamespaces: other.hostNamespaces ?? true,
  };
}

function unitAnswer(parts: AnswerParts, unit: string): UnitAnswer {
  const service = parts.systemd.service(unit);
  const process = service.mainPid === 0 ? undefined : processFacts(parts, service.mainPid);
  return {
    properties: unitProperties(parts, service),
    ...(process === undefined ? {} : { process }),
    monotonicUs: Math.round(parts.monotonicMs() * 1000),
  };
}

function unitProperties(parts: AnswerParts, service: Service): Record<string, string> {
  const { loaded } = service;
  const startedUs = String(Math.round((service.process?.startedAtMs ?? 0) * 1000));
  return {
    Id: loaded.unit,
    LoadState: loaded.loadState,
    ActiveState: service.activeState,
    SubState: service.subState,
    Result: service.result,
    MainPID: String(service.mainPid),
    NRestarts: String(service.restarts),
    InvocationID: service.invocationId,
    ExecMainStatus: String(service.execMainStatus),
    ExecMainStartTimestampMonotonic: startedUs,
    ActiveEnterTimestampMonotonic: startedUs,
    NeedDaemonReload: parts.systemd.needsDaemonReload(loaded.unit) ? 'yes' : 'no',
    FragmentPath: loaded.fragment?.path ?? '',
    DropInPaths: loaded.dropIns.map((dropIn) => dropIn.path).join(' '),
    EnvironmentFiles: loaded.environmentFiles.map(({ path, mayBeMissing }) => `${path} (ignore_errors=${mayBeMissing ? 'yes' : 'no'})`).join('\n'),
    UnitFileState: 'enabled',
    Type: loaded.setting('Service.Type') ?? 'simple',
    Restart: loaded.setting('Service.Restart') ?? 'no',
    RestartUSec: spanText(spanMs(loaded.setting('Service.RestartSec') ?? '100ms')),
    StartLimitBurst: String(startLimit(loaded).burst),
    StartLimitIntervalUSec: spanText(startLimit(loaded).intervalMs),
    TimeoutStartUSec: '1min 30s',
    TimeoutStopUSec: '1min 30s',
    ControlGroup: service.mainPid === 0 ? '' : `/system.slice/${loaded.unit}`,
    WorkingDirectory: loaded.setting('Service.WorkingDirectory') ?? '',
    RootDirectory: loaded.setting('Service.RootDirectory') ?? '',
    ConsistsOf: parts.systemd.dependants(loaded.unit, ['PartOf']).join(' '),
    RequiredBy: parts.systemd.dependants(loaded.unit, ['Requires']).join(' '),
    RequisiteOf: parts.systemd.dependants(loaded.unit, ['Requisite']).join(' '),
    BoundBy: parts.systemd.dependants(loaded.unit, ['BindsTo']).join(' '),
    Environment: loaded.settings('Service.Environment').join(' '),
    ExecStart: loaded.settings('Service.ExecStart').map((line) => `{ path=${line.split(/\s/)[0] ?? ''} ; argv[]=${line} ; ignore_errors=no }`).join('\n'),
  };
}

function spanText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

function statusAnswer(systemd: FakeSystemd, unit: string): { exit: number; text: string } {
  const service = systemd.service(unit);
  if (service.loaded.loadState === 'not-found') return { exit: 4, text: `Unit ${unit} could not be found.\n` };
  const text = [
    `${service.activeState === 'active' ? '●' : '○'} ${unit}`,
    `     Loaded: ${service.loaded.loadState} (${service.loaded.fragment?.path ?? unit}; enabled)`,
    `     Active: ${service.activeState} (${service.subState})`,
    ...(service.mainPid === 0 ? [] : [`   Main PID: ${service.mainPid} (${baseOf(service.process?.exe ?? '')})`]),
    '',
    ...service.log.slice(-10),
    '',
  ].join('\n');
  return { exit: service.activeState === 'active' ? 0 : 3, text };
}
