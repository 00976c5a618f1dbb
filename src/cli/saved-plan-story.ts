/** A saved plan as text: what it is and what it would do on one screen, then each distinct change once. Needs no host, no inventory. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { describeDisruption } from '../core/disruption.js';
import { forPeople } from '../core/duration-text.js';
import { describeFailure } from '../core/failure.js';
import type { HostPlan } from '../core/plan.js';
import { countBy } from '../core/report.js';
import type { SavedHost, SavedPlan } from '../core/saved-plan.js';
import { approvalWord } from './approval.js';
import type { Paint } from './paint.js';
import type { PlannedHost } from './show-plans.js';
import { groupsOf, planBlocks, showPlans, summaryLine } from './show-plans.js';
import { groupBy } from './group-by.js';
import { hostsText } from './show-findings.js';

export interface SavedPlanView {
  /** As the reader named it. */
  readonly file: string;
  readonly saved: SavedPlan;
  readonly now: Date;
  /** Sentences: what was changed on the controller since. */
  readonly changed: readonly string[];
  /** The rollout in words; absent when the playbook cannot be read by this version. */
  readonly rollout?: string;
}

export function showSavedPlan({ file, saved, now, changed, rollout }: SavedPlanView, paint: Paint): string {
  const planned = saved.hosts.map(hostOf);
  const head = [
    `${paint('bold', `plan ${saved.digest.slice(0, 12)}`)}: ${summaryLine(planned)}`,
    ...headLines(saved, now),
    ...changed.map((line) => `  ${paint('yellow', 'changed')}   ${cleanLine(line)}`),
    ...disruptionLines(planned, paint),
    ...reasonLines(planned, paint),
    `  to do it  fleetmend apply ${cleanLine(file)} --approve ${approvalWord(saved.digest)}`,
  ];
  return `${[head.join('\n'), ...(rollout === undefined ? [] : [rollout]), ...planBlocks(planned, paint)].join('\n\n')}\n`;
}

export function hostOf({ host, value, failure }: SavedHost): PlannedHost {
  return failure === undefined ? { host: host.name, plan: value } : { host: host.name, failure };
}

/** By a clock that may differ from that of the machine that made it. */
function ageText(madeAt: string, now: Date): string {
  const ms = now.getTime() - Date.parse(madeAt);
  return ms < 0 ? 'by a clock that is ahead of this one' : `${forPeople(ms)} ago`;
}

function headLines({ digest, madeAt, by, playbook, inventory }: SavedPlan, now: Date): string[] {
  const said = [...Object.entries(playbook.settings), ...Object.entries(playbook.rollout ?? {})].map(([name, value]) => `${name}=${value}`);
  const all = [...said, ...(playbook.guard === undefined ? [] : [`guard: ${playbook.guard}`])];
  return [
    `  made      ${cleanLine(madeAt)} by ${cleanLine(by)}, ${ageText(madeAt, now)}`,
    `  digest    ${digest}`,
    `  playbook  ${cleanLine(playbook.name)} (${cleanLine(playbook.file)})${all.length === 0 ? '' : `, ${cleanLine(all.join(', '))}`}`,
    `  inventory ${cleanLine(inventory.file)}`,
  ];
}

function disruptionLines(planned: readonly PlannedHost[], paint: Paint): string[] {
  return groupBy(groupsOf(planned), (group) => (group.disruption === undefined ? '' : describeDisruption(group.disruption))).flatMap((groups) => {
    const [{ disruption }] = groups;
    if (disruption === undefined) return [];
    const hosts = groups.reduce((sum, group) => sum + group.hosts.length, 0);
    return [`  ${paint(disruption.class === 'restartOfMore' ? 'red' : 'yellow', 'disrupts')}  ${hosts} ${hosts === 1 ? 'host' : 'hosts'}: ${cleanLine(describeDisruption(disruption))}`];
  });
}

/** More reasons than this stand below only. */
const SHOWN_REASONS = 5;

/** By kind, and one host's words for each kind: all of them stand below. */
function reasonLines(planned: readonly PlannedHost[], paint: Paint): string[] {
  const groups = groupBy(planned.filter(({ plan, failure }) => (failure ?? plan?.refusal) !== undefined), ({ plan, failure }) => (failure ?? plan?.refusal)?.kind ?? '');
  const lines = groups.map((group) => {
    const [{ plan, failure }] = group;
    const reason = failure ?? plan?.refusal;
    const word = failure === undefined ? 'refused' : 'silent';
    return `  ${paint('yellow', word)}${' '.repeat(10 - word.length)}${hostsText(group.map(({ host }) => host))}: ${cleanLine(reason === undefined ? '' : reason.summary)}${group.length > 1 ? ', and alike' : ''}`;
  });
  const rest = lines.length - SHOWN_REASONS;
  return [...lines.slice(0, SHOWN_REASONS), ...(rest > 0 ? [`  and ${rest} more kinds of reasons, below`] : [])];
}

/** One host of it: what would be done, and all that this rests on. */
export function showSavedHost(saved: SavedHost, paint: Paint): string {
  if (saved.failure !== undefined) return `${paint('bold', cleanLine(saved.host.name))}  ${cleanLine(describeFailure(saved.failure))}\n`;
  return [showPlans([hostOf(saved)], paint).trimEnd(), ...observedLines(saved.value, paint)].join('\n') + '\n';
}

function observedLines({ observed, finding }: HostPlan, paint: Paint): string[] {
  if (observed === undefined) return [];
  const named = (record: Readonly<Record<string, string>>): string[] => Object.entries(record).map(([name, word]) => `  ${cleanLine(name)}  ${cleanLine(word)}`);
  const absent = Object.values(observed.files).filter((word) => word === 'absent').length;
  const counts = countBy(Object.values(observed.files), (word) => (word === 'absent' ? 'absent' : 'there'));
  return [
    '', `${paint('bold', 'rests on')}  ${cleanLine(finding.summary)}`,
    ...(observed.hostKey === undefined ? [] : [`  host key  ${cleanLine(observed.hostKey)}`]),
    ...named(observed.versions), ...named(observed.units),
    ...Object.entries(observed.commandLines).map(([name, words]) => `  ${cleanLine(name)}  ${cleanLine(words.join(' '))}`),
    ...named(observed.directories),
    `  ${counts.get('there') ?? 0} files there, ${absent} absent`, ...named(observed.files),
  ];
}
