/**
 * The commands around a host. Once its `beforeHost` was started, its `afterHost` is owed, whatever becomes of the host and of this
 * process: the journal knows it, and a resume pays it. Never touches a host.
 */
import type { Failure } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { HostPlan } from '../core/plan.js';
import type { HostResult } from '../core/report.js';
import type { Rollout } from '../core/rollout.js';
import type { HookPorts } from './run-hook.js';
import { runHook } from './run-hook.js';
import type { RunRecorder } from './run-recorder.js';

export interface HostHookPorts extends HookPorts {
  readonly policy: Rollout;
}

export class HostHooks {
  /** Of commands that said no after their host was through. */
  readonly complaints: Failure[] = [];
  private readonly owed: Set<string>;

  /** `owed`: hosts whose `afterHost` an earlier process of this run did not come to. */
  constructor(private readonly ports: HostHookPorts, private readonly recorder: RunRecorder, owed: ReadonlySet<string>) {
    this.owed = new Set(owed);
  }

  /** Why the host must not be begun; undefined when it may. */
  async before(host: Host, shown: HostPlan): Promise<Failure | undefined> {
    const { beforeHost, afterHost } = this.ports.policy.hooks;
    if (beforeHost === undefined && afterHost === undefined) return undefined;
    const undurable = await this.recorder.record({ type: 'hooksBegan', onHost: host.name });
    if (undurable !== undefined) return undurable;
    this.owed.add(host.name);
    const refusal = await runHook('beforeHost', beforeHost, factsOf(host, shown), this.ports);
    if (refusal === undefined) return undefined;
    const failure = { ...refusal, done: 'fleetmend touched nothing' };
    if (failure.kind !== 'interrupted') await this.recorder.record({ type: 'hookFailed', hook: 'beforeHost', onHost: host.name, failure });
    return failure;
  }

  /** Nothing when it is not owed. One that was stopped with the run stays owed. */
  async after(host: Host, shown: HostPlan, { outcome, failure }: HostResult): Promise<void> {
    const { name } = host;
    // Whoever has the run now is at work on this host, and pays.
    if (failure?.kind === 'fenced') return;
    if (!this.owed.delete(name)) return;
    const facts = { ...factsOf(host, shown), outcome, ...(failure ? { failure: failure.summary } : {}) };
    const complaint = await runHook('afterHost', this.ports.policy.hooks.afterHost, facts, this.ports);
    if (complaint?.kind === 'interrupted') {
      this.complaints.push({ ...complaint, summary: `${name}: ${complaint.summary}`, next: 'a resume runs it again' });
      return;
    }
    await this.recorder.record({ type: 'hooksEnded', onHost: name });
    if (complaint === undefined) return;
    this.complaints.push({ ...complaint, summary: `${name}: ${complaint.summary}` });
    await this.recorder.record({ type: 'hookFailed', hook: 'afterHost', onHost: name, failure: complaint });
  }
}

function factsOf({ name, address, labels }: Host, { steps }: HostPlan): object {
  return { host: { name, address, labels }, steps: steps.map(({ title }) => title) };
}
