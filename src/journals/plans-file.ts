/** plans.ndjson: what was shown of each host before anything was touched, one plan a line. Whole, by its digest, or refused. */
import { createHash } from 'node:crypto';
import { escapeControls } from '../core/clean-text.js';
import { digestOf } from '../core/bytes.js';
import { FleetmendError } from '../core/failure.js';
import type { HostPlan } from '../core/plan.js';
import { codeOf, createDurably, readRegular } from './disk.js';
import { isPlanShape } from './fact-shape.js';
import type { PlansMark } from './run-record-text.js';

export async function writePlans(path: string, plans: readonly HostPlan[]): Promise<PlansMark> {
  const hash = createHash('sha256');
  const lines = function* (): Generator<string> {
    for (const plan of plans) {
      const line = `${escapeControls(JSON.stringify(plan))}\n`;
      hash.update(line);
      yield line;
    }
  };
  await createDurably(path, lines());
  return { hosts: plans.length, sha256: hash.digest('hex') };
}

/** By host. Throws FleetmendError (journal) when the file is not the one that the run was started with. */
export async function readPlans(path: string, mark: PlansMark): Promise<ReadonlyMap<string, HostPlan>> {
  const bytes = await readRegular(path).catch((cause: unknown) => {
    throw codeOf(cause) === 'ENOENT' ? changed(path) : cause;
  });
  if (digestOf(bytes) !== mark.sha256) throw changed(path);
  const plans = linesOf(bytes).map((line) => JSON.parse(line.toString('utf8')) as HostPlan);
  const byHost = new Map(plans.flatMap((plan) => (isPlanShape(plan) ? [[plan.host, plan] as const] : [])));
  if (byHost.size !== mark.hosts || plans.length !== mark.hosts) throw changed(path);
  return byHost;
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end !== -1; end = bytes.indexOf(0x0a, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function changed(path: string): FleetmendError {
  return new FleetmendError({ kind: 'journal', summary: `${path} is not what the run was started with: it was cut, changed or lost`, next: 'copy the whole folder of the run again' });
}
