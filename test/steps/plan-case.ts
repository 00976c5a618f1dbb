/** A case of a whole plan: a node with what only a plan asks about, and the plan in short. A misspelt key is an error. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Answer, Query } from '../../src/core/query.js';
import { answerFromCase } from '../probes/answer-from-case.js';
import { nodeSchema } from '../probes/case-schema.js';

const planNode = nodeSchema.extend({
  /** Who looks; root unless told. `null`: the node does not say. */
  uid: z.number().nullable().optional(),
  /** Why a file cannot be written; `unknown`: it could not be looked at. */
  unwritable: z.record(z.string(), z.enum(['readOnlyMount', 'immutable', 'mountPoint', 'noSpace', 'notRegular', 'notRoot', 'missingDirectory', 'unknown'])).optional(),
  /** Names of a file beyond one. */
  links: z.record(z.string(), z.number()).optional(),
  /** Its answer to a health question; 200 unless told, null: none. */
  healthz: z.number().nullable().optional(),
});

const expectSchema = z.strictObject({
  verdict: z.enum(['pass', 'fail', 'unknown', 'notApplicable']),
  /** `change PATH`, `daemonReload`, `restart`, `status`, `healthy`, `audit`, in order; absent: none. */
  steps: z.array(z.string()).optional(),
  refusal: z.strictObject({ kind: z.string(), summary: z.string(), next: z.string().optional() }).optional(),
  /** The command line that is expected after the restart, without the program. */
  argv: z.array(z.string()).optional(),
  /** Ids of the changes after whose undo systemd has to read unit files again. */
  reloadAfterUndoOf: z.array(z.string()).optional(),
  /** Parts of the notes of steps, all of them when `steps` are there. */
  notes: z.array(z.string()).optional(),
  /** Parts of the diffs. */
  diff: z.array(z.string()).optional(),
  trips: z.number().optional(),
});

const planCase = z.strictObject({
  name: z.string(),
  rows: z.array(z.number()).optional(),
  /** As by `--set`. */
  set: z.record(z.string(), z.string()).optional(),
  /** The shipped playbook by its file name. */
  playbook: z.string().optional(),
  node: planNode,
  expect: expectSchema,
});

export type PlanNode = z.infer<typeof planNode>;
export type PlanCase = z.infer<typeof planCase>;
export type PlanExpectation = z.infer<typeof expectSchema>;

export function planCases(): PlanCase[] {
  const text = readFileSync(new URL('whole-plans.yaml', import.meta.url), 'utf8');
  return z.strictObject({ cases: z.array(planCase) }).parse(parse(text)).cases;
}

export function answerForPlan(node: PlanNode, query: Query, look: number): Answer {
  switch (query.ask) {
    case 'capability':
      if (node.uid === null) return { ok: false, ask: 'capability', reason: 'failed', detail: 'no answer' };
      return { ok: true, ask: 'capability', value: { uid: node.uid ?? 0, hostname: 'node-7', kernel: '6.1', bootId: 'b', systemd: 252, tools: ['systemd-run'] } };
    case 'lock':
      return { ok: true, ask: 'lock', value: { held: false } };
    case 'writable':
      return writableAnswer(node, query.path);
    case 'http':
      if (node.healthz === null) return { ok: false, ask: 'http', reason: 'failed', detail: 'connection refused' };
      return { ok: true, ask: 'http', value: { status: node.healthz ?? 200, body: 'ok' } };
    default:
      return answerFromCase(node, query, look);
  }
}

function writableAnswer(node: PlanNode, path: string): Answer {
  const reason = node.unwritable?.[path];
  if (reason === 'unknown') return { ok: false, ask: 'writable', reason: 'failed', detail: 'stat failed' };
  if (reason !== undefined) return { ok: true, ask: 'writable', value: { writable: false, reason, detail: 'so said the node' } };
  return { ok: true, ask: 'writable', value: { writable: true, links: node.links?.[path] ?? 1, freeBytes: 1_000_000 } };
}
