/** From measured runs to a Markdown table. Pure. */
import type { Measured } from './measure.js';

export interface Row {
  readonly name: string;
  readonly job: string;
  /** One for each round, in the order of rounds; or why there is none. */
  readonly runs: readonly Measured[] | string;
}

export interface Setting {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly versions: readonly string[];
  readonly nodes: number;
  readonly rounds: number;
  readonly load: string;
}

/** `floor` is the name of the row that the others are compared with. */
export function showTable(rows: readonly Row[], floor: string, setting: Setting): string {
  const head = ['', 'job', 'seconds (median)', 'min to max', `x ${floor}`, 'client CPU s', "nodes' CPU s"];
  const lines = [head, head.map(() => '---'), ...rows.map((row) => cells(row, rows, floor))];
  return [
    `${setting.nodes} real nodes, ${setting.rounds} rounds, each of them every contender once in rotating order, after one round to warm up; ${setting.date}.`,
    `${[`${setting.machine}, which also run the nodes`, `Node ${setting.node}`, ...setting.versions, `load before: ${setting.load}`].join('; ')}.`,
    '"x" is the median of the ratios within each round. CPU: user and system time, medians.',
    '',
    ...lines.map((line) => `| ${line.join(' | ')} |`),
    '',
  ].join('\n');
}

function cells(row: Row, rows: readonly Row[], floor: string): string[] {
  if (typeof row.runs === 'string') return [row.name, row.job, row.runs, '', '', '', ''];
  const walls = row.runs.map((run) => run.wallSeconds);
  const ratio = ratioOf(rows, row.name, floor);
  return [
    row.name, row.job, median(walls).toFixed(2), `${Math.min(...walls).toFixed(2)} to ${Math.max(...walls).toFixed(2)}`,
    ratio === undefined ? '' : ratio.toFixed(2),
    median(row.runs.map((run) => run.clientCpuSeconds)).toFixed(2),
    medianOfKnown(row.runs.map((run) => run.nodesCpuSeconds)),
  ];
}

/** Median over the rounds of one row's seconds by another's; `undefined` when one of them was not measured. */
export function ratioOf(rows: readonly Row[], name: string, by: string): number | undefined {
  const [own, other] = [name, by].map((wanted) => rows.find((row) => row.name === wanted)?.runs);
  if (own === undefined || other === undefined || typeof own === 'string' || typeof other === 'string') return undefined;
  return median(own.map((run, round) => run.wallSeconds / (other[round]?.wallSeconds ?? NaN)));
}

function medianOfKnown(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? 'unknown' : median(known).toFixed(2);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
