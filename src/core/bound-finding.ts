/**
 * A finding cut to what people read. Its words quote files and command lines of a node, which may be as large as a node likes, and
 * findings of a whole fleet are kept until the end. Pure; a cut text says so.
 */
import type { Finding } from './finding.js';

/** Longer than any real value or path (PATH_MAX is 4096). */
const MAX_CHARACTERS = 5_000;
const MAX_LINES = 200;

function boundText(text: string): string {
  return text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS)}... (${text.length} characters)`;
}

export function boundFinding(finding: Finding): Finding {
  return {
    ...finding,
    summary: boundText(finding.summary),
    expected: boundText(finding.expected),
    actual: boundText(finding.actual),
    readings: finding.readings.map((reading) => ({ ...reading, value: boundText(reading.value), source: boundText(reading.source) })),
    drift: boundLines(finding.drift),
    notes: boundLines(finding.notes),
    ...(finding.latentCrash === undefined ? {} : { latentCrash: boundText(finding.latentCrash) }),
  };
}

function boundLines(lines: readonly string[]): string[] {
  const shown = lines.slice(0, MAX_LINES).map(boundText);
  return lines.length <= MAX_LINES ? shown : [...shown, `... and ${lines.length - MAX_LINES} more`];
}
