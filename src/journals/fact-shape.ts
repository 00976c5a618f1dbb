/**
 * Does a fact that was read have the shape of its kind? A folder may come from another machine, or be damaged by hand: what
 * the rule of a host and the story of a run look into is checked here. Pure; says only yes or no.
 */
import { DISRUPTION_CLASSES } from '../core/disruption.js';
import type { HostFact } from '../core/journal.js';
import { OUTCOMES } from '../core/journal.js';
import type { ControlAct, RunFact } from '../core/rollout.js';
import { HOOK_NAMES, WHOLE_RUN } from '../core/rollout.js';

type Shape = (value: unknown) => boolean;

const text: Shape = (value) => typeof value === 'string';
const flag: Shape = (value) => typeof value === 'boolean';
const count: Shape = (value) => typeof value === 'number' && Number.isFinite(value);
const outcome: Shape = (value) => OUTCOMES.some((one) => one === value);
const listOf = (item: Shape): Shape => (value) => Array.isArray(value) && value.every(item);
const optional = (shape: Shape): Shape => (value) => value === undefined || shape(value);
const oneOf = (...words: readonly string[]): Shape => (value) => words.some((word) => word === value);

function has(members: Readonly<Record<string, Shape>>): Shape {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.entries(members).every(([name, shape]) => shape(Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined));
  };
}

const failure = has({ kind: text, summary: text, detail: optional(text), done: optional(text), next: optional(text), target: optional(text) });
const verdict = oneOf('pass', 'fail', 'unknown', 'notApplicable');
const finding = has({
  verdict, summary: text, expected: text, actual: text, drift: listOf(text), notes: listOf(text),
  readings: listOf(has({ name: text, value: text, verdict, source: text })), latentCrash: optional(text),
});
const edit = has({ do: oneOf('write', 'remove'), path: text, before: text });
const check = has({ check: text });
const STEPS: Readonly<Record<string, Shape>> = {
  change: has({ edit, diff: text }),
  activate: has({ activation: has({ do: oneOf('daemonReload', 'restart'), timeoutMs: count }), afterUndoOf: listOf(text), before: optional(check) }),
  verify: has({ check }),
};
const step: Shape = (value) => has({ id: text, title: text, phase: oneOf(...Object.keys(STEPS)) })(value) && STEPS[(value as { phase: string }).phase]?.(value) === true;
const textsByName: Shape = (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(text);
const wordsByName: Shape = (value) => typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(listOf(text));
const observed = has({
  hostKey: optional(text), files: textsByName, directories: textsByName, units: textsByName, commandLines: wordsByName, versions: textsByName,
});
const disruption = has({ class: oneOf(...DISRUPTION_CLASSES), units: listOf(text), along: listOf(text) });
const plan = has({
  observed: optional(observed), disruption: optional(disruption),
  host: text, finding, steps: listOf(step), notes: listOf(text), refusal: optional(failure), guard: optional(has({ deadlineMs: count })),
  baseline: optional(has({ invocationId: text, health: has({ unit: text, argv: listOf(text), forMs: count, withinMs: count }) })),
});

const ofStep = { step: text };
const failed = { ...ofStep, failure };
const FACTS: Readonly<Record<HostFact['type'], Shape>> = {
  planned: has({ plan }),
  began: has(ofStep),
  done: has({ ...ofStep, detail: optional(text) }),
  failed: has({ ...failed, effect: oneOf('none', 'unknown') }),
  undone: has({ ...ofStep, happened: oneOf('now', 'already') }),
  undoFailed: has(failed),
  reactivated: has(ofStep),
  reactivateFailed: has(failed),
  proved: (value) => has({ ok: flag })(value) && ((value as { ok: boolean }).ok ? has({ detail: text }) : has({ failure }))(value),
  otherLife: has({ unit: text }),
  armed: has({ deadlineMs: count }),
  armFailed: has({ effect: oneOf('none', 'unknown'), failure }),
  guardFired: has({ ok: flag, detail: text }),
  disarmed: has({}),
  disarmFailed: has({ failure }),
  resumed: has({ by: text }),
  undoAsked: has({ by: text, foreign: oneOf('refuse', 'save') }),
  doubted: has({ failure }),
  notWell: has({ failure }),
  cleanAsked: has({ by: text }),
  cleaned: has({}),
  finished: has({ outcome, failure: optional(failure) }),
};

const wave: Shape = (value) => Number.isSafeInteger(value) && Number(value) >= 1;
const ACTS: Readonly<Record<ControlAct['do'], Shape>> = {
  pause: has({}),
  continue: has({}),
  within: has({ count: wave }),
  skip: has({ host: text }),
  stop: has({}),
  undo: has({ scope: oneOf('wave', 'run') }),
};
export const isActShape: Shape = (value) => has({ do: oneOf(...Object.keys(ACTS)) })(value) && ACTS[(value as ControlAct).do](value);

const RUN_FACTS: Readonly<Record<RunFact['type'], Shape>> = {
  rolloutBegan: has({ by: text }),
  waveBegan: has({ wave, of: wave, hosts: count }),
  soaking: has({ wave, ms: count }),
  gateFailed: has({ wave, failure, hosts: listOf(text) }),
  wavePassed: has({ wave, through: optional(count), hosts: optional(count) }),
  waiting: has({ for: oneOf('window', 'person'), until: text }),
  controlled: has({ by: text, act: isActShape }),
  stopped: has({
    reason: oneOf('budget', 'canary', 'gate', 'hook', 'person', 'interrupt', 'patience', 'journal'), summary: text, then: oneOf('halt', 'undoWave', 'undoRun'),
  }),
  hookFailed: has({ hook: oneOf(...HOOK_NAMES), onHost: optional(text), failure }),
  hooksBegan: has({ onHost: text }),
  hooksEnded: has({ onHost: text }),
  rolloutEnded: has({}),
};

/** `unknown`: of a kind that this fleetmend cannot make sense of, and would leave out of a host's state. */
export function shapeOfFact(host: string, type: string, fact: unknown): 'right' | 'wrong' | 'unknown' {
  const facts: Readonly<Record<string, Shape>> = host === WHOLE_RUN ? RUN_FACTS : FACTS;
  const shape = Object.hasOwn(facts, type) ? facts[type] : undefined;
  if (shape === undefined) return 'unknown';
  return shape(fact) ? 'right' : 'wrong';
}

export const isPlanShape: Shape = plan;
export const isFailureShape: Shape = failure;
