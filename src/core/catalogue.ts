/** What a step kind and an audit method are: plain objects of pure functions. The export name is the name in YAML. */
import type { z } from 'zod';
import type { Check } from './check.js';
import type { Activation, Edit } from './effect.js';
import type { Failure } from './failure.js';
import type { Finding } from './finding.js';
import type { Baseline, PlannedStep } from './plan.js';
import type { Questions } from './query.js';
import type { SecretFinder } from './redact.js';

export type Phase = 'change' | 'activate' | 'verify';

/** What a step wants, given what it saw. */
export type StepIntent =
  | { readonly want: 'edits'; readonly edits: readonly Edit[]; readonly notes: readonly string[] }
  | { readonly want: 'activation'; readonly activation: Activation; readonly before?: Check; readonly afterUndoOf: readonly string[]; readonly notes: readonly string[] }
  /** `baseline`: what holds now and must hold again after an undo. */
  | { readonly want: 'check'; readonly check: Check; readonly baseline?: Baseline }
  | { readonly want: 'nothing'; readonly reason: string }
  | { readonly want: 'refusal'; readonly failure: Failure };

export interface StepContext {
  /** The steps planned so far, in order. File answers already show their edits. */
  readonly earlier: readonly PlannedStep[];
}

export interface StepKind<P = unknown> {
  readonly phase: Phase;
  readonly params: z.ZodType<P>;
  title(params: P): string;
  plan(params: P, context: StepContext): Questions<StepIntent>;
}

/** An audit method. */
export interface Probe<P = unknown> {
  readonly params: z.ZodType<P>;
  audit(params: P): Questions<Finding>;
  /** Files that it may have to read as root on usual nodes: for rules that must name them in advance. */
  usualFiles?(params: P): readonly string[];
}

/** Identity functions: they exist so that TypeScript infers the parameter type from the schema. */
export function defineStep<P>(kind: StepKind<P>): StepKind<P> {
  return kind;
}

export function defineProbe<P>(probe: Probe<P>): Probe<P> {
  return probe;
}

/** The registries as values: YAML name to kind. And how secrets are found in files that the kinds edit. */
export interface Catalogue {
  readonly steps: Readonly<Record<string, StepKind>>;
  readonly probes: Readonly<Record<string, Probe>>;
  readonly findSecrets: SecretFinder;
}
