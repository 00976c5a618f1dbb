/** An audit's result as text: hosts that are alike are shown once. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import { describeFailure } from '../core/failure.js';
import type { Finding, Verdict } from '../core/finding.js';
import { foldNames } from '../core/fold-names.js';
import { groupFailures } from '../core/group-failures.js';
import { countBy } from '../core/report.js';
import type { SurveyResult } from '../core/report.js';
import { groupBy } from './group-by.js';
import type { Paint } from './paint.js';
import { groupDetailLines } from './show-results.js';

const COLOURS = { fail: 'red', unknown: 'yellow', notApplicable: 'yellow', pass: 'green' } as const satisfies Record<Verdict, string>;
const ORDER: readonly Verdict[] = ['fail', 'unknown', 'notApplicable', 'pass'];

export function showFindings(results: readonly SurveyResult[], paint: Paint): string {
  const judged = groupBy(results.filter((result) => result.finding !== undefined), (result) => JSON.stringify(result.finding));
  judged.sort(([left], [right]) => rank(left) - rank(right));
  const failed = groupFailures(results.flatMap(({ host, failure }) => (failure === undefined ? [] : [{ host, failure }])));
  const blocks = [
    ...judged.flatMap((group) => (group[0].finding ? [findingBlock(group[0].finding, namesOf(group), paint)] : [])),
    ...failed.map((group) => [
      `${paint('red', 'no answer')}  ${hostsText(group.hosts)}`, `    ${cleanLine(describeFailure(group.failure))}`, ...groupDetailLines(group, paint),
    ].join('\n')),
  ];
  return `${blocks.join('\n\n')}\n\n${countLine(results)}\n`;
}

function rank(result: SurveyResult): number {
  return result.finding === undefined ? ORDER.length : ORDER.indexOf(result.finding.verdict);
}

function findingBlock(finding: Finding, hosts: readonly string[], paint: Paint): string {
  const clean = cleanLine;
  const lines = [
    `${paint(COLOURS[finding.verdict], finding.verdict)}  ${hostsText(hosts)}`,
    `  ${clean(finding.summary)}`,
    ...finding.readings.map((reading) => `  ${reading.name.padEnd(9)}  ${clean(reading.value).padEnd(14)} ${reading.verdict.padEnd(7)} ${clean(reading.source)}`),
    ...finding.drift.map((line) => `  ${paint('yellow', 'drift')}      ${clean(line)}`),
    ...(finding.latentCrash === undefined ? [] : [`  ${paint('red', 'next start would fail')}: ${clean(finding.latentCrash)}`]),
    ...finding.notes.map((note) => `  note       ${clean(note)}`),
  ];
  return lines.join('\n');
}

export function hostsText(hosts: readonly string[]): string {
  return `${countHosts(hosts.length)}: ${cleanLine(foldNames(hosts))}`;
}

function namesOf(group: readonly { readonly host: string }[]): string[] {
  return group.map((item) => item.host);
}

function countLine(results: readonly SurveyResult[]): string {
  const counts = countBy(results, (result) => result.finding?.verdict ?? 'no answer');
  return `${countHosts(results.length)}: ${[...counts].map(([key, count]) => `${count} ${key}`).join(', ')}`;
}
