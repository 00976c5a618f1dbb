/** Runs every case of every step kind, and sees to it that no kind and no row of the table of edge cases is forgotten. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { StepKind } from '../../src/core/catalogue.js';
import * as steps from '../../src/steps/index.js';
import { stepKindContract } from '../contracts/step-kind.contract.js';
import { editsOf, planStep } from './plan-step.js';
import { planCases } from './plan-case.js';
import { shownIntent } from './shown-intent.js';
import { casesOf, kindsWithCases } from './step-case.js';

const kinds: Readonly<Record<string, StepKind>> = steps;
const suites = Object.entries(kinds).map(([name, kind]) => ({ name, kind, cases: casesOf(name) }));

for (const { name, kind, cases } of suites) {
  describe(name, () => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', (_, { params, node, edited, expect: wanted }) => {
      const { intent } = planStep(kind, params, node, editsOf(node, edited));
      const shown = shownIntent(intent, wanted);
      expect(shown).toEqual(wanted);
      // The order of the files is a promise too: edits are undone in reverse.
      if ('edits' in wanted && intent.want === 'edits') expect(intent.edits.map((edit) => edit.path)).toEqual(Object.keys(wanted.edits));
    });
  });
  stepKindContract(name, kind, cases);
}

it('every registered step kind has cases, and every folder of cases a step kind', () => {
  expect(kindsWithCases().sort()).toEqual(Object.keys(kinds).sort());
});

it('every case has a name of its own', () => {
  for (const { cases } of suites) expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length);
});

/** Rows of the table about which a plan has something to say; the others are of an audit, a write or a session. */
const ROWS = [[1, 24], [25, 29], [31, 42], [44, 46], [48, 48], [51, 67]] as const;

it.each(ROWS)('rows %i to %i of the table of edge cases each have a case of a step or of a whole plan', (first, last) => {
  const covered = new Set([...suites.flatMap(({ cases }) => cases), ...planCases()].flatMap((one) => one.rows ?? []));
  const rows = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  expect(rows.filter((row) => !covered.has(row))).toEqual([]);
});

it('every place that the audit names for a row it does not test is there', () => {
  const file = new URL('../probes/rows-elsewhere.yaml', import.meta.url);
  const { rows } = z.object({ rows: z.record(z.string(), z.object({ tested: z.string() })) }).parse(parse(readFileSync(file, 'utf8')));
  for (const { tested } of Object.values(rows)) {
    expect(tested).toMatch(/\.ts$/);
    expect(existsSync(new URL(`../../${tested}`, import.meta.url)), tested).toBe(true);
  }
});
