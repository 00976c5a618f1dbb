/**
 * How many hosts may fail: the arithmetic before the start, and the count afterwards. The nth counted host stops: reached
 * means reached. Never says what is done at a stop.
 */
import type { FailureKind } from '../core/failure.js';
import type { HostResult } from '../core/report.js';
import type { BudgetPolicy, PlannedBudget, RolloutPlan } from '../core/rollout.js';
import { hostsText, ordinal } from './count-text.js';
import { shareRoundedDown } from './share.js';

interface LabelledHost {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** `hosts` are all of the run: those that need nothing and those that were not reached are in the hundred percent too. */
export function planBudget(policy: BudgetPolicy, hosts: readonly LabelledHost[]): PlannedBudget {
  const per = policy.per.flatMap(({ label, share }) => {
    return [...hostsPerValue(hosts, label)].map(([value, of]) => ({ label, value, of, stopsAt: Math.max(1, shareRoundedDown(share, of)) }));
  });
  if (policy.run === 'none') return { per };
  return { run: { stopsAt: Math.max(1, shareRoundedDown(policy.run, hosts.length)), of: hosts.length }, per };
}

function hostsPerValue(hosts: readonly LabelledHost[], label: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { labels } of hosts) {
    const value = labelOf(labels, label);
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function labelOf(labels: Readonly<Record<string, string>> | undefined, label: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, label) ? labels[label] : undefined;
}

/**
 * A refusal that says "nobody can tell how it is", or "it is not well", is no better than a failure; one that says "left alone, with
 * reason" (it moved, somebody holds it, it is not ours to mend) is.
 */
const COUNTED_REFUSALS: readonly FailureKind[] = ['notJudged', 'denied', 'unhealthy', 'noSpace', 'hostKeyChanged', 'protocol', 'timeout', 'connectionLost', 'hook', 'journal', 'bug'];

/** A host that failed a gate counts as well, but its own result does not know of it. */
export function countsAsFailed(result: HostResult): boolean {
  switch (result.outcome) {
    case 'stuck':
    case 'unreachable':
      return true;
    case 'restored':
      return result.undone !== true;
    case 'refused':
      return result.failure !== undefined && COUNTED_REFUSALS.includes(result.failure.kind);
    case 'compliant':
    case 'changed':
    case 'skipped':
      return false;
  }
}

/** The hosts that count so far; each counts once, however often it is added. */
export interface Tally {
  readonly failed: readonly string[];
  /** By `countKey`; only of labels that have a budget. */
  readonly counts: ReadonlyMap<string, number>;
  /** The budget that was used up first, in words: `the 2nd of 100 hosts in zone a failed`. Absent: it can go on. */
  readonly spent?: string;
}

export const NO_FAILURES: Tally = { failed: [], counts: new Map() };

export function addFailure(tally: Tally, plan: RolloutPlan, host: string): Tally {
  if (tally.failed.includes(host)) return tally;
  const failed = [...tally.failed, host];
  const labels = plan.labels.get(host);
  const limits = plan.budget.per.filter(({ label, value }) => labelOf(labels, label) === value);
  const counts = new Map(tally.counts);
  for (const limit of limits) counts.set(countKey(limit), countOf(tally.counts, limit) + 1);
  const spent = tally.spent ?? spentText(plan.budget.run, failed.length) ?? limits.map((limit) => spentText(limit, countOf(counts, limit))).find((text) => text !== undefined);
  return { failed, counts, ...(spent === undefined ? {} : { spent }) };
}

interface Limit {
  readonly stopsAt: number;
  readonly of: number;
  readonly label?: string;
  readonly value?: string;
}

function spentText(limit: Limit | undefined, count: number): string | undefined {
  if (limit === undefined || count < limit.stopsAt) return undefined;
  const where = limit.label === undefined ? '' : ` in ${limit.label} ${limit.value ?? ''}`;
  return `the ${ordinal(limit.stopsAt)} of ${hostsText(limit.of)}${where} failed`;
}

function countOf(counts: ReadonlyMap<string, number>, limit: Limit): number {
  return counts.get(countKey(limit)) ?? 0;
}

function countKey({ label, value }: Limit): string {
  return JSON.stringify([label, value]);
}
