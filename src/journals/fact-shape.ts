/**
 * Does a fact that was read have the shape of its kind? A folder may come from another machine, or be damaged by hand: what
 * the rule of a host and the story of a run look into is checked here. Pure; says only yes or no.
 */
import type { HostFact } from '../core/journal.js';
import { OUTCOMES } from '../core/journal.js';

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

const failure = has({ kind: text, summary: text, detail: optional(text), done: optional(text), next: optional(text) });
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
const plan = has({
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
  cleanAsked: has({ by: text }),
  cleaned: has({}),
  finished: has({ outcome, failure: optional(failure) }),
};

/** `unknown`: of a kind that this fleetmend cannot make sense of, and would leave out of a host's state. */
export function shapeOfFact(type: string, fact: unknown): 'right' | 'wrong' | 'unknown' {
  if (!Object.hasOwn(FACTS, type)) return 'unknown';
  return FACTS[type as HostFact['type']](fact) ? 'right' : 'wrong';
}

export const isPlanShape: Shape = plan;
