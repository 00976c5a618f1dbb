/**
 * Who works on a run, as the text of a holder file, and whether that process still lives. Pure but for looking at this
 * machine in `identify` and `lifeOf`. Never takes a reused process number for the old process.
 */
import { hostname } from 'node:os';
import { FleetmendError } from '../core/failure.js';
import { cleanLine } from '../core/clean-text.js';
import { codeOf, readLinkText, readSystemText } from './disk.js';

const HOLDER_VERSION = 1;

export interface RunHolder {
  /** `alice@laptop`. */
  readonly by: string;
  readonly pid: number;
  readonly hostname: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** Field 22 of /proc/PID/stat: with the boot and the pid it names one process for ever. Empty where there is no /proc. */
  readonly startTicks: string;
  readonly bootId: string;
  /** Of the pid namespace: a pid of another container says nothing here. */
  readonly pidSpace: string;
  /** The work is done: nobody holds the run. */
  readonly released?: true;
}

/** `gone`: proved. `elsewhere`: of a machine, or a container, that cannot be seen from here. */
export type HolderLife = 'alive' | 'gone' | 'elsewhere';

export async function identify(by: string, since: string): Promise<RunHolder> {
  return {
    by, since, pid: process.pid, hostname: hostname(),
    startTicks: (await processAt(process.pid))?.startTicks ?? '', ...(await placeHere()),
  };
}

export async function lifeOf(holder: RunHolder): Promise<HolderLife> {
  const { bootId, pidSpace } = await placeHere();
  if (bootId !== holder.bootId) return holder.hostname === hostname() ? 'gone' : 'elsewhere';
  if (bootId === '' && holder.hostname !== hostname()) return 'elsewhere';
  if (pidSpace !== holder.pidSpace) return 'elsewhere';
  if (holder.startTicks === '') return answersToSignals(holder.pid) ? 'alive' : 'gone';
  const found = await processAt(holder.pid);
  return found !== undefined && !found.ended && found.startTicks === holder.startTicks ? 'alive' : 'gone';
}

export function holderText(holder: RunHolder): string {
  return `${JSON.stringify({ v: HOLDER_VERSION, ...holder })}\n`;
}

/** Undefined for a text that is no holder's: damage, or another version. */
export function parseHolder(text: string): RunHolder | undefined {
  try {
    const { v, by, pid, hostname: host, since, startTicks, bootId, pidSpace, released } = JSON.parse(text) as Record<string, unknown>;
    if (v !== HOLDER_VERSION || !Number.isSafeInteger(pid) || Number(pid) < 1) return undefined;
    const texts = [by, host, since, startTicks, bootId, pidSpace];
    if (!texts.every((one) => typeof one === 'string' && one.length <= 300)) return undefined;
    const [cleanBy = '', cleanHost = '', cleanSince = '', ticks = '', boot = '', space = ''] = texts.map((one) => cleanLine(String(one)));
    return {
      by: cleanBy, pid: Number(pid), hostname: cleanHost, since: cleanSince, startTicks: ticks, bootId: boot, pidSpace: space,
      ...(released === true ? { released } : {}),
    };
  } catch {
    return undefined;
  }
}

export function describeHolder({ by, pid, hostname: host, since }: RunHolder): string {
  return `${by} (process ${pid} on ${host}, since ${since})`;
}

export function lockedError(run: string, holder: RunHolder): FleetmendError {
  return new FleetmendError({
    kind: 'locked', summary: `run ${run} is being worked on by ${describeHolder(holder)}`,
    done: 'nothing was touched', next: `wait until it is done, or end process ${holder.pid} on ${holder.hostname}, then say this again`,
  });
}

interface ProcessHere {
  readonly startTicks: string;
  /** It has ended and only waits to be reaped. */
  readonly ended: boolean;
}

/** The name in the second field may hold blanks and brackets: fields are counted after its last bracket. */
async function processAt(pid: number): Promise<ProcessHere | undefined> {
  const text = await readSystemText(`/proc/${pid}/stat`);
  const [state, ...fields] = text?.slice(text.lastIndexOf(')') + 2).split(' ') ?? [];
  const startTicks = fields[18];
  return startTicks === undefined ? undefined : { startTicks, ended: state === 'Z' || state === 'X' };
}

async function placeHere(): Promise<{ bootId: string; pidSpace: string }> {
  const [bootId, pidSpace] = await Promise.all([readSystemText('/proc/sys/kernel/random/boot_id'), readLinkText('/proc/self/ns/pid')]);
  return { bootId: bootId ?? '', pidSpace: pidSpace ?? '' };
}

function answersToSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ESRCH';
  }
}
