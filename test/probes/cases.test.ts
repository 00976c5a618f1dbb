/** Runs every case file of the kubelet audit through the probe, and sees to it that no row of the table of edge cases is forgotten. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Finding } from '../../src/core/finding.js';
import type { Questions } from '../../src/core/query.js';
import { kubeletSetting } from '../../src/probes/index.js';
import type { SettingCase } from './case-schema.js';
import { caseFileSchema } from './case-schema.js';
import { askCase } from './ask-case.js';

const FOLDER = new URL('kubelet-setting/', import.meta.url);
const elsewhereSchema = z.strictObject({ rows: z.record(z.string(), z.strictObject({ why: z.string(), tested: z.string() })) });

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const suites = files.map((name) => ({ name, ...caseFileSchema.parse(parse(readFileSync(new URL(name, FOLDER), 'utf8'))) }));
const elsewhere = elsewhereSchema.parse(parse(readFileSync(new URL('rows-elsewhere.yaml', import.meta.url), 'utf8')));

const TABLE: readonly (readonly [first: number, last: number])[] = [[1, 46], [51, 67], [71, 79]];
const FLAG = 'streaming-connection-idle-timeout';
const KEY = 'streamingConnectionIdleTimeout';

for (const { name, cases } of suites) {
  describe(name, () => {
    it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
      const { result: finding, trips } = askCase(audit(one), one.node);
      expect(shownFinding(finding, one)).toEqual(one.expect);
      expect(finding.readings.every((reading) => reading.source !== '')).toBe(true);
      if (one.expect.trips !== undefined) expect(trips).toBe(one.expect.trips);
    });
  });
}

it.each(TABLE)('rows %i to %i of the table of edge cases each have a case, or a named place that tests them', (first, last) => {
  const covered = new Set([...suites.flatMap(({ cases }) => cases.flatMap((one) => one.rows)), ...Object.keys(elsewhere.rows).map(Number)]);
  const rows = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  expect(rows.filter((row) => !covered.has(row))).toEqual([]);
});

it('every case has a name of its own', () => {
  const names = suites.flatMap(({ cases }) => cases.map((one) => one.name));
  expect(new Set(names).size).toBe(names.length);
});

it('the playbook parameters of the audit are checked', () => {
  const valid = { key: KEY, flag: FLAG };
  expect(kubeletSetting.params.safeParse(valid).data).toEqual({ ...valid, unit: 'kubelet.service', judge: 'both' });
  for (const wrong of [{ minimum: '5' }, { minimum: '0s' }, { minimum: '-5m' }, { flag: `--${FLAG}` }, { unit: 'kubelet' }, { judge: 'all' }, { typo: 1 }]) {
    expect(kubeletSetting.params.safeParse({ ...valid, ...wrong }).success).toBe(false);
  }
});

function audit({ node, policy }: SettingCase): Questions<Finding> {
  return kubeletSetting.audit(kubeletSetting.params.parse({ key: KEY, flag: FLAG, ...policy, ...(node.unit === undefined ? {} : { unit: node.unit }) }));
}

/** The finding in the words of the case, so that a difference is shown side by side. */
function shownFinding(finding: Finding, { expect: wanted }: SettingCase): SettingCase['expect'] {
  const reading = (name: string): Finding['readings'][number] | undefined => finding.readings.find((candidate) => candidate.name === name);
  const shown = (name: string, text: string | undefined): string => {
    const found = reading(name);
    if (found === undefined) return '-';
    return text?.endsWith(` ${found.verdict}`) === true ? `${found.value} ${found.verdict}` : found.value;
  };
  const part = (text: string | undefined, actual: string): string => (text !== undefined && actual.includes(text) ? text : actual);
  const parts = (texts: readonly string[], actual: readonly string[]): string[] => {
    const missing = texts.some((text) => !actual.some((line) => line.includes(text)));
    return missing || texts.length === 0 ? [...actual] : [...texts];
  };
  return {
    verdict: finding.verdict,
    ...(wanted.literal === undefined ? {} : { literal: shown('literal', wanted.literal) }),
    ...(wanted.effective === undefined ? {} : { effective: shown('effective', wanted.effective) }),
    ...(wanted.nextStart === undefined ? {} : { nextStart: shown('nextStart', wanted.nextStart) }),
    ...(wanted.source === undefined ? {} : { source: part(wanted.source, reading('effective')?.source ?? '-') }),
    ...(wanted.nextSource === undefined ? {} : { nextSource: part(wanted.nextSource, reading('nextStart')?.source ?? '-') }),
    ...(wanted.summary === undefined ? {} : { summary: part(wanted.summary, finding.summary) }),
    ...(wanted.expected === undefined ? {} : { expected: part(wanted.expected, finding.expected) }),
    ...(wanted.actual === undefined ? {} : { actual: part(wanted.actual, finding.actual) }),
    ...(wanted.drift === undefined && finding.drift.length === 0 ? {} : { drift: wanted.drift?.length === finding.drift.length ? parts(wanted.drift, finding.drift) : [...finding.drift] }),
    ...(wanted.latentCrash === undefined && finding.latentCrash === undefined ? {} : { latentCrash: part(wanted.latentCrash, finding.latentCrash ?? '-') }),
    ...(wanted.notes === undefined ? {} : { notes: parts(wanted.notes, finding.notes) }),
    ...(wanted.trips === undefined ? {} : { trips: wanted.trips }),
  };
}
