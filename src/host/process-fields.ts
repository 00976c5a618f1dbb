/** The fields of a process and of a unit in an answer, both directions. Pure. */
import type { ProcessFacts, UnitAnswer } from '../core/query.js';
import { malformed } from './words.js';

/** Asked of systemd in one `systemctl show`; only these start a line, so a value's newline cannot fake another. */
export const UNIT_PROPERTIES = [
  'Id', 'LoadState', 'ActiveState', 'SubState', 'Result', 'Type', 'Restart', 'RestartUSec', 'FragmentPath', 'DropInPaths',
  'Environment', 'EnvironmentFiles', 'ExecStart', 'MainPID', 'NRestarts', 'InvocationID', 'NeedDaemonReload', 'UnitFileState',
  'ActiveEnterTimestampMonotonic', 'ExecMainStatus', 'ExecMainStartTimestampMonotonic', 'ControlGroup', 'StartLimitBurst',
  'StartLimitIntervalUSec', 'TimeoutStartUSec', 'TimeoutStopUSec', 'WorkingDirectory', 'RootDirectory',
  'ConsistsOf', 'RequiredBy', 'RequisiteOf', 'BoundBy',
] as const;

/** Kernel ticks a second as seen from user space: USER_HZ is 100 on every architecture that runs Kubernetes. */
const TICKS_PER_SECOND = 100;
const DELETED = ' (deleted)';
const PROCESS_FIELDS = 6;

/** One empty field when there is no process. */
export function encodeProcess(process: ProcessFacts | undefined): (string | Uint8Array)[] {
  if (!process) return [''];
  const bootTime = toHundredths(process.startedAt - Number(process.startTicks) / TICKS_PER_SECOND);
  return [
    `${process.pid} ${process.startTicks} ${bootTime} ${process.hostNamespaces ? 1 : 0}`,
    process.exe + (process.exeDeleted ? DELETED : ''),
    process.cwd,
    process.cgroup,
    process.cmdline,
    process.startTicks,
  ];
}

/** Takes the fields it needs from the front of `fields`. */
export function takeProcess(fields: Buffer[]): ProcessFacts | undefined {
  const head = fields.shift();
  if (!head) throw malformed('a process is missing');
  if (head.length === 0) return undefined;
  const [pid, startTicks, bootTime, hostNamespaces] = head.toString('latin1').split(' ');
  const [exe, cwd, cgroup, cmdline, ticksAfter] = fields.splice(0, PROCESS_FIELDS - 1);
  if (!pid || !/^[0-9]{1,10}$/.test(pid) || !startTicks || !/^[0-9]{1,20}$/.test(startTicks) || !exe || !cwd || !cgroup || !cmdline || !ticksAfter) throw malformed('a process is incomplete');
  if (ticksAfter.toString('latin1') !== startTicks) return undefined;
  const link = exe.toString('utf8');
  const exeDeleted = link.endsWith(DELETED);
  return {
    pid: Number(pid),
    startTicks,
    startedAt: toHundredths(secondsOf(bootTime) + Number(startTicks) / TICKS_PER_SECOND),
    cmdline: Uint8Array.from(cmdline),
    exe: exeDeleted ? link.slice(0, -DELETED.length) : link,
    exeDeleted,
    cwd: cwd.toString('utf8'),
    cgroup: cgroup.toString('utf8').trimEnd(),
    hostNamespaces: hostNamespaces === '1',
  };
}

export function encodeUnit(answer: UnitAnswer): (string | Uint8Array)[] {
  const lines = Object.entries(answer.properties).flatMap(([key, value]) => value.split('\n').map((line) => `${key}=${line}`));
  return [lines.join('\n'), String(answer.monotonicUs / 1e6), ...encodeProcess(answer.process)];
}

export function takeUnit(fields: Buffer[]): UnitAnswer {
  const [show, uptime] = fields.splice(0, 2);
  if (!show || !uptime) throw malformed('a unit is incomplete');
  const process = takeProcess(fields);
  return {
    properties: parseShow(show.toString('utf8')),
    ...(process ? { process } : {}),
    monotonicUs: Math.round(secondsOf(uptime.toString('latin1')) * 1e6),
  };
}

const KNOWN: ReadonlySet<string> = new Set(UNIT_PROPERTIES);

/** By key, never by position (kubelet.md 4.1); a line that is no known key continues the value before it. */
export function parseShow(text: string): Record<string, string> {
  const properties = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    const key = equals > 0 ? line.slice(0, equals) : '';
    const isKey = KNOWN.has(key);
    if (isKey) last = key;
    if (last === undefined) continue;
    const earlier = properties.get(last);
    const value = isKey ? line.slice(equals + 1) : line;
    properties.set(last, earlier === undefined ? value : `${earlier}\n${value}`);
  }
  return Object.fromEntries(properties);
}

function secondsOf(text: string | undefined): number {
  if (text === undefined || !/^-?[0-9]{1,12}(?:\.[0-9]{1,20})?$/.test(text)) throw malformed('a time is not a number');
  return Number(text);
}

function toHundredths(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
