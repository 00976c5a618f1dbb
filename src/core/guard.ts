/**
 * What the guard on a node is told, and how long it waits: pure, from the plan alone. The node's side of it is the
 * shell text of host/shell/guard.sh. Never decides whether a guard is wanted: the playbook does.
 */
import type { ChangeStep } from './decide.js';
import type { Activation, GuardOrder, Restore } from './effect.js';
import type { HostPlan, PlannedStep } from './plan.js';

/** What one question or one edit may take on a busy node; they take milliseconds on an idle one. */
const ACT_MS = 15_000;

/** The longest that the steps may take by their own words, and a margin for a connection that is lost and comes back. */
export function guardDeadlineMs(steps: readonly PlannedStep[], marginMs: number): number {
  return steps.reduce((sum, step) => sum + waitOf(step), marginMs);
}

function waitOf(step: PlannedStep): number {
  switch (step.phase) {
    case 'change':
      return ACT_MS;
    case 'activate':
      return step.activation.timeoutMs;
    case 'verify':
      return step.check.check === 'healthy' ? step.check.withinMs : ACT_MS;
  }
}

/** One step of the way back: several edits of one file know what it was before each. */
export function restoreOf(plan: HostPlan, step: ChangeStep): Restore {
  const before = plan.steps.slice(0, plan.steps.indexOf(step));
  const earlier = before.flatMap((other) => (other.phase === 'change' && other.edit.path === step.edit.path ? [other.edit.before] : []));
  return { edit: step.edit, earlier };
}

/** The way back of the whole plan. The node leaves out by itself what is as it was. */
export function guardOrder(plan: HostPlan, deadlineMs: number): GuardOrder {
  const changes = plan.steps.filter((step): step is ChangeStep => step.phase === 'change');
  return {
    afterMs: deadlineMs,
    restores: changes.map((step) => restoreOf(plan, step)).reverse(),
    activations: plan.steps.flatMap((step): Activation[] => (step.phase === 'activate' ? [step.activation] : [])),
    ...(plan.baseline ? { invocationId: plan.baseline.invocationId } : {}),
  };
}
