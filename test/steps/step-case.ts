/** What a case file of a step kind may say: a small node, parameters, and the intent that is expected. A misspelt key is an error. */
import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { nodeSchema } from '../probes/case-schema.js';

const texts = z.record(z.string(), z.string());
const params = z.record(z.string(), z.unknown());

/** Exactly one of the five wants. `reason`, `summary`, `next` and `notes` are looked for as parts; all else is exact. */
const expectSchema = z.union([
  /** The whole text of each file that is edited, by real path, in order. No `notes`: there are none. */
  z.strictObject({ edits: texts, notes: z.array(z.string()).optional() }),
  z.strictObject({ nothing: z.string() }),
  z.strictObject({ refusal: z.strictObject({ kind: z.string(), summary: z.string(), next: z.string().optional() }) }),
  z.strictObject({
    activation: z.record(z.string(), z.union([z.string(), z.number()])),
    /** The command line that must be predicted right before. */
    argv: z.array(z.string()).optional(),
    /** What each file behind it must hold by then, all of them; null: is not there. */
    sources: z.record(z.string(), z.string().nullable()).optional(),
    /** Paths of the edits after whose undo it is due. */
    afterUndoOf: z.array(z.string()),
  }),
  z.strictObject({ check: z.record(z.string(), z.unknown()), baseline: z.record(z.string(), z.unknown()).optional() }),
]);

const stepCase = z.strictObject({
  name: z.string(),
  /** Of the table of edge cases. */
  rows: z.array(z.number()).optional(),
  params: params.optional(),
  node: nodeSchema,
  /** Files that earlier steps of the plan edit, and what they will hold. */
  edited: texts.optional(),
  expect: expectSchema,
});

/** `params` hold for every case of the file; a case may change one of them. */
const stepFile = z.strictObject({ params: params.optional(), cases: z.array(stepCase) });

export type StepExpectation = z.infer<typeof expectSchema>;
export type StepCase = z.infer<typeof stepCase> & { readonly params: Record<string, unknown> };

const FOLDER = new URL('./', import.meta.url);

/** The step kinds that have cases: a folder each. */
export function kindsWithCases(): string[] {
  return readdirSync(FOLDER, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

export function casesOf(kind: string): StepCase[] {
  const folder = new URL(`${kind}/`, FOLDER);
  return readdirSync(folder).flatMap((name) => {
    const file = stepFile.parse(parse(readFileSync(new URL(name, folder), 'utf8')));
    return file.cases.map((one) => ({ ...one, params: { ...file.params, ...one.params } }));
  });
}
