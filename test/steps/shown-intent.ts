/** An intent in the words of its case, so that a difference is shown side by side. */
import { digestOf } from '../../src/core/bytes.js';
import type { StepIntent } from '../../src/core/catalogue.js';
import type { Check } from '../../src/core/check.js';
import type { StepExpectation } from './step-case.js';
import { textOf } from './plan-step.js';

export function shownIntent(intent: StepIntent, wanted: StepExpectation): unknown {
  switch (intent.want) {
    case 'edits':
      return {
        edits: Object.fromEntries(intent.edits.map((edit) => [edit.path, textOf(edit)])),
        ...notesOf(intent.notes, wanted),
      };
    case 'nothing':
      return { nothing: part('nothing' in wanted ? wanted.nothing : undefined, intent.reason) };
    case 'refusal': {
      const { kind, summary, next } = intent.failure;
      const expected = 'refusal' in wanted ? wanted.refusal : undefined;
      return { refusal: { kind, summary: part(expected?.summary, summary), ...(expected?.next === undefined ? {} : { next: part(expected.next, next ?? '-') }) } };
    }
    case 'activation': {
      const argv = intent.before?.check === 'commandLinePredicted' ? { argv: intent.before.argv } : {};
      return { activation: intent.activation, ...argv, ...sourcesOf(intent.before, wanted), afterUndoOf: intent.afterUndoOf.map((id) => id.replace('edit of ', '')), ...notesOf(intent.notes, wanted) };
    }
    case 'check':
      return { check: intent.check, ...(intent.baseline === undefined ? {} : { baseline: intent.baseline }) };
  }
}

/** The expected text where the digest is that text's. */
function sourcesOf(check: Check | undefined, wanted: StepExpectation): { readonly sources?: unknown } {
  const texts = 'sources' in wanted ? wanted.sources : undefined;
  if (texts === undefined || check?.check !== 'commandLinePredicted') return {};
  const shown = check.sources.map(({ path, digest }): [string, string | null] => {
    const text = texts[path];
    if (digest === 'absent') return [path, null];
    return [path, typeof text === 'string' && digestOf(Buffer.from(text)) === digest ? text : digest];
  });
  return { sources: Object.fromEntries(shown) };
}

/** The expected part when it is there, else the whole text. */
export function part(wanted: string | undefined, actual: string): string {
  return wanted !== undefined && actual.includes(wanted) ? wanted : actual;
}

/** All notes unless there are as many as expected and each expected part is in one. */
export function parts(wanted: readonly string[], actual: readonly string[]): readonly string[] {
  const fits = wanted.length === actual.length && wanted.every((text) => actual.some((line) => line.includes(text)));
  return fits ? wanted : actual;
}

function notesOf(notes: readonly string[], wanted: StepExpectation): { readonly notes?: readonly string[] } {
  const expected = 'notes' in wanted ? wanted.notes : undefined;
  return notes.length === 0 && expected === undefined ? {} : { notes: parts(expected ?? [], notes) };
}
