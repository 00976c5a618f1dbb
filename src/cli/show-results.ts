/** The end of a run as text: counts by outcome, and the reason of every host that is not fine. Pure. */
import { cleanLine } from '../core/clean-text.js';
import { countHosts } from '../core/count-hosts.js';
import type { Failure } from '../core/failure.js';
import { describeFailure } from '../core/failure.js';
import { foldNames } from '../core/fold-names.js';
import type { FailureGroup } from '../core/group-failures.js';
import { groupFailures } from '../core/group-failures.js';
import { OUTCOMES } from '../core/journal.js';
import type { HostResult } from '../core/report.js';
import type { Paint } from './paint.js';
import { groupBy } from './group-by.js';

const COLOURS = {
  compliant: 'green', changed: 'green', restored: 'yellow', stuck: 'red', unreachable: 'red', refused: 'yellow', skipped: 'yellow',
} as const;

export function showResults(results: readonly HostResult[], paint: Paint): string {
  const byOutcome = OUTCOMES.flatMap((outcome) => {
    const hosts = results.filter((result) => result.outcome === outcome);
    if (hosts.length === 0) return [];
    return [`  ${paint(COLOURS[outcome], outcome.padEnd(11))} ${String(hosts.length).padStart(4)}  ${cleanLine(foldNames(hosts.map((result) => result.host)))}`];
  });
  const failed = results.flatMap(({ host, outcome, failure }) => (failure === undefined ? [] : [{ host, outcome, failure }]));
  const reasons = groupBy(failed, ({ outcome }) => outcome).flatMap((ended) => groupFailures(ended).flatMap((group) => [
    `  ${paint('bold', cleanLine(foldNames(group.hosts)))} ${ended[0].outcome}: ${cleanLine(describeFailure(group.failure))}`, ...groupDetailLines(group, paint),
  ]));
  return [`outcome of ${countHosts(results.length)}`, ...byOutcome, ...(reasons.length > 0 ? ['', 'why', ...reasons] : [])].join('\n') + '\n';
}

const DETAIL_LINES = 8;

/** The start of what stands behind a failure, each line clean and set in. */
export function detailLines(failure: Failure, paint: Paint): string[] {
  const lines = (failure.detail ?? '').split('\n').map(cleanLine).filter((line) => line.trim() !== '');
  const shown = lines.slice(0, DETAIL_LINES).map((line) => paint('dim', `      ${line}`));
  return lines.length > DETAIL_LINES ? [...shown, paint('dim', `      ... ${lines.length - DETAIL_LINES} more lines: --output json`)] : shown;
}

/** Of several hosts that failed alike, but not with the same behind it, that of the first. */
export function groupDetailLines({ hosts, failure, differs }: FailureGroup, paint: Paint): string[] {
  return [...(differs ? [paint('dim', `      as on ${cleanLine(hosts[0] ?? '')}; what the others said differs: --output json`)] : []), ...detailLines(failure, paint)];
}
