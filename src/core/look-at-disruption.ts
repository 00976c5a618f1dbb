/**
 * Finds out what a plan interrupts. A restart takes other units along: those that are part of the unit, and those that
 * require it or are bound to it, as far as they are active. Yields questions only.
 */
import type { Disruption } from './disruption.js';
import type { PlannedStep } from './plan.js';
import type { AnswerMemory } from './questions.js';
import { remember } from './questions.js';
import type { Questions } from './query.js';
import { ask } from './query.js';

/** Properties by which a restart goes on to other units. */
const TAKEN_ALONG = ['ConsistsOf', 'RequiredBy', 'RequisiteOf', 'BoundBy'];
/** A node that names more is restarted as a whole; the class is the same. */
const MAX_LOOKED_AT = 100;

export function* lookAtDisruption(steps: readonly PlannedStep[], memory: AnswerMemory): Questions<Disruption> {
  const units = restarted(steps);
  if (units.length === 0) return { class: steps.some((step) => step.phase === 'activate') ? 'reload' : 'none', units: [], along: [] };
  const along = yield* remember(followRestart(units), memory);
  return { class: units.length + along.length > 1 ? 'restartOfMore' : 'restart', units, along };
}

function restarted(steps: readonly PlannedStep[]): string[] {
  const units = steps.flatMap((step) => (step.phase === 'activate' && step.activation.do === 'restart' ? [step.activation.unit] : []));
  return [...new Set(units)];
}

/** As systemd does: from unit to unit, but not on from one that does not run. */
function* followRestart(units: readonly string[]): Questions<string[]> {
  const seen = new Set(units);
  const along: string[] = [];
  let front = [...units];
  while (front.length > 0) {
    const answers = yield* ask(...front.map((unit) => ({ ask: 'unit', unit }) as const));
    const next: string[] = [];
    for (const [index, answer] of answers.entries()) {
      const unit = front[index] ?? '';
      const goes = !answer.ok || isActive(answer.value.properties['ActiveState'] ?? '');
      if (goes && !units.includes(unit)) along.push(unit);
      if (answer.ok && (goes || units.includes(unit))) next.push(...TAKEN_ALONG.flatMap((name) => namesIn(answer.value.properties[name])));
    }
    front = [...new Set(next)].filter((unit) => !seen.has(unit)).slice(0, Math.max(0, MAX_LOOKED_AT - seen.size));
    for (const unit of front) seen.add(unit);
  }
  return along.sort();
}

function isActive(state: string): boolean {
  return state !== 'inactive' && state !== 'failed' && state !== '';
}

function namesIn(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter((name) => /^[\w:.@\\-]+$/.test(name));
}
