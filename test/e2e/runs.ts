/** Past runs as the command line tells of them. */
import type { RunRow } from '../../src/cli/runs.js';
import type { Ended } from './fleetmend.js';
import type { Stage } from './stage.js';

export type { RunRow };

/** Newest first. */
export async function runRows(stage: Stage, environment?: Readonly<Record<string, string>>): Promise<RunRow[]> {
  const ended = await stage.past('runs', [], environment ? { environment } : {});
  if (ended.code !== 0) throw new Error(`runs: exit ${String(ended.code)}: ${ended.stderr}`);
  return JSON.parse(ended.stdout) as RunRow[];
}

/** The name of the newest run, or an error. */
export async function newestRun(stage: Stage, environment?: Readonly<Record<string, string>>): Promise<string> {
  const [row] = await runRows(stage, environment);
  if (row === undefined) throw new Error('there are no runs');
  return row.run;
}

export interface ShownHost {
  readonly host: string;
  readonly standing: 'ended' | 'middle' | 'notBegun';
  readonly open: boolean;
  readonly where?: string;
  readonly outcome?: string;
}

/** `show RUN`: where each host stands by the journal. */
export async function shownHosts(stage: Stage, run: string): Promise<ShownHost[]> {
  const ended = await stage.past('show', [run]);
  if (ended.code !== 0) throw new Error(`show ${run}: exit ${String(ended.code)}: ${ended.stderr}`);
  return (JSON.parse(ended.stdout) as { hosts: ShownHost[] }).hosts;
}

/** The run of a `--output json` document. */
export function runOf({ stdout, stderr }: Ended): string {
  if (stdout === '') throw new Error(`no document: ${stderr}`);
  return (JSON.parse(stdout) as { run: string }).run;
}
