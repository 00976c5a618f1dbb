/** The library surface: the values that journals, plans and `--output json` are made of, and the pure rules over them. */
export type { Check } from './core/check.js';
export type { Activation, Edit } from './core/effect.js';
export type { Failure, FailureKind } from './core/failure.js';
export type { Evidence, Finding, Reading, Verdict } from './core/finding.js';
export type { HostState } from './core/fold.js';
export type { Host } from './core/host.js';
export type { HostFact, JournalEntry, Outcome, RunEvent } from './core/journal.js';
export type { Baseline, HostPlan, PlannedStep } from './core/plan.js';
export type { Answer, Query } from './core/query.js';
export type { HostResult, SurveyResult } from './core/report.js';
export { decide } from './core/decide.js';
export { fold } from './core/fold.js';
export { applyExitCode, surveyExitCode } from './core/report.js';
