/**
 * `healthy`: the kubelet is watched until it was well for a whole stretch without a break (kubelet.md 3.3), and what
 * was well before is kept as the measure for an undo. One good look proves nothing.
 */
import { z } from 'zod';
import { splitCommandLine } from '../core/bytes.js';
import type { Check } from '../core/check.js';
import { defineStep } from '../core/catalogue.js';
import { ask } from '../core/query.js';
import { healthzUrl } from '../kubelet/healthz.js';
import { surveyKubelet } from '../kubelet/survey.js';
import { matchesWord } from '../systemd/matches-word.js';
import { durationMs, unitName } from './params.js';

export const healthy = defineStep({
  phase: 'verify',
  params: z
    .strictObject({
      unit: unitName.default('kubelet.service'),
      for: durationMs.default(30_000).describe('how long it must be well without a break'),
      within: durationMs.default(120_000).describe('how long that may take in all'),
    })
    .refine((params) => params.within > params.for, 'expected "within" to be longer than "for"'),
  title: ({ unit, for: forMs }) => `${unit} is well for ${forMs / 1000} s`,
  *plan({ unit, for: forMs, within: withinMs }) {
    const survey = yield* surveyKubelet(unit);
    if (survey.state !== 'running') return { want: 'refusal', failure: { kind: 'unhealthy', summary: survey.reason } };
    if (!survey.next.predicted || survey.next.command === undefined) {
      const why = survey.next.predicted ? (survey.next.prediction.wouldNotStart ?? 'no command') : survey.next.reason;
      return { want: 'refusal', failure: { kind: 'unknownSource', summary: `what ${unit} would start cannot be told: ${why}` } };
    }
    // For nobody here: a plan rests on the version that it was made for, and is refused where another one runs.
    if (!survey.process.exeDeleted) yield* ask({ ask: 'version', exe: survey.process.exe });
    const url = healthzUrl(survey);
    const check = (argv: readonly string[]): Extract<Check, { check: 'healthy' }> => ({
      check: 'healthy', unit, argv, forMs, withinMs, ...(url === undefined ? {} : { healthzUrl: url }),
    });
    const running = splitCommandLine(survey.process.cmdline);
    return {
      want: 'check',
      check: check(resolved(survey.next.prediction.words.map((word) => word.value), running)),
      baseline: { invocationId: survey.answer.properties['InvocationID'] ?? '', health: check(running) },
    };
  },
});

/** More words than any edit takes off a command line. */
const LOOK_AHEAD = 200;

/**
 * A specifier that only the machine can resolve, such as %H, stays in the prediction: such a word is expected as the
 * running kubelet has it. Both command lines have their common words in the same order, so the look goes not far ahead:
 * a hostile node's command line of 100,000 words would otherwise cost their square.
 */
function resolved(predicted: readonly string[], running: readonly string[]): string[] {
  let from = 0;
  return predicted.map((word) => {
    const ahead = running.slice(from, from + LOOK_AHEAD).findIndex((other) => matchesWord(other, word));
    if (ahead < 0) return word;
    from += ahead + 1;
    return running[from - 1] ?? word;
  });
}
