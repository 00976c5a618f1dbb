/** The commands of a rollout as a whole: hooks of the run and of its waves, and gates. What one says no to stops the rollout. */
import type { Failure } from '../core/failure.js';
import { describeFailure } from '../core/failure.js';
import type { HostResult } from '../core/report.js';
import type { Rollout, RunFact } from '../core/rollout.js';
import type { Stop } from '../rollout/rollout-state.js';
import type { HookPorts } from './run-hook.js';
import { runHook } from './run-hook.js';

export interface RolloutCommandPorts extends HookPorts {
  readonly policy: Rollout;
  readonly record: (fact: RunFact) => Promise<Failure | undefined>;
}

export class RolloutCommands {
  /** Of all that said no: the run is not fine whatever its hosts say. */
  readonly complaints: Failure[] = [];

  constructor(private readonly ports: RolloutCommandPorts, private readonly stop: (stop: Stop) => void) {}

  /** True when it may go on. */
  async hook(name: 'beforeRun' | 'beforeWave' | 'afterWave', facts: object): Promise<boolean> {
    const { policy } = this.ports;
    const failure = await runHook(name, policy.hooks[name], facts, this.ports);
    if (failure === undefined) return true;
    // Whoever interrupted the run has stopped the rollout already.
    if (failure.kind === 'interrupted') return false;
    this.complaints.push(failure);
    await this.ports.record({ type: 'hookFailed', hook: name, failure });
    this.stop({ reason: 'hook', summary: describeFailure(failure), then: name === 'afterWave' ? policy.onStop : 'halt' });
    return false;
  }

  /** The last command of a run: nothing is left to stop. */
  async afterRun(facts: object): Promise<void> {
    const failure = await runHook('afterRun', this.ports.policy.hooks.afterRun, facts, this.ports);
    if (failure === undefined || failure.kind === 'interrupted') return;
    this.complaints.push(failure);
    await this.ports.record({ type: 'hookFailed', hook: 'afterRun', failure });
  }

  /** `wave` counts from 1; `relapsed`: hosts of it that are not as they were proved. The command is asked only when there are none. */
  async gate(wave: number, relapsed: readonly HostResult[], facts: object): Promise<void> {
    // Whoever was stopped while looking has seen nothing.
    if (this.ports.signal.aborted) return;
    const [first] = relapsed;
    const failure = first === undefined ? await runHook('gate', this.ports.policy.gate, facts, this.ports) : relapseOf(first, relapsed.length);
    if (failure === undefined || failure.kind === 'interrupted') return;
    this.complaints.push(failure);
    await this.ports.record({ type: 'gateFailed', wave, failure, hosts: relapsed.map(({ host }) => host) });
    this.stop({ reason: 'gate', summary: `the gate after wave ${wave} is closed: ${failure.summary}`, then: this.ports.policy.onStop });
  }
}

function relapseOf({ host, failure }: HostResult, count: number): Failure {
  const others = count === 1 ? '' : ` and ${count - 1} more`;
  return { kind: 'unhealthy', summary: `${host}${others}: ${failure?.summary ?? 'no longer as proved'}` };
}
