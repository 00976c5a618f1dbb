/** Where a run's rollout stands now, in a few lines, from its folder alone: no living process is needed, and no host is reached. */
import { cleanLine } from '../core/clean-text.js';
import { foldNames } from '../core/fold-names.js';
import { OUTCOMES } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { RunFolder, RunHolder } from '../journals/index.js';
import type { JsonDocument } from './json-document.js';
import { jsonDocument } from './json-document.js';
import type { RunSummary } from './run-summary.js';
import { summariseRun } from './run-summary.js';
import { standingText } from './show-rollout.js';

export async function tellStatus(folder: RunFolder, output: 'text' | 'json'): Promise<string | JsonDocument> {
  const holder = await folder.holder();
  // Without the plans that were shown the counts are right all the same.
  const shown = await folder.readShown().catch(() => new Map<string, HostPlan>());
  const summary = summariseRun(folder.record, await folder.readEntries(), shown, holder);
  const { run } = folder.record;
  if (output === 'text') return showStatus(summary, holder);
  return jsonDocument({ run, state: summary.state, holder, rollout: summary.rollout, ...countsOf(summary) }, { withBytes: false });
}

function countsOf({ hosts, outcomes }: RunSummary): { hosts: number; middle: number; notBegun: number; outcomes: Record<string, number> } {
  const standing = (wanted: string): number => hosts.filter((host) => host.standing === wanted).length;
  return { hosts: hosts.length, middle: standing('middle'), notBegun: standing('notBegun'), outcomes: Object.fromEntries(outcomes) };
}

function showStatus(summary: RunSummary, holder: RunHolder | undefined): string {
  const { record, rollout, outcomes } = summary;
  const { hosts, middle, notBegun } = countsOf(summary);
  const counts = [
    ...OUTCOMES.flatMap((outcome) => (outcomes.has(outcome) ? [`${outcomes.get(outcome)} ${outcome}`] : [])),
    ...(middle > 0 ? [`${middle} under way`] : []),
    ...(notBegun > 0 ? [`${notBegun} not begun`] : []),
  ];
  const lines = [
    `run ${record.run}: ${summary.state}`,
    `  process   ${holder === undefined ? 'none of this machine works on it' : `${holder.pid} on ${holder.hostname}, ${holder.by}, since ${holder.since}`}`,
    `  rollout   ${rollout === undefined ? 'not begun' : standingText(rollout)}`,
    `  hosts     ${hosts}: ${counts.join(', ')}`,
    ...(rollout === undefined || rollout.skipped.length === 0 ? [] : [`  left out  ${foldNames(rollout.skipped)}`]),
  ];
  return lines.map((line) => `${cleanLine(line)}\n`).join('');
}
