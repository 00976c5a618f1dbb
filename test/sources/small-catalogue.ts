/** A catalogue of kinds that do nothing: what a playbook file needs to be checked against. */
import { z } from 'zod';
import { type Catalogue, defineProbe, defineStep, type Phase } from '../../src/core/catalogue.js';

function makeStep<P>(phase: Phase, params: z.ZodType<P>) {
  return defineStep({
    phase,
    params,
    title: () => 'nothing',
    *plan() {
      return { want: 'nothing' as const, reason: 'a test' };
    },
  }) as Catalogue['steps'][string];
}

const text = z.string();
const absolutePath = z.string({ error: 'an absolute path' }).startsWith('/', { error: 'expected an absolute path.' });

const look = defineProbe({
  params: z.strictObject({ at: text, least: text.optional(), a: text.optional(), b: text.optional() }),
  *audit() {
    return { verdict: 'pass' as const, summary: '', expected: '', actual: '', readings: [], drift: [], notes: [] };
  },
}) as Catalogue['probes'][string];

export const SMALL_CATALOGUE: Catalogue = {
  steps: {
    check: makeStep('verify', z.strictObject({ verbose: z.boolean().optional() })),
    edit: makeStep('change', z.strictObject({ path: absolutePath, value: text, more: z.array(z.unknown()).optional() })),
    reload: makeStep('activate', z.strictObject({})),
    restart: makeStep('activate', z.strictObject({ unit: text, times: z.int().min(1).max(3).default(1) })),
  },
  probes: { look },
  findSecrets: () => [],
};
