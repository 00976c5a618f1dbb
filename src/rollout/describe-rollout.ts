/** A rollout in words before it begins: what goes when, what stops it, and what a stop does. Never tells of what has happened. */
import { commandWords } from '../core/command-words.js';
import { forPeople } from '../core/duration-text.js';
import type { CommandSpec, MaintenanceWindow, PlannedWave, Rollout, RolloutPlan } from '../core/rollout.js';
import { HOOK_NAMES, WEEKDAYS } from '../core/rollout.js';
import { addFailure, NO_FAILURES } from './budget.js';
import { budgetText } from './budget-text.js';
import { hostsText, listText, namesText } from './count-text.js';
import { pausesOf } from './plan-rollout.js';

/** `failedBefore`: hosts that count before anything is begun, because they could not be reached or judged. */
export function describeRollout(plan: RolloutPlan, policy: Rollout, failedBefore: readonly string[]): string[] {
  if (plan.waves.length === 0) return ['no host is to be changed: there is nothing to roll out'];
  return [
    ...plan.waves.map((wave, index) => waveText(plan, policy, wave, index)),
    ...budgetText(plan, policy.budget),
    ...failedBeforeText(plan, failedBefore),
    stopText(policy),
    ...betweenText(plan, policy),
    ...pauseText(plan, policy),
    ...(policy.window === undefined ? [] : [`window: ${windowText(policy.window)}; outside it no host is begun`]),
    ...hookText(policy),
  ];
}

/** `mon-fri 02:00-05:00 Europe/Berlin`. */
function windowText({ days, from, to, timeZone }: MaintenanceWindow): string {
  const nextDay = to <= from ? ' of the next day' : '';
  return `${daysText(days)} ${from}-${to}${nextDay} ${timeZone}`;
}

function daysText(days: MaintenanceWindow['days']): string {
  if (days.length === WEEKDAYS.length) return 'every day';
  const runs: number[][] = [];
  for (const day of days.map((name) => WEEKDAYS.indexOf(name)).sort((left, right) => left - right)) {
    const last = runs.at(-1);
    if (last !== undefined && last.at(-1) === day - 1) last.push(day);
    else runs.push([day]);
  }
  return runs.map((run) => (run.length > 2 ? [run.slice(0, 1), run.slice(-1)].map(dayNames).join('-') : dayNames(run))).join(',');
}

function dayNames(days: readonly number[]): string {
  return days.map((day) => WEEKDAYS[day] ?? '').join(',');
}

function waveText(plan: RolloutPlan, policy: Rollout, wave: PlannedWave, index: number): string {
  const title = `wave ${index + 1} of ${plan.waves.length}`;
  const count = wave.hosts.length;
  if (wave.kind === 'canary') {
    const each = count === 1 ? '' : ` one after the other (one of each ${coveredText(plan, policy)})`;
    return `${title}: canary, ${hostsText(count)}${each}: ${namesText(wave.hosts)}; its first failure stops the rollout`;
  }
  const through = plan.waves.slice(0, index + 1).reduce((sum, { hosts }) => sum + hosts.length, 0);
  const total = plan.waves.reduce((sum, { hosts }) => sum + hosts.length, 0);
  const sum = index === 0 ? '' : `, then ${through === total ? `all ${total}` : `${through} of ${total}`} are through`;
  return `${title}: ${hostsText(count)}${count === 1 ? '' : `, ${atOnceText(wave.within, count)}`}${sum}: ${namesText(wave.hosts)}`;
}

function atOnceText(within: number, count: number): string {
  if (within >= count) return 'all at once';
  return within === 1 ? 'one after the other' : `${within} at once`;
}

/** Only labels that somebody has. */
function coveredText(plan: RolloutPlan, { canary }: Rollout): string {
  const by = canary === 'none' ? [] : canary.by;
  const toChange = plan.waves.flatMap(({ hosts }) => hosts.map((host) => plan.labels.get(host) ?? {}));
  return listText([plan.covers === 'changes' ? 'change' : 'kind of change', ...by.filter((label) => toChange.some((labels) => Object.hasOwn(labels, label)))], 'and');
}

function failedBeforeText(plan: RolloutPlan, failedBefore: readonly string[]): string[] {
  if (failedBefore.length === 0) return [];
  const { spent } = failedBefore.reduce((tally, host) => addFailure(tally, plan, host), NO_FAILURES);
  const counted = `${hostsText(failedBefore.length)} could not be reached or judged and ${failedBefore.length === 1 ? 'counts' : 'count'} as failed already: ${namesText(failedBefore)}`;
  return spent === undefined ? [counted] : [counted, `the budget is reached before the start (${spent}): nothing is begun`];
}

function stopText({ onStop }: Rollout): string {
  const first = 'at a stop: no host is begun any more, those under way are finished';
  switch (onStop) {
    case 'halt':
      return `${first}; hosts that are changed stay changed`;
    case 'undoWave':
      return `${first}; then the hosts that this wave changed are brought back`;
    case 'undoRun':
      return `${first}; then all hosts that this run changed are brought back`;
  }
}

function betweenText(plan: RolloutPlan, { soakMs, gate }: Rollout): string[] {
  if (plan.waves.length < 2) return [];
  const steps = [
    ...(soakMs > 0 ? [`${forPeople(soakMs)} of waiting`] : []),
    'every host of the wave is looked at again and must be well',
    ...(gate === undefined ? [] : [`${commandText(gate)} must end with 0`]),
  ];
  return [`between waves: ${steps.join('; then ')}`];
}

function pauseText(plan: RolloutPlan, policy: Rollout): string[] {
  const after = pausesOf(policy, plan);
  if (after.length === 0) return [];
  return [`pause: after wave ${listText(after.map(String), 'and')} it waits until a person says continue`];
}

function hookText({ hooks }: Rollout): string[] {
  return HOOK_NAMES.flatMap((name) => {
    const command = hooks[name];
    return command === undefined ? [] : [`hook ${name}: ${commandText(command)}`];
  });
}

function commandText({ run, timeoutMs }: CommandSpec): string {
  return `${commandWords(run)} (at most ${forPeople(timeoutMs)})`;
}
