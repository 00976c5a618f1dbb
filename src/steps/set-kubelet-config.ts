/**
 * `setKubeletConfig`: sets one duration in the file that the running kubelet reads, and in drop-ins that set it
 * wrongly. Every other byte stays. Leaves a value alone that is right already; never invents a config file.
 */
import { z } from 'zod';
import type { StepIntent } from '../core/catalogue.js';
import { defineStep } from '../core/catalogue.js';
import type { Edit } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { setStringMember } from '../kubelet/config-edit.js';
import { dropInDurationMember, durationMember } from '../kubelet/config-file.js';
import { parseDuration } from '../kubelet/duration.js';
import type { ConfigFile, RunningKubelet } from '../kubelet/survey-types.js';
import { surveyKubelet } from '../kubelet/survey.js';
import { editFile } from './edit-file.js';
import { unitName } from './params.js';

const goDuration = z.string().refine((text) => {
  const parsed = parseDuration(text);
  return parsed.ok && parsed.ns > 0n;
}, 'expected a Go duration above zero such as "4h0m0s"');

const params = z
  .strictObject({
    unit: unitName.default('kubelet.service'),
    key: z.string().regex(/^[a-z][A-Za-z0-9]*$/, 'expected a top-level key of KubeletConfiguration'),
    value: goDuration,
    minimum: goDuration.optional().describe('a value in the file below this is replaced, others above zero stay'),
  })
  .refine(({ value, minimum }) => minimum === undefined || !isShorter(value, minimum), 'expected "value" to be at least "minimum"');

type Params = z.infer<typeof params>;

export const setKubeletConfig = defineStep<Params>({
  phase: 'change',
  params,
  title: ({ key, value }) => `set ${key} to ${value}`,
  *plan(wanted) {
    const survey = yield* surveyKubelet(wanted.unit);
    if (survey.state !== 'running') return refuse('unsupported', survey.reason);
    return planFor(survey, wanted);
  },
});

function planFor(survey: RunningKubelet, wanted: Params): StepIntent {
  const { config, directory } = survey.files;
  if (directory?.state === 'unread') return refuse('denied', `${directory.path} could not be listed: what is in it may override ${wanted.key}`);
  const wrong = [
    ...(config !== undefined && mainIsWrong(config, survey, wanted) ? [config] : []),
    ...(directory?.dropIns ?? []).filter((file) => dropInIsWrong(file, wanted)),
  ];
  if (wrong.length === 0 && config === undefined) return { want: 'nothing', reason: 'this kubelet reads no config file; one is not invented, it would change other defaults' };
  if (wrong.length === 0) return { want: 'nothing', reason: `${wanted.key} is set rightly in every file that sets it` };
  const edits: Edit[] = [];
  const notes: string[] = [];
  for (const file of wrong) {
    const made = editFile(survey, file.path, file.file, (bytes) => setStringMember(bytes, wanted.key, wanted.value));
    if (!made.ok) return { want: 'refusal', failure: made.failure };
    // Two names may lead to one file.
    if (!edits.some((edit) => edit.path === made.edit.path)) edits.push(made.edit);
    notes.push(...made.notes);
  }
  return { want: 'edits', edits, notes };
}

/** Absent in the main file is wrong too, unless a drop-in says it: the remediation wants the value written down. */
function mainIsWrong(config: ConfigFile, survey: RunningKubelet, wanted: Params): boolean {
  if (config.decoded?.ok !== true) return true;
  const member = durationMember(config.decoded.value, wanted.key);
  if (member.state !== 'absent') return !isRight(member, wanted);
  return !(survey.files.directory?.dropIns ?? []).some((file) => setsMember(file, wanted.key));
}

function dropInIsWrong(file: ConfigFile, wanted: Params): boolean {
  if (file.decoded?.ok !== true) return true;
  const member = dropInDurationMember(file.decoded.value, wanted.key);
  return (member.state === 'set' || member.state === 'fatal') && !isRight(member, wanted);
}

/** Wrongly counts as well: then it is set rightly here. A drop-in that takes the key out with null leaves the default, which is right. */
function setsMember(file: ConfigFile, key: string): boolean {
  return file.decoded?.ok === true && ['set', 'fatal'].includes(dropInDurationMember(file.decoded.value, key).state);
}

function isRight(member: ReturnType<typeof durationMember>, { minimum }: Params): boolean {
  if (member.state !== 'set' || member.ns <= 0n) return false;
  const least = minimum === undefined ? undefined : parseDuration(minimum);
  return least?.ok !== true || member.ns >= least.ns;
}

/** Of two durations that are known to parse. */
function isShorter(value: string, minimum: string): boolean {
  const [given, least] = [parseDuration(value), parseDuration(minimum)];
  return given.ok && least.ok && given.ns < least.ns;
}

function refuse(kind: Failure['kind'], summary: string): StepIntent {
  return { want: 'refusal', failure: { kind, summary } };
}
