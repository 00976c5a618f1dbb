/**
 * The lines of a saved plan: a header, one line a host, and an end that counts them and has the digest of every byte before it.
 * Reads and writes one host at a time. Never touches a disk.
 */
import { createHash } from 'node:crypto';
import { escapeControls } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError } from '../core/failure.js';
import type { InputError } from '../core/input-error.js';
import { badInput } from '../core/input-error.js';
import type { HostPlan } from '../core/plan.js';
import type { SavedHost, SavedPlan } from '../core/saved-plan.js';
import { isFailureShape, isPlanShape } from './fact-shape.js';
import { field, lineText, mapping, optional, wholeNumber } from './fields.js';
import { connectionField, digestField, hostField, playbookField, timeField } from './run-record-text.js';

const PLAN_VERSION = 1;
/** Every saved plan begins so. */
export const PLAN_MARK = '{"fleetmendPlan":';

const header = mapping({
  fleetmendPlan: wholeNumber(PLAN_VERSION, PLAN_VERSION), digest: digestField, madeAt: timeField, by: lineText, playbook: playbookField,
  inventory: mapping({ file: lineText, sha256: digestField }), connection: connectionField,
});

const savedHost = mapping({
  host: hostField,
  plan: optional(field('a plan of one host', (value): value is HostPlan => isPlanShape(value))),
  failure: optional(field('a failure', (value): value is Failure => isFailureShape(value))),
});

export function* savedPlanLines(saved: SavedPlan): Generator<string> {
  const hash = createHash('sha256');
  const { digest, madeAt, by, playbook, inventory, connection, hosts } = saved;
  const whole = function* (): Generator<unknown> {
    yield { fleetmendPlan: PLAN_VERSION, digest, madeAt, by, playbook, inventory, connection };
    for (const { host, value, failure } of hosts) yield { host, plan: value, failure };
  };
  for (const value of whole()) {
    const line = `${escapeControls(JSON.stringify(value))}\n`;
    hash.update(line);
    yield line;
  }
  yield endLine(hosts.length, hash.digest('hex'));
}

function endLine(hosts: number, sha256: string): string {
  return `${JSON.stringify({ end: true, hosts, sha256 })}\n`;
}

/** Takes the lines of one file in order; every method throws FleetmendError (badInput) that says what is wrong with it. */
export class SavedPlanReading {
  private readonly hash = createHash('sha256');
  private readonly names = new Set<string>();
  private head: Omit<SavedPlan, 'hosts'> | undefined;
  private readonly hosts: SavedHost[] = [];
  private lines = 0;
  private ended = false;

  constructor(private readonly file: string) {}

  /** `bytes`: one line with its newline. */
  take(bytes: Buffer): void {
    this.lines += 1;
    if (this.ended) throw notWhole(this.file, 'there is more behind its end');
    if (bytes.at(-1) !== 0x0a) throw notWhole(this.file, 'its last line was cut off');
    const line = bytes.toString('utf8');
    if (line.startsWith('{"end":')) this.takeEnd(line);
    else {
      this.hash.update(bytes);
      if (this.head === undefined) this.takeHeader(line);
      else this.takeHost(line);
    }
  }

  /** The plan, whole; its digest is what the header says, not yet what its content says. */
  finish(): SavedPlan {
    if (this.head === undefined) throw notWhole(this.file, 'it is empty');
    if (!this.ended) throw notWhole(this.file, `it was cut off after ${this.hosts.length} hosts`);
    return { ...this.head, hosts: this.hosts };
  }

  private takeHeader(line: string): void {
    const value = this.parse(line);
    const version = typeof value === 'object' && value !== null && 'fleetmendPlan' in value ? value.fleetmendPlan : undefined;
    if (typeof version === 'number' && version !== PLAN_VERSION) {
      throw refused(this.file, `a plan in version ${version} of the format; this fleetmend reads version ${PLAN_VERSION}`, 'plan again, or use the fleetmend that made it');
    }
    const { fleetmendPlan: _version, ...head } = this.check(header, value);
    this.head = head;
  }

  private takeHost(line: string): void {
    const { host, plan, failure } = this.check(savedHost, this.parse(line));
    if (this.names.has(host.name)) throw notWhole(this.file, `line ${this.lines} names a host for the second time`);
    this.names.add(host.name);
    if (plan !== undefined && failure === undefined && plan.host === host.name) this.hosts.push({ host, evidence: [], value: plan, ...keyOf(plan) });
    else if (plan === undefined && failure !== undefined) this.hosts.push({ host, evidence: [], failure });
    else throw notWhole(this.file, `line ${this.lines} is not of one host`);
  }

  private takeEnd(line: string): void {
    this.ended = true;
    if (line !== endLine(this.hosts.length, this.hash.digest('hex'))) throw notWhole(this.file, 'its bytes do not have the digest that stands at its end');
  }

  private parse(line: string): unknown {
    try {
      return JSON.parse(line);
    } catch {
      throw notWhole(this.file, `line ${this.lines} is not JSON`);
    }
  }

  private check<T>(shape: (value: unknown, path: string, errors: InputError[]) => T | undefined, value: unknown): T {
    const errors: InputError[] = [];
    const checked = shape(value, '', errors);
    if (checked !== undefined && errors.length === 0) return checked;
    throw badInput(errors.slice(0, SHOWN_ERRORS).map((error) => ({ ...error, file: this.file, line: this.lines })));
  }
}

const SHOWN_ERRORS = 5;

function keyOf({ observed }: HostPlan): { hostKey?: string } {
  return observed?.hostKey === undefined ? {} : { hostKey: observed.hostKey };
}

export function notWhole(file: string, what: string): FleetmendError {
  return refused(file, `not a whole plan: ${what}`, 'it was cut, changed or damaged: copy it again, or plan again');
}

export function refused(file: string, what: string, next: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary: `${file}: ${what}`, done: 'nothing was touched', next });
}
