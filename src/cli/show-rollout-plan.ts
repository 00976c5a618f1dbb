/** The rollout of a plan as text: waves, budget and what a stop does, in words and numbers. Pure. */
import { cleanLine } from '../core/clean-text.js';
import type { HostPlan } from '../core/plan.js';
import { outcomeUntouched } from '../core/report.js';
import { rolloutOf } from '../engine/apply-fleet.js';
import type { Surveyed } from '../engine/survey-fleet.js';
import { NO_FAILURES, addFailure, countsAsFailed } from '../rollout/budget.js';
import { describeRollout } from '../rollout/describe-rollout.js';
import type { Fleet } from './compose.js';
import type { Paint } from './paint.js';

export function showRollout(planned: readonly Surveyed<HostPlan>[], fleet: Pick<Fleet, 'playbook' | 'concurrency'>, paint: Paint): string {
  return [paint('bold', 'rollout'), ...rolloutSentences(planned, fleet).map((line) => `  ${line}`)].join('\n');
}

export function rolloutSentences(planned: readonly Surveyed<HostPlan>[], { playbook, concurrency }: Pick<Fleet, 'playbook' | 'concurrency'>): string[] {
  const plan = rolloutOf(planned, playbook.rollout, concurrency);
  return describeRollout(plan, playbook.rollout, failedBefore(planned)).map(cleanLine);
}

/** The hosts that were not reached or not judged have used the budget up: nothing would be begun. */
export function isSpentBefore(planned: readonly Surveyed<HostPlan>[], { playbook, concurrency }: Pick<Fleet, 'playbook' | 'concurrency'>): boolean {
  const plan = rolloutOf(planned, playbook.rollout, concurrency);
  return failedBefore(planned).reduce((tally, host) => addFailure(tally, plan, host), NO_FAILURES).spent !== undefined;
}

/** Hosts that count against the budget before anything is begun. */
function failedBefore(planned: readonly Surveyed<HostPlan>[]): string[] {
  return planned.flatMap(({ host: { name }, value, failure }) => {
    const why = failure ?? value.refusal;
    if (why === undefined) return [];
    const outcome = failure === undefined ? 'refused' : outcomeUntouched(failure);
    return countsAsFailed({ host: name, outcome, failure: why }) ? [name] : [];
  });
}
