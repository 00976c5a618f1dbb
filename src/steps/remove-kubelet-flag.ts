/**
 * `removeKubeletFlag`: takes every occurrence of a flag out of the files that put it on the kubelet's command
 * line, and nothing else out of them. Never edits a vendor's or a generator's file, never guesses a source.
 */
import { z } from 'zod';
import { fromByteText } from '../core/bytes.js';
import type { StepIntent } from '../core/catalogue.js';
import { defineStep } from '../core/catalogue.js';
import type { Edit } from '../core/effect.js';
import type { FailureKind } from '../core/failure.js';
import { flagSources } from '../kubelet/source.js';
import type { RunningKubelet } from '../kubelet/survey-types.js';
import { surveyKubelet } from '../kubelet/survey.js';
import { removeWords } from '../systemd/index.js';
import { editFile } from './edit-file.js';
import { unitName } from './params.js';

const params = z.strictObject({
  unit: unitName.default('kubelet.service'),
  flag: z
    .string()
    .regex(/^(--)?[a-z][a-z0-9_-]*$/, 'expected the long name of a flag')
    .transform((text) => text.replace(/^--/, '').replaceAll('_', '-')),
});

type Params = z.infer<typeof params>;

export const removeKubeletFlag = defineStep<Params>({
  phase: 'change',
  params,
  title: ({ flag }) => `take --${flag} off the command line`,
  *plan({ unit, flag }) {
    const survey = yield* surveyKubelet(unit);
    if (survey.state !== 'running') return refuse('unsupported', survey.reason);
    return planFor(survey, flag);
  },
});

function planFor(survey: RunningKubelet, flag: string): StepIntent {
  const found = flagSources(survey, flag);
  if (found.unknownSource !== undefined) return refuse('unknownSource', found.unknownSource, 'find what starts the kubelet with this flag and take it out there');
  if (found.goesAtRestart) return { want: 'nothing', reason: `--${flag} is on the running command line alone; the files no longer set it` };
  if (found.occurrences.length === 0) return { want: 'nothing', reason: `--${flag} is not on the command line` };
  if (!survey.next.predicted) return refuse('unknownSource', survey.next.reason);
  const removed = removeWords(survey.next.sources, found.occurrences.flatMap((occurrence) => occurrence.indexes));
  if (!removed.ok) return refuse('unsupported', `${removed.path}: ${removed.reason}`, 'take the flag out by hand');
  const edits: Edit[] = [];
  const notes: string[] = [...found.mentions];
  for (const change of removed.changes) {
    const made = editFile(survey, change.path, survey.unitFiles.get(change.path), () => ({ ok: true, bytes: fromByteText(change.after) }));
    if (!made.ok) return { want: 'refusal', failure: made.failure };
    edits.push(made.edit);
    notes.push(...made.notes);
  }
  return { want: 'edits', edits, notes };
}

function refuse(kind: FailureKind, summary: string, next?: string): StepIntent {
  return { want: 'refusal', failure: { kind, summary, ...(next === undefined ? {} : { next }) } };
}
