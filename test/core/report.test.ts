/** Exit codes, folding of names, grouping of plans. */
import { describe, expect, it } from 'vitest';
import { foldNames } from '../../src/core/fold-names.js';
import { groupPlans, interruptions, samePlan } from '../../src/core/group-plans.js';
import type { Outcome } from '../../src/core/journal.js';
import { OUTCOMES } from '../../src/core/journal.js';
import { applyExitCode, surveyExitCode, undoExitCode } from '../../src/core/report.js';
import { SAMPLE_STEPS, changeStep, samplePlan } from './sample-plan.js';

const failure = { kind: 'exit', summary: 'why' } as const;

describe('the exit code of apply', () => {
  const code = (outcomes: readonly Outcome[], interrupted = false): number => applyExitCode(outcomes.map((outcome, index) => ({ host: `h${index}`, outcome, ...(outcome === 'compliant' || outcome === 'changed' ? {} : { failure }) })), interrupted);
  it('is 0 only when every host is compliant or changed', () => {
    expect(code(['compliant', 'changed'])).toBe(0);
    for (const outcome of OUTCOMES) expect(code(['changed', outcome]) === 0).toBe(outcome === 'compliant' || outcome === 'changed');
  });
  it('a rollback never exits 0', () => { expect(code(['changed', 'restored'])).toBe(2); });
  it('a host that a person took back is no failure of a resume', () => {
    expect(applyExitCode([{ host: 'h1', outcome: 'changed' }, { host: 'h2', outcome: 'restored', undone: true }], false)).toBe(0);
    expect(applyExitCode([{ host: 'h2', outcome: 'restored' }], false)).toBe(2);
  });
  it('an unreachable host never exits 0', () => { expect(code(['compliant', 'unreachable'])).toBe(2); });
  it('a stuck host is louder than anything', () => {
    expect(code(['stuck', 'restored', 'changed'])).toBe(3);
    expect(code(['stuck'], true)).toBe(3);
  });
  it('an interrupted run says so', () => { expect(code(['changed', 'skipped'], true)).toBe(130); });
});

describe('the exit code of undo', () => {
  it('is 0 only when everything that was asked back is back', () => {
    expect(undoExitCode([{ host: 'h1', outcome: 'restored' }, { host: 'h2', outcome: 'compliant' }], false)).toBe(0);
    for (const outcome of ['refused', 'unreachable', 'skipped'] as const) expect(undoExitCode([{ host: 'h1', outcome, failure }], false), outcome).toBe(2);
  });
  it('a stuck host is louder than an interrupt', () => {
    expect(undoExitCode([{ host: 'h1', outcome: 'stuck', failure }], true)).toBe(3);
    expect(undoExitCode([{ host: 'h1', outcome: 'restored' }], true)).toBe(130);
  });
});

describe('the exit code of audit and plan', () => {
  const finding = (verdict: 'pass' | 'fail' | 'unknown' | 'notApplicable') => ({ host: verdict, finding: { ...samplePlan().finding, verdict } });
  const failure = { host: 'gone', failure: { kind: 'connectTimeout', summary: 'no answer' } } as const;
  it('is 0 only when every host passes', () => { expect(surveyExitCode([finding('pass')], false)).toBe(0); });
  it('is 4 when a host fails the audit', () => { expect(surveyExitCode([finding('pass'), finding('fail'), failure], false)).toBe(4); });
  it('is 2 when a host could not be judged', () => {
    expect(surveyExitCode([finding('pass'), finding('unknown')], false)).toBe(2);
    expect(surveyExitCode([finding('pass'), finding('notApplicable')], false)).toBe(2);
    expect(surveyExitCode([finding('pass'), failure], false)).toBe(2);
  });
});

describe('folded names', () => {
  it.each([
    [['node-001', 'node-002', 'node-003'], 'node-[001-003]'],
    [['node-003', 'node-001', 'node-007'], 'node-[001,003,007]'],
    [['node-1'], 'node-1'],
    [['a', 'b'], 'a, b'],
    [['a', 'a'], 'a'],
    [['n1.pool-a', 'n2.pool-a'], 'n[1-2].pool-a'],
    [['n-01.a', 'n-02.a', 'n-1.a'], 'n-[01-02].a, n-1.a'],
    [['x9', 'x10'], 'x9, x10'],
    [[], ''],
  ])('%j is shown as %s', (names, text) => {

    expect(foldNames(names)).toBe(text);
  });
});

describe('groups of plans', () => {
  const plan = (host: string, diff: string) => ({ ...samplePlan([{ ...changeStep('config', '/etc/c'), diff }, ...SAMPLE_STEPS.slice(2)]), host });
  it('hosts with the same diff are one group, the largest group first', () => {
    const groups = groupPlans([plan('a', 'x'), plan('b', 'y'), plan('c', 'y'), samplePlan([])]);
    expect(groups.map((group) => group.hosts)).toEqual([['b', 'c'], ['a']]);
  });
  it('a plan whose bytes moved is another plan', () => {
    const moved = { ...plan('a', 'x'), steps: [changeStep('other', '/etc/c'), ...SAMPLE_STEPS.slice(2)] };
    expect(samePlan(plan('a', 'x'), plan('a', 'x'))).toBe(true);
    expect(samePlan(plan('a', 'x'), moved)).toBe(false);
  });
  it('says what is interrupted, and nothing when nothing is activated', () => {
    expect(interruptions(SAMPLE_STEPS).join(' ')).toMatch(/restart kubelet\.service: once/);
    expect(interruptions([])).toEqual([]);
  });
});
