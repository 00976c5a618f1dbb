/** The arithmetic of a budget in words, for the person who is about to say yes. Never counts a failure itself. */
import type { BudgetPolicy, PlannedBudget, RolloutPlan } from '../core/rollout.js';
import { hostsText, listText, ordinal } from './count-text.js';

interface Limit {
  readonly stopsAt: number;
  readonly of: number;
}
type LabelLimit = PlannedBudget['per'][number];

/** Beyond so many values of one label a sentence that names them all would not be read. */
const NAMED_VALUES = 6;

/** What stops, then what does not, one sentence a line. */
export function budgetText(plan: RolloutPlan, policy: BudgetPolicy): string[] {
  const { run, per } = plan.budget;
  return [
    stopsWhen(plan.budget, [
      ...(run !== undefined && isWithinReach(run) ? [{ nth: `the ${ordinal(run.stopsAt)} of ${hostsText(run.of)}`, where: '' }] : []),
      ...policy.per.flatMap(({ label }) => labelParts(label, per.filter((limit) => limit.label === label && isWithinReach(limit)))),
    ]),
    ...(run === undefined || isWithinReach(run) ? [] : [`the budget of ${hostsText(run.stopsAt)} is out of reach: the run has ${hostsText(run.of)}`]),
    ...policy.per.flatMap(({ label }) => [...tooSmall(label, per), ...withoutLabel(label, plan)]),
  ];
}

interface Part {
  readonly nth: string;
  readonly where: string;
}

function stopsWhen({ run, per }: PlannedBudget, [first, ...others]: readonly Part[]): string {
  if (first === undefined) return `no budget${run === undefined && per.length === 0 ? '' : ' that can be reached'}: it goes on however many hosts fail`;
  return [`stops when ${first.nth}${first.where} fails`, ...others.map(({ nth, where }) => `or ${nth}${where}`)].join(', ');
}

function isWithinReach({ stopsAt, of }: Limit): boolean {
  return stopsAt <= of;
}

/** Values with the same arithmetic share one part; many values share one for each number that stops. */
function labelParts(label: string, limits: readonly LabelLimit[]): Part[] {
  const few = limits.length <= NAMED_VALUES;
  const groups = grouped(limits, ({ stopsAt, of }) => (few ? `${stopsAt} of ${of}` : String(stopsAt)));
  return groups.map((alike) => {
    const sizes = alike.map(({ of }) => of);
    const [least, most, stopsAt] = [Math.min(...sizes), Math.max(...sizes), alike[0]?.stopsAt ?? 0];
    const nth = `the ${ordinal(stopsAt)} of ${least === most ? least : `${least} to ${most}`}`;
    if (alike.length === 1) return { nth, where: ` in ${label} ${alike[0]?.value ?? ''}` };
    return { nth, where: ` in any one ${label} (${few ? alike.map(({ value }) => value).join(', ') : `there are ${alike.length}`})` };
  });
}

function grouped(limits: readonly LabelLimit[], keyOf: (limit: LabelLimit) => string): LabelLimit[][] {
  const groups = new Map<string, LabelLimit[]>();
  for (const limit of limits) {
    const alike = groups.get(keyOf(limit));
    if (alike === undefined) groups.set(keyOf(limit), [limit]);
    else alike.push(limit);
  }
  return [...groups.values()];
}

function tooSmall(label: string, per: readonly LabelLimit[]): string[] {
  const small = per.filter((limit) => limit.label === label && !isWithinReach(limit));
  if (small.length === 0) return [];
  const which = small.length > NAMED_VALUES ? `${small.length} values of ${label} have` : `${label} ${listText(small.map(({ value }) => value), 'and')} ${small.length === 1 ? 'has' : 'have'}`;
  return [`${which} fewer hosts than their budget: it cannot be reached there`];
}

/** They would otherwise be missed without a word. */
function withoutLabel(label: string, plan: RolloutPlan): string[] {
  const count = [...plan.labels.values()].filter((labels) => !Object.hasOwn(labels, label)).length;
  if (count === 0) return [];
  const others = plan.budget.run === undefined ? ', and there is no budget of the whole run' : '';
  return [`${hostsText(count)} without the label ${label}: ${count === 1 ? 'it counts' : 'they count'} for no ${label}${others}`];
}
