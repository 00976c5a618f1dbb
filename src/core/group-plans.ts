/** Folds hosts whose change is the same to the letter into one group, so that a fleet fits on a screen. Pure. */
import type { Disruption } from './disruption.js';
import type { HostPlan, PlannedGuard, PlannedStep } from './plan.js';
import { redactText } from './redact.js';

export interface PlanGroup {
  readonly hosts: readonly string[];
  readonly steps: readonly PlannedStep[];
  readonly notes: readonly string[];
  readonly guard?: PlannedGuard;
  readonly disruption?: Disruption;
  /** Addresses or host names in the diffs are not the same on all of them. */
  readonly differs: boolean;
}

/** Groups hosts that have steps; largest group first. Order of hosts is kept. */
export function groupPlans(plans: readonly HostPlan[]): PlanGroup[] {
  const groups = new Map<string, PlanGroup & { readonly hosts: string[]; differs: boolean }>();
  for (const plan of plans.filter((candidate) => candidate.steps.length > 0)) {
    const key = changeKey(plan);
    const group = groups.get(key);
    if (group) {
      group.hosts.push(plan.host);
      group.differs ||= diffsOf(plan) !== diffsOf(group);
    } else groups.set(key, { differs: false, hosts: [plan.host], steps: plan.steps, notes: plan.notes, ...(plan.guard ? { guard: plan.guard } : {}), ...(plan.disruption ? { disruption: plan.disruption } : {}) });
  }
  return [...groups.values()].sort((left, right) => right.hosts.length - left.hosts.length);
}

function diffsOf({ steps }: Pick<HostPlan, 'steps'>): string {
  return JSON.stringify(steps.map((step) => (step.phase === 'change' ? step.diff : '')));
}

/**
 * What a person would call "the same change": the same diffs, activations and notes. Lines of a file that the diff does not
 * show may differ between hosts, and so may expected command lines, secrets, addresses and the host's own name.
 */
export function changeKey(plan: HostPlan): string {
  const steps = plan.steps.map((step) => {
    switch (step.phase) {
      case 'change':
        return ['change', step.title, withoutOwn(step.diff, plan.host)];
      case 'activate':
        return ['activate', step.title, step.activation];
      case 'verify':
        return ['verify', step.title];
    }
  });
  return JSON.stringify([steps, plan.notes.map((note) => withoutOwn(redactText(note), plan.host)), plan.guard, plan.disruption]);
}

const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;

/** Kubelets are given their node's address and name on the command line: that makes no change of its own. */
function withoutOwn(text: string, host: string): string {
  const name = new RegExp(`(?<![\\w.-])${host.replaceAll('.', '\\.')}(?![\\w-])`, 'g');
  return text.replaceAll(ADDRESS, '<address>').replaceAll(name, '<host>');
}

/**
 * A coarser look: which members of which files, and what is activated, whatever the lines around them say. For fleets on which
 * nearly every host has a diff of its own.
 */
export function changeKind(plan: HostPlan): string {
  return JSON.stringify([plan.steps.map((step) => [step.phase, step.title]), plan.disruption]);
}

/** Is a fresh plan the one that was shown? Bytes and activations must be equal; when the process started is not part of it. */
export function samePlan(shown: HostPlan, fresh: HostPlan): boolean {
  return fingerprint(shown) === fingerprint(fresh);
}

function fingerprint(plan: HostPlan): string {
  return JSON.stringify([plan.steps, plan.guard, plan.refusal !== undefined]);
}

/** What running the steps interrupts, in words; empty when nothing is activated. */
export function interruptions(steps: readonly PlannedStep[]): string[] {
  return steps.flatMap((step) => {
    if (step.phase !== 'activate') return [];
    return step.activation.do === 'daemonReload'
      ? ['systemctl daemon-reload: systemd reads all unit files of the node again; nothing is interrupted']
      : [`systemctl restart ${step.activation.unit}: once; containers keep running, open exec/attach/port-forward/logs streams end, pods of device plugins may be killed`];
  });
}
