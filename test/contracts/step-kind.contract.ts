/** What every step kind promises, whatever it does. Each registered kind runs this suite over the nodes of its own cases. */
import { describe, expect, it } from 'vitest';
import { digestOf, fromBase64 } from '../../src/core/bytes.js';
import type { StepIntent, StepKind } from '../../src/core/catalogue.js';
import { cleanText } from '../../src/core/clean-text.js';
import type { Query } from '../../src/core/query.js';
import type { NodeCase } from '../probes/case-schema.js';
import type { StepPlan } from '../steps/plan-step.js';
import { editsOf, planAgain, planStep, predictedWords } from '../steps/plan-step.js';

export interface StepSample {
  readonly name: string;
  /** As in a playbook, before they are checked. */
  readonly params: Record<string, unknown>;
  readonly node: NodeCase;
  readonly edited?: Readonly<Record<string, string>> | undefined;
}

const WANTS: Readonly<Record<StepKind['phase'], readonly StepIntent['want'][]>> = {
  change: ['edits', 'nothing', 'refusal'],
  activate: ['activation', 'nothing', 'refusal'],
  verify: ['check', 'nothing', 'refusal'],
};
/** Questions about what is there. Whether an edit can be written and whether a service is well is asked once for the whole plan. */
const PLAIN_QUESTIONS: readonly Query['ask'][] = ['unit', 'process', 'processes', 'file', 'directory', 'version'];

export function stepKindContract(name: string, kind: StepKind, samples: readonly StepSample[]): void {
  const plans = samples.map((sample): SamplePlan => {
    const edits = editsOf(sample.node, sample.edited);
    return { sample, ...planStep(kind, sample.params, sample.node, edits) };
  });

  describe(`${name} keeps the promises of a step kind`, () => {
    it('has a title of one plain line', () => {
      for (const { params } of samples) expectPlainLine(kind.title(kind.params.parse(params)));
    });
    it('wants what its phase allows, and says why in plain lines', () => {
      for (const { sample, intent } of plans) {
        expect(WANTS[kind.phase], sample.name).toContain(intent.want);
        for (const line of linesOf(intent)) expectPlainLine(line);
      }
    });
    it('refuses a parameter that it does not know, and parameters that are no mapping', () => {
      for (const { params } of samples) expect(kind.params.safeParse({ ...params, typo: 1 }).success).toBe(false);
      for (const wrong of [null, 'text', []]) expect(kind.params.safeParse(wrong).success).toBe(false);
    });
    it('plans the same twice, and only by looking', () => {
      for (const { sample, intent, asked } of plans) {
        expect(planStep(kind, sample.params, sample.node, editsOf(sample.node, sample.edited)).intent).toEqual(intent);
        for (const query of asked) expect(PLAIN_QUESTIONS, sample.name).toContain(query.ask);
      }
    });
    if (kind.phase === 'change') changeContract(kind, plans);
  });
}

interface SamplePlan extends StepPlan {
  readonly sample: StepSample;
}

function changeContract(kind: StepKind, plans: readonly SamplePlan[]): void {
  const withEdits = plans.flatMap(({ sample, intent, read }) => (intent.want === 'edits' ? [{ sample, read, edits: intent.edits }] : []));
  it('edits only files that it has read, by their real paths, each once', () => {
    expect(withEdits.length).toBeGreaterThan(0);
    for (const { sample, read, edits } of withEdits) {
      expect(edits.length, sample.name).toBeGreaterThan(0);
      for (const edit of edits) expect([...read.keys()], sample.name).toContain(edit.path);
      expect(new Set(edits.map((edit) => edit.path)).size, sample.name).toBe(edits.length);
    }
  });
  it('each edit carries the digest of what was read and of what it writes, and changes something', () => {
    for (const { sample, read, edits } of withEdits) {
      for (const edit of edits) {
        expect(edit.before, sample.name).toBe(digestOf(read.get(edit.path) ?? new Uint8Array()));
        if (edit.do === 'write') expect(edit.after, sample.name).toBe(digestOf(fromBase64(edit.content)));
        if (edit.do === 'write') expect(edit.after, sample.name).not.toBe(edit.before);
      }
    }
  });
  it('has nothing to do on a node that it has mended', () => {
    for (const { sample, edits } of withEdits) {
      expect(planAgain(kind, sample.params, sample.node, edits), sample.name).toMatchObject({ want: 'nothing' });
    }
  });
  it('never adds a word to a command line', () => {
    for (const { sample, edits } of withEdits) {
      const before = [...predictedWords(sample.node)];
      for (const word of predictedWords(sample.node, edits)) {
        const at = before.indexOf(word);
        expect(at, `${sample.name}: ${word}`).toBeGreaterThanOrEqual(0);
        before.splice(0, at + 1);
      }
    }
  });
}

function linesOf(intent: StepIntent): readonly string[] {
  switch (intent.want) {
    case 'nothing':
      return [intent.reason];
    case 'refusal':
      return [intent.failure.summary, ...(intent.failure.next === undefined ? [] : [intent.failure.next])];
    case 'edits':
    case 'activation':
      return intent.notes;
    case 'check':
      return [];
  }
}

function expectPlainLine(text: string): void {
  expect(text).toMatch(/\S/);
  expect(text).not.toMatch(/[\r\n\t]/);
  expect(text).toBe(cleanText(text));
}
