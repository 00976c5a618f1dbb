/** `fleetmend runs`: the runs of this machine's state folder, newest first. Reads the controller's disk only. */
import type { CommandModule } from 'yargs';
import { cleanLine } from '../core/clean-text.js';
import { describeFailure, failureOf } from '../core/failure.js';
import type { Failure } from '../core/failure.js';
import { OUTCOMES } from '../core/journal.js';
import type { Outcome } from '../core/journal.js';
import type { RunItem } from '../journals/index.js';
import { listRuns } from '../journals/index.js';
import { jsonDocument } from './json-document.js';
import type { Paint } from './paint.js';
import { createPaint } from './paint.js';
import { print } from './outlet.js';
import { hasEnded, summariseRun } from './run-summary.js';
import { runsRoot } from './state-directory.js';

interface RunsArguments {
  output: 'text' | 'json';
}

/** One run in a list: small, whatever the run was. */
export type RunRow =
  | {
      readonly run: string;
      readonly startedAt: string;
      readonly by: string;
      readonly playbook: string;
      readonly hosts: number;
      readonly state: string;
      readonly pid?: number;
      readonly outcomes: Readonly<Partial<Record<Outcome, number>>>;
      /** How many hosts a resume would take up. */
      readonly open: number;
      readonly directory: string;
      readonly failure?: undefined;
    }
  | { readonly run: string; readonly failure: Failure };

export const runsCommand: CommandModule<object, RunsArguments> = {
  command: 'runs',
  describe: 'list the runs of this machine with their state; connects to none',
  builder: (yargs) =>
    yargs.option('output', { alias: 'o', choices: ['text', 'json'] as const, default: 'text' as const, describe: 'text for people, or one JSON document' }) as never,
  handler: async (args) => {
    const root = runsRoot();
    const rows: RunRow[] = [];
    for (const item of await listRuns(root)) rows.push(await rowOf(item));
    rows.sort((left, right) => startOf(right).localeCompare(startOf(left)) || right.run.localeCompare(left.run));
    if (args.output === 'json') await print(jsonDocument(rows, { withBytes: false }));
    else await print(showRuns(rows, root, createPaint(process.stdout, process.env)));
  },
};

/** A run whose journal cannot be read is a row that says so. */
async function rowOf({ run, folder, failure }: RunItem): Promise<RunRow> {
  if (folder === undefined) return { run, failure };
  try {
    const { record, directory } = folder;
    const holder = await folder.holder();
    const entries = await folder.readEntries();
    const shown = hasEnded(record, entries) ? new Map<string, never>() : await folder.readShown();
    const { outcomes, open, state } = summariseRun(record, entries, shown, holder);
    return {
      run, startedAt: record.startedAt, by: record.by, playbook: record.playbook.name, hosts: record.hosts.length, state,
      ...(holder === undefined ? {} : { pid: holder.pid }), outcomes: Object.fromEntries(outcomes), open, directory,
    };
  } catch (thrown) {
    return { run, failure: failureOf(thrown) };
  }
}

/** The name of a run begins with its time, for those that cannot say when. */
function startOf(row: RunRow): string {
  return row.failure === undefined ? row.startedAt.replaceAll(/[-:]/g, '') : row.run;
}

function showRuns(rows: readonly RunRow[], root: string, paint: Paint): string {
  if (rows.length === 0) return `no runs in ${cleanLine(root)}\n`;
  const table = [
    ['run', 'started', 'by', 'playbook', 'hosts', 'state', 'outcomes'],
    ...rows.flatMap((row) => (row.failure === undefined ? [cellsOf(row)] : [])),
  ].map((cells) => cells.map(cleanLine));
  const [head = '', ...lines] = alignColumns(table);
  const unreadable = rows.flatMap((row) => (row.failure === undefined ? [] : [`${paint('red', row.run)}  cannot be read: ${cleanLine(describeFailure(row.failure))}`]));
  const readable = lines.length > 0 ? [paint('bold', head), ...lines] : [];
  return [...readable, ...unreadable, ...hintLines(rows)].map((line) => `${line}\n`).join('');
}

function cellsOf(row: Extract<RunRow, { failure?: undefined }>): string[] {
  const counts = OUTCOMES.flatMap((outcome) => (row.outcomes[outcome] === undefined ? [] : [`${row.outcomes[outcome]} ${outcome}`]));
  return [row.run, row.startedAt.replace(/\.\d+Z$/, 'Z'), row.by, row.playbook, String(row.hosts), row.state, counts.join(', ')];
}

function alignColumns(table: readonly (readonly string[])[]): string[] {
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0)));
  return table.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}

function hintLines(rows: readonly RunRow[]): string[] {
  const unfinished = rows.flatMap((row) => (row.failure === undefined && row.pid === undefined && row.open > 0 ? [row.run] : []));
  const [first, ...others] = unfinished;
  if (first === undefined) return [];
  const more = others.length === 0 ? '' : `, and so on for ${others.length} more`;
  return ['', `not at an end: fleetmend resume ${first}${more}; fleetmend show RUN says where each host stands`];
}
