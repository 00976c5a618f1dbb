/**
 * What a started kubelet does, decided with the project's own pure modules: it loads or it exits with 1, and
 * with which timeout it would run; then the faults that a test injects. Never a judge of the control itself.
 */
import { decodeConfig, dropInDurationMember, durationMember } from '../../src/kubelet/config-file.js';
import { formatDuration, parseDuration } from '../../src/kubelet/duration.js';
import { lastFlag, parseFlags } from '../../src/kubelet/flags.js';
import type { FakeFiles } from './fake-files.js';
import { joinPath } from './fake-paths.js';
import type { Spawned } from './fake-systemd.js';

/**
 * `whenTimeout`: the fault counts only for a kubelet whose timeout is written like this where it counts (the
 * last flag, else the config file), as a duration prints: `4h0m0s`, `0s`, or `absent`.
 */
export type KubeletFault = { readonly whenTimeout?: string } & (
  | { readonly kind: 'dieAfterMs'; readonly ms: number; readonly status?: number }
  | { readonly kind: 'neverHealthy' }
  | { readonly kind: 'refuse' }
);

export interface KubeletStart {
  readonly files: FakeFiles;
  /** argv[0] included. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly faults: readonly KubeletFault[];
}

const FLAG = 'streaming-connection-idle-timeout';
const KEY = 'streamingConnectionIdleTimeout';
const UNKNOWN_FLAGS = ['rotate-kubelet-server-certificate', 'eventRecordQPS'];

/** A program that is not a kubelet runs for ever. */
export function spawnProcess(start: KubeletStart): Spawned {
  const program = start.argv[0] ?? '';
  if (!program.endsWith('/kubelet')) return { runs: true, status: 0, log: `Started ${program}` };
  const loaded = loadKubelet(start);
  if ('error' in loaded) return refuse(loaded.error);
  const faults = start.faults.filter((fault) => fault.whenTimeout === undefined || fault.whenTimeout === loaded.timeout);
  if (faults.some((fault) => fault.kind === 'refuse')) return refuse('injected refusal');
  const death = faults.find((fault) => fault.kind === 'dieAfterMs');
  const ok = !faults.some((fault) => fault.kind === 'neverHealthy');
  return {
    runs: true,
    status: death?.status ?? 1,
    log: `Started kubelet with ${KEY} ${loaded.timeout}`,
    ...(death === undefined ? {} : { endsAfterMs: death.ms }),
    ...(loaded.healthzPort === 0 ? {} : { healthz: { host: loaded.healthzHost, port: loaded.healthzPort, ok } }),
  };
}

/** `timeout` as written where it counts; the healthz server as the main file sets it. */
interface Loaded {
  readonly timeout: string;
  readonly healthzHost: string;
  readonly healthzPort: number;
}

interface LoadError {
  readonly error: string;
}

function loadKubelet({ files, argv, cwd }: KubeletStart): Loaded | LoadError {
  const flags = parseFlags(argv.slice(1));
  if (flags.error !== undefined) return { error: `failed to parse kubelet flag: ${flags.error}` };
  const unknown = flags.flags.find((flag) => UNKNOWN_FLAGS.includes(flag.name));
  if (unknown !== undefined) return { error: `failed to parse kubelet flag: unknown flag: --${unknown.name}` };
  const path = lastFlag(flags, 'config')?.value;
  const main = path === undefined ? NO_FILE : readMain(files, absolute(path, cwd));
  if ('error' in main) return main;
  const directory = lastFlag(flags, 'config-dir')?.value;
  const dropIns = directory === undefined ? undefined : readDropIns(files, absolute(directory, cwd));
  if (dropIns !== undefined && 'error' in dropIns) return dropIns;
  const flag = lastFlag(flags, FLAG)?.value;
  const parsed = flag === undefined ? undefined : parseDuration(flag);
  if (parsed?.ok === false) return { error: `failed to parse kubelet flag: ${parsed.error}` };
  const port = lastFlag(flags, 'healthz-port')?.value;
  return {
    timeout: parsed === undefined ? (dropIns?.timeout ?? main.timeout) : formatDuration(parsed.ns),
    healthzHost: lastFlag(flags, 'healthz-bind-address')?.value ?? main.healthzHost,
    healthzPort: port === undefined ? main.healthzPort : Number(port),
  };
}

const NO_FILE: Loaded = { timeout: 'absent', healthzHost: '127.0.0.1', healthzPort: 10248 };

function readMain(files: FakeFiles, path: string): Loaded | LoadError {
  const bytes = files.read(path);
  if (bytes === undefined) return { error: `failed to load kubelet config file, path: ${path}, error: no such file` };
  const config = decodeConfig(bytes);
  if (!config.ok) return { error: `failed to load kubelet config file, path: ${path}, error: ${config.error}` };
  const member = durationMember(config.value, KEY);
  if (member.state === 'fatal') return { error: `failed to load kubelet config file, path: ${path}, error: ${member.error}` };
  const { healthzPort, healthzBindAddress } = config.value;
  return {
    timeout: member.state === 'set' ? formatDuration(member.ns) : 'absent',
    healthzHost: typeof healthzBindAddress === 'string' ? healthzBindAddress : NO_FILE.healthzHost,
    healthzPort: typeof healthzPort === 'number' ? healthzPort : NO_FILE.healthzPort,
  };
}

/** `timeout` absent: no drop-in says anything. */
function readDropIns(files: FakeFiles, directory: string): { readonly timeout?: string } | LoadError {
  if (files.lstat(directory) === undefined) return { error: `failed to walk through kubelet dropin directory ${directory}` };
  let timeout: string | undefined;
  for (const path of walkDropIns(files, directory)) {
    const config = decodeConfig(files.read(path) ?? new Uint8Array());
    if (!config.ok) return { error: `failed to merge kubelet configs: ${path}: ${config.error}` };
    const member = dropInDurationMember(config.value, KEY);
    if (member.state === 'fatal') return { error: `failed to merge kubelet configs: ${path}: ${member.error}` };
    if (member.state !== 'absent') timeout = member.state === 'set' ? formatDuration(member.ns) : 'absent';
  }
  return timeout === undefined ? {} : { timeout };
}

/** Go's WalkDir: a directory that is itself a link is not walked; names in byte order (kubelet.md 2.2). */
function walkDropIns(files: FakeFiles, directory: string): string[] {
  if (files.lstat(directory)?.kind === 'link' && !directory.endsWith('/')) return [];
  return files.list(directory).flatMap((name) => {
    const path = joinPath(directory, name);
    const inode = files.lstat(path);
    if (inode?.kind === 'directory') return walkDropIns(files, path);
    return name.endsWith('.conf') ? [path] : [];
  });
}

function absolute(path: string, cwd: string): string {
  return path.startsWith('/') ? path : joinPath(cwd, path);
}

function refuse(error: string): Spawned {
  return { runs: false, status: 1, log: `"command failed" err="${error}"` };
}
