/** The story of one host of a run as text, from the journal alone. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { entryText } from '../core/entry-text.js';
import type { Finding } from '../core/finding.js';
import type { HostEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import type { Paint } from './paint.js';
import type { HostSummary } from './run-summary.js';
import { detailLines } from './show-results.js';

export function showStory(run: string, host: HostSummary, entries: readonly HostEntry[], paint: Paint): string {
  const plan = host.state.plan;
  const sections = [
    [paint('bold', `${cleanLine(host.host)} in run ${run}`)],
    plan === undefined ? [] : ['found before', ...findingLines(plan.finding)],
    plan === undefined || plan.steps.length === 0 ? [] : ['planned', ...planLines(plan, paint)],
    entries.length === 0 ? ['nothing was begun on this host'] : ['what happened', ...timeline(entries, plan, paint)],
    ['now', ...endLines(host, paint)],
  ];
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function findingLines(finding: Finding): string[] {
  return [
    `  ${finding.verdict}: ${cleanLine(finding.summary)}`,
    ...finding.readings.map((reading) => `  ${reading.name.padEnd(9)}  ${cleanLine(reading.value).padEnd(14)} ${reading.verdict.padEnd(7)} ${cleanLine(reading.source)}`),
    ...finding.drift.map((line) => `  drift      ${cleanLine(line)}`),
  ];
}

function planLines(plan: HostPlan, paint: Paint): string[] {
  return [
    ...plan.steps.flatMap((step) => (step.phase === 'change' ? step.diff.trimEnd().split('\n').filter((line) => line !== '').map((line) => diffLine(line, paint)) : [])),
    ...plan.steps.map((step) => `  ${step.phase.padEnd(8)}  ${cleanLine(step.title)}`),
    ...plan.notes.map((note) => `  note      ${cleanLine(note)}`),
  ];
}

function diffLine(line: string, paint: Paint): string {
  const text = `  ${cleanLine(line.replace(/\r$/, '\u240d'))}`;
  if (line.startsWith('+')) return paint('green', text);
  return line.startsWith('-') ? paint('red', text) : text;
}

function timeline(entries: readonly HostEntry[], plan: HostPlan | undefined, paint: Paint): string[] {
  const titles = new Map((plan?.steps ?? []).map((step) => [step.id, step.title]));
  const start = Date.parse(entries[0]?.at ?? '');
  return entries.flatMap((entry) => [
    `  ${cleanLine(entry.at)}  ${secondsSince(start, entry.at).padStart(10)}  ${entryText(entry, (step) => titles.get(step) ?? step)}`,
    ...('failure' in entry && entry.failure !== undefined ? detailLines(entry.failure, paint) : []),
  ]);
}

function secondsSince(start: number, at: string): string {
  const ms = Date.parse(at) - start;
  return Number.isNaN(ms) ? '' : `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(3)} s`;
}

function endLines({ standing, state, where }: HostSummary, paint: Paint): string[] {
  switch (standing) {
    case 'ended': {
      const { finished } = state;
      return finished === undefined ? [] : [`  ${entryText({ type: 'finished', ...finished })}`, ...(finished.failure ? detailLines(finished.failure, paint) : [])];
    }
    case 'middle':
      return [`  in the middle: ${cleanLine(where ?? '')}`];
    case 'notBegun':
      return ['  not begun: its turn had not come'];
  }
}
