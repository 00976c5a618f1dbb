/** One run as text: who, when, what; the hosts by outcome; where the others stand; what to do next. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { foldNames } from '../core/fold-names.js';
import type { HostResult } from '../core/report.js';
import type { RunRecord, ShownPlan } from '../core/run-record.js';
import { timeText } from '../core/run-text.js';
import { judgeUndo } from '../core/run-state.js';
import { isForGood } from './next-commands.js';
import type { Paint } from './paint.js';
import type { RunSummary } from './run-summary.js';
import { rolloutLines, standingText } from './show-rollout.js';
import { showResults } from './show-results.js';

/** `running`: some process of this machine works on it now. */
export function showRun(summary: RunSummary, running: boolean, paint: Paint): string {
  const { record, hosts } = summary;
  const middle = hosts.filter((host) => host.standing === 'middle');
  const waiting = hosts.filter((host) => host.standing === 'notBegun');
  const results = resultsOf(summary);
  const sections = [
    headLines(record, summary, paint),
    rolloutLines(summary.ofRun, paint),
    results.length === 0 ? [] : [showResults(results, paint).trimEnd()],
    middle.length === 0 ? [] : ['in the middle', ...middle.map((host) => `  ${paint('bold', cleanLine(host.host))}  ${cleanLine(host.where ?? '')}`)],
    waiting.length === 0 ? [] : [`not begun  ${countHosts(waiting.length)}: ${cleanLine(foldNames(waiting.map((host) => host.host)))}`],
    nextLines(summary, running),
  ];
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Of the hosts that came to an end. */
function resultsOf({ hosts }: RunSummary): HostResult[] {
  return hosts.flatMap(({ host, state }) => (state.finished === undefined ? [] : [{ host, ...state.finished }]));
}

function headLines(record: RunRecord, { state, rollout }: RunSummary, paint: Paint): string[] {
  const settings = Object.entries(record.playbook.settings).map(([name, value]) => `${name}=${value}`);
  const guard = record.playbook.guard === undefined ? [] : [`guard: ${record.playbook.guard}`];
  const said = [...settings, ...guard];
  return [
    `${paint('bold', `run ${record.run}`)}: ${cleanLine(state)}`,
    `  started   ${cleanLine(record.startedAt)} by ${cleanLine(record.by)}`,
    `  playbook  ${cleanLine(record.playbook.name)} (${cleanLine(record.playbook.file)})${said.length === 0 ? '' : `, ${cleanLine(said.join(', '))}`}`,
    ...(record.plan === undefined ? [] : [`  plan      ${planText(record.plan)}`]),
    `  hosts     ${record.hosts.length}`,
    ...(rollout === undefined ? [] : [`  rollout   ${standingText(rollout)}`]),
  ];
}

function planText({ digest, file, approvedBy, approvedAt }: ShownPlan): string {
  const yes = approvedBy === undefined ? 'nobody was asked' : `approved by ${approvedBy}${approvedAt === undefined ? '' : ` at ${timeText(approvedAt)}`}`;
  return cleanLine(`${digest}${file === undefined ? '' : ` of ${file}`}, ${yes}`);
}

function openLines({ record: { run }, open, hosts, outcomes, rollout }: RunSummary): string[] {
  const inTheMiddle = outcomes.has('stuck') || hosts.some(({ standing }) => standing === 'middle');
  if (open === 0 || (isForGood(rollout?.stopped) && !inTheMiddle)) {
    return open === 0 ? [] : [`  fleetmend apply --rerun failed,skipped ${run}: takes the failed and the skipped ones, with a fresh plan; a resume begins none after this stop`];
  }
  return [`  fleetmend resume ${run}: goes on with ${isForGood(rollout?.stopped) ? 'the hosts in the middle' : 'every host that is not at an end'}`];
}

function nextLines(summary: RunSummary, running: boolean): string[] {
  const { run } = summary.record;
  const stuck = summary.outcomes.has('stuck');
  const changed = summary.hosts.some(({ state }) => state.finished?.outcome === 'changed' && judgeUndo(state).can);
  const lines = [
    ...(stuck ? [`  look at the stuck hosts: fleetmend show ${run} HOST says what happened on each`] : []),
    ...openLines(summary),
    ...(changed ? [`  fleetmend undo ${run}: brings the changed hosts back`] : []),
  ];
  if (running) return ['next', `  wait: a process works on this run now; fleetmend ctl ${run} steers it`];
  return lines.length === 0 ? [] : ['next', ...lines];
}
