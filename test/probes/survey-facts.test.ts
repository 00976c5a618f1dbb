/** What else is read from a survey: who writes a file, and where the kubelet answers health questions. Cases are data. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { generatedBy } from '../../src/kubelet/generated.js';
import { healthzUrl } from '../../src/kubelet/healthz.js';
import type { KubeletSurvey } from '../../src/kubelet/survey.js';
import { surveyKubelet } from '../../src/kubelet/survey.js';
import { askCase } from './ask-case.js';
import type { NodeCase } from './case-schema.js';
import { nodeSchema } from './case-schema.js';

const generatedFile = z.strictObject({
  cases: z.array(z.strictObject({ name: z.string(), path: z.string(), node: nodeSchema.optional(), generated: z.tuple([z.enum(['refuse', 'note']), z.string()]).nullable() })),
});
const healthzFile = z.strictObject({ cases: z.array(z.strictObject({ name: z.string(), node: nodeSchema, url: z.string().nullable() })) });

const load = (name: string): unknown => parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
const survey = (node: NodeCase): KubeletSurvey => askCase(surveyKubelet('kubelet.service'), node).result;

describe('who writes a file', () => {
  it.each(generatedFile.parse(load('generated.yaml')).cases)('$name', ({ path, node, generated }) => {
    const found = generatedBy(path, survey(node ?? {}));
    if (generated === null) {
      expect(found).toBeUndefined();
      return;
    }
    const [severity, generator] = generated;
    expect(found).toMatchObject({ severity, generator: expect.stringContaining(generator), persistentPlace: expect.stringMatching(/\S/) });
  });
});

describe('where the kubelet answers health questions', () => {
  it.each(healthzFile.parse(load('healthz.yaml')).cases)('$name', ({ node, url }) => {
    expect(healthzUrl(survey(node)) ?? null).toBe(url);
  });
});
