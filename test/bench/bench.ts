/**
 * `npm run bench [-- --nodes N --runs N --only NAME,NAME --write]`: fleetmend's audit beside the bare floor and other tools, on
 * real nodes, in one run. A figure counts only when every answer was right. Asserts no time.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runNow } from '../lab/command.js';
import { missingForLab } from '../lab/machine.js';
import { contenders } from './contenders.js';
import type { Absent, Contender } from './contenders.js';
import type { BenchFleet } from './fleet.js';
import { PREFIX, raiseFleet } from './fleet.js';
import { measure } from './measure.js';
import type { Measured } from './measure.js';
import { ratioOf, showTable } from './table.js';
import type { Row } from './table.js';

const RESULTS = fileURLToPath(new URL('results/latest.md', import.meta.url));
const USAGE = 'usage: npm run bench -- [--nodes N] [--runs N] [--only NAME,NAME] [--write]';
const say = (line: string): void => console.error(line);

interface Options {
  readonly nodes: number;
  readonly runs: number;
  readonly only: readonly string[];
  readonly write: boolean;
}

function readOptions(argv: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args: [...argv], options: { nodes: text, runs: text, only: text, write: { type: 'boolean', default: false } } });
  const [nodes, runs] = [Number(values.nodes ?? 100), Number(values.runs ?? 5)];
  if (!Number.isInteger(nodes) || nodes < 4 || nodes > 500 || !Number.isInteger(runs) || runs < 1) throw new Error(USAGE);
  return { nodes, runs, only: values.only?.split(',') ?? [], write: values.write };
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const missing = missingForLab();
  if (missing.length > 0) throw new Error(`real nodes need: ${missing.join(', ')}`);
  say(`booting ${options.nodes} nodes ...`);
  const fleet = await raiseFleet(options.nodes, say);
  try {
    const text = await bench(fleet, options);
    console.log(text);
    if (!options.write) return;
    await mkdir(dirname(RESULTS), { recursive: true });
    await writeFile(RESULTS, text);
  } finally {
    await fleet.destroy();
  }
}

async function bench(fleet: BenchFleet, { nodes, runs, only }: Options): Promise<string> {
  const wanted = contenders(fleet).filter(({ name }) => only.length === 0 || only.some((word) => name.toLowerCase().includes(word.toLowerCase())));
  const present = wanted.filter((one): one is Contender => !('missing' in one));
  for (const one of present) await one.prepare?.();
  const load = loadavg().map((value) => value.toFixed(1)).join(' ');
  const measured = await runRounds(present, runs, fleet);
  const rows = wanted.map((one): Row => rowOf(one, measured));
  const versions = present.flatMap(({ argv: [program = ''] }) => versionOf(program));
  const cores = cpus();
  const machine = `${cores[0]?.model.trim() ?? 'unknown processor'}, ${cores.length} cores`;
  const date = new Date().toISOString().slice(0, 10);
  return `${showTable(rows, 'bare ssh2 loop', { date, machine, node: process.versions.node, versions, nodes, rounds: runs, load })}\n${goals(rows)}\n`;
}

/** Each round runs everybody once and begins with another one; the first is thrown away. */
async function runRounds(present: readonly Contender[], runs: number, fleet: BenchFleet): Promise<ReadonlyMap<string, Measured[]>> {
  const measured = new Map(present.map((one) => [one.name, [] as Measured[]]));
  for (let round = 0; round <= runs; round += 1) {
    const first = round % present.length;
    for (const one of [...present.slice(first), ...present.slice(0, first)]) {
      const run = await runOnce(one, fleet);
      say(`${round === 0 ? 'warm-up' : `round ${round}`}: ${one.name}: ${run.wallSeconds.toFixed(2)} s`);
      if (round > 0) measured.get(one.name)?.push(run);
    }
  }
  return measured;
}

async function runOnce(one: Contender, fleet: BenchFleet): Promise<Measured> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: fleet.dir, LC_ALL: 'C.UTF-8', ...one.env };
  try {
    const run = await measure(one.argv, { dir: fleet.dir, env, prefix: PREFIX });
    const faults = one.faults(run);
    if (faults.length > 0) throw new Error(`${one.name}: wrong answers, so its time does not count:\n${faults.slice(0, 5).join('\n')}`);
    return run;
  } finally {
    await one.tidy?.();
  }
}

function rowOf(one: Contender | Absent, measured: ReadonlyMap<string, Measured[]>): Row {
  if ('missing' in one) return { name: one.name, job: '', runs: one.missing };
  return { name: one.name, job: one.job, runs: measured.get(one.name) ?? 'not measured' };
}

function versionOf(program: string): string[] {
  if (program === process.execPath) return [];
  const { stdout, stderr } = runNow([program, program === 'pdsh' ? '-V' : '--version']);
  const line = `${stdout}\n${stderr}`.split('\n').find((text) => text.trim() !== '');
  return line === undefined ? [] : [line.trim()];
}

function goals(rows: readonly Row[]): string {
  const text = (ratio: number | undefined): string => (ratio === undefined ? 'not measured' : ratio.toFixed(2));
  return [
    `audit by bare loop: ${text(ratioOf(rows, 'fleetmend audit', 'bare ssh2 loop'))} (goal: at most 1.3)`,
    `Ansible by audit: ${text(ratioOf(rows, 'Ansible, 50 forks', 'fleetmend audit'))} (goal: at least 10)`,
  ].join('\n');
}

await main().catch((error: unknown) => {
  process.exitCode = 1;
  say(error instanceof Error ? error.message : String(error));
});
