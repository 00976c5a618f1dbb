/** A dry run's result as text: what would change where, each distinct change once. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { describeDisruption } from '../core/disruption.js';
import { forPeople } from '../core/duration-text.js';
import type { Failure } from '../core/failure.js';
import { describeFailure } from '../core/failure.js';
import type { Failed } from '../core/group-failures.js';
import { groupFailures } from '../core/group-failures.js';
import type { PlanGroup } from '../core/group-plans.js';
import { groupPlans, interruptions } from '../core/group-plans.js';
import type { HostPlan } from '../core/plan.js';
import type { Paint } from './paint.js';
import { hostsText } from './show-findings.js';
import { groupDetailLines } from './show-results.js';

export interface PlannedHost {
  readonly host: string;
  readonly plan?: HostPlan;
  readonly failure?: Failure;
}

export function showPlans(planned: readonly PlannedHost[], paint: Paint): string {
  return `${planBlocks(planned, paint).join('\n\n')}\n\n${summaryLine(planned)}\n`;
}

/** Each distinct change once, then each reason why hosts are left as they are. */
export function planBlocks(planned: readonly PlannedHost[], paint: Paint): string[] {
  const compliant = planned.filter(isCompliant);
  return [
    ...groupsOf(planned).map((group, index) => changeBlock(group, index + 1, paint)),
    ...reasonBlocks('must not be touched', failedBy(planned, ({ plan }) => plan?.refusal), paint),
    ...reasonBlocks('no answer', failedBy(planned, ({ failure }) => failure), paint),
    ...(compliant.length > 0 ? [`${paint('green', 'compliant')}  ${hostsText(compliant.map(({ host }) => host))}: nothing to do`] : []),
  ];
}

export function groupsOf(planned: readonly PlannedHost[]): PlanGroup[] {
  return groupPlans(planned.flatMap((item) => (item.plan ? [item.plan] : [])));
}

function isCompliant({ plan }: PlannedHost): boolean {
  return plan !== undefined && plan.steps.length === 0 && plan.refusal === undefined;
}

function changeBlock(group: PlanGroup, number: number, paint: Paint): string {
  const steps = group.steps.map((step) => `  ${step.phase.padEnd(8)}  ${cleanLine(step.title)}`);
  const diffs = group.steps.flatMap((step) => (step.phase === 'change' ? [diffText(step.diff, paint)] : []));
  return [
    paint('bold', `change ${number}  ${hostsText(group.hosts)}`),
    ...diffs,
    ...(group.differs ? [`  ${paint('dim', `as on ${cleanLine(group.hosts[0] ?? '')}: addresses and names differ by host`)}`] : []),
    ...steps,
    ...(group.guard ? [`  guard     the node puts all of this back by itself ${forPeople(group.guard.deadlineMs)} after the first change, unless it hears that all is well; also at its next boot`] : ['  guard     none: a node that is lost in the middle stays there']),
    ...(group.disruption ? [`  ${paint(group.disruption.class === 'restartOfMore' ? 'red' : 'yellow', 'disrupts')}  ${cleanLine(describeDisruption(group.disruption))}`] : []),
    ...interruptions(group.steps).map((line) => `  ${paint('yellow', 'means')}     ${cleanLine(line)}`),
    ...group.notes.map((note) => `  note      ${cleanLine(note)}`),
  ].join('\n');
}

function diffText(diff: string, paint: Paint): string {
  return diff.trimEnd().split('\n').map((line) => {
    // A file with CRLF line ends would otherwise move the cursor.
    const text = `  ${cleanLine(line.replace(/\r$/, '\u240d'))}`;
    if (line.startsWith('+')) return paint('green', text);
    if (line.startsWith('-')) return paint('red', text);
    return line.startsWith('@@') ? paint('cyan', text) : text;
  }).join('\n');
}

function reasonBlocks(title: string, failed: readonly Failed[], paint: Paint): string[] {
  return groupFailures(failed).map((group) => [
    `${paint('yellow', title)}  ${hostsText(group.hosts)}`, `  ${cleanLine(describeFailure(group.failure))}`, ...groupDetailLines(group, paint),
  ].join('\n'));
}

function failedBy(planned: readonly PlannedHost[], reason: (item: PlannedHost) => Failure | undefined): Failed[] {
  return planned.flatMap((item) => {
    const failure = reason(item);
    return failure === undefined ? [] : [{ host: item.host, failure }];
  });
}

export function summaryLine(planned: readonly PlannedHost[]): string {
  const groups = groupsOf(planned);
  const toChange = groups.reduce((sum, group) => sum + group.hosts.length, 0);
  const compliant = planned.filter(isCompliant).length;
  const refused = planned.filter((item) => item.plan?.refusal).length;
  const silent = planned.filter((item) => item.failure).length;
  const ways = groups.length === 1 ? '1 way' : `${groups.length} ways`;
  return `${countHosts(planned.length)}: ${compliant} compliant, ${toChange} to change${toChange > 0 ? ` in ${ways}` : ''}, ${refused} must not be touched, ${silent} without answer`;
}
