/** What an undo is about to do, as text: each distinct way back once. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { groupPlans, interruptions } from '../core/group-plans.js';
import type { HostPlan } from '../core/plan.js';
import type { Paint } from './paint.js';
import { hostsText } from './show-findings.js';

/** `asked`: how many hosts were named; some may have nothing to bring back. */
export function showUndo(plans: readonly HostPlan[], asked: number, paint: Paint): string {
  const blocks = groupPlans(plans).map((group, index) =>
    [
      paint('bold', `way back ${index + 1}  ${hostsText(group.hosts)}`),
      ...[...group.steps].reverse().flatMap((step) => (step.phase === 'change' ? [`  put back  ${cleanLine(step.edit.path)}`] : [])),
      ...group.steps.flatMap((step) => (step.phase === 'activate' ? [`  again     ${cleanLine(step.title)}`] : [])),
      ...interruptions(group.steps).map((line) => `  ${paint('yellow', 'means')}     ${cleanLine(line)}`),
    ].join('\n'),
  );
  return `${[...blocks, `${countHosts(asked)}: ${plans.length} to bring back, ${asked - plans.length} with nothing to bring back`].join('\n\n')}\n`;
}
