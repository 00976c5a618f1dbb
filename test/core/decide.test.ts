/** The rule of a host, one guarantee at a time. */
import { describe, expect, it } from 'vitest';
import { decide, dueActivations } from '../../src/core/decide.js';
import type { Failure } from '../../src/core/failure.js';
import { fold } from '../../src/core/fold.js';
import type { HostFact } from '../../src/core/journal.js';
import { SAMPLE_STEPS, samplePlan } from './sample-plan.js';

const failure = { kind: 'exit', summary: 'it failed' } as const;
const plan = samplePlan();
const began = (step: string): HostFact => ({ type: 'began', step });
const done = (step: string): HostFact => ({ type: 'done', step });
const undone = (step: string): HostFact => ({ type: 'undone', step, happened: 'now' });
const next = (...facts: HostFact[]): ReturnType<typeof decide> => decide(plan, fold(facts));

describe('forward', () => {
  it('a compliant host gets an empty plan and no act', () => {
    expect(decide(samplePlan([]), fold([]))).toEqual({ do: 'finish', outcome: 'compliant' });
  });
  it('a refused host is finished before anything is touched', () => {
    expect(decide({ ...samplePlan([]), refusal: failure }, fold([]))).toEqual({ do: 'finish', outcome: 'refused', failure });
  });
  it('steps run in the order of the plan', () => {
    const facts: HostFact[] = [];
    for (const step of SAMPLE_STEPS) {
      expect(next(...facts)).toEqual({ do: 'step', step });
      facts.push(began(step.id), done(step.id));
    }
    expect(next(...facts)).toEqual({ do: 'finish', outcome: 'changed' });
  });
  it('a step that began and has no end is performed again', () => {
    expect(next(began('config'))).toMatchObject({ do: 'step', step: { id: 'config' } });
  });
  it('a finished host is left alone', () => {
    expect(next({ type: 'finished', outcome: 'changed' })).toEqual({ do: 'nothing' });
  });
});

describe('back', () => {
  const allChanged = [began('config'), done('config'), began('dropIn'), done('dropIn')];
  const restarted = [...allChanged, began('reload'), done('reload'), began('restart'), done('restart')];
  const sick: HostFact = { type: 'failed', step: 'status', effect: 'none', failure };

  it('a host that was never touched is never restarted', () => {
    expect(next(began('config'), { type: 'failed', step: 'config', effect: 'none', failure })).toMatchObject({ do: 'finish', outcome: 'refused' });
  });
  it('a failure whose effect is unknown is undone', () => {
    expect(next(began('config'), { type: 'failed', step: 'config', effect: 'unknown', failure })).toMatchObject({ do: 'undo', step: { id: 'config' } });
  });
  it('a second attempt that failed cleanly does not hide what the first may have done', () => {
    expect(next(began('config'), began('config'), { type: 'failed', step: 'config', effect: 'none', failure })).toMatchObject({ do: 'undo' });
  });
  it('changes are undone in reverse, then activations repeated forwards', () => {
    const facts = [...restarted, sick];
    const order: string[] = [];
    for (;;) {
      const what = next(...facts);
      if (what.do === 'undo') facts.push(undone(what.step.id));
      else if (what.do === 'reactivate') facts.push({ type: 'reactivated', step: what.step.id });
      else { expect(what).toEqual({ do: 'prove' }); break; }
      order.push(`${what.do} ${what.step.id}`);
    }
    expect(order).toEqual(['undo dropIn', 'undo config', 'reactivate reload', 'reactivate restart']);
  });
  it('one undo that failed does not stop the others', () => {
    expect(next(...restarted, sick, { type: 'undoFailed', step: 'dropIn', failure })).toMatchObject({ do: 'undo', step: { id: 'config' } });
  });
  it('a service that was not restarted by us is not restarted by the undo', () => {
    const facts = [...allChanged, began('reload'), { type: 'failed', step: 'reload', effect: 'unknown', failure } as const];
    expect(dueActivations(plan, fold(facts)).map((step) => step.id)).toEqual(['reload']);
  });
  it('a restored unit file is reloaded even when the reload was never reached', () => {
    const facts = [began('config'), done('config'), began('dropIn'), { type: 'failed', step: 'dropIn', effect: 'unknown', failure } as const];
    expect(dueActivations(plan, fold(facts)).map((step) => step.id)).toEqual(['reload']);
  });
  it('restored needs a proof and no failure on the way back', () => {
    const back: HostFact[] = [...restarted, sick, undone('dropIn'), undone('config'), { type: 'reactivated', step: 'reload' }, { type: 'reactivated', step: 'restart' }];
    expect(next(...back, { type: 'proved', ok: true, detail: '' })).toMatchObject({ do: 'finish', outcome: 'restored', failure });
    expect(next(...back, { type: 'proved', ok: false, failure })).toMatchObject({ do: 'finish', outcome: 'stuck' });
  });
  it('a reason that keeps every step of the way back from the node is told once', () => {
    const away = { kind: 'jumpHost', summary: 'jump host gate: gone' } as const;
    const other = { kind: 'timeout', summary: 'slow', target: '10.0.0.7:22' } as const;
    const told = (cause: Failure, ...wrong: Failure[]): (string | undefined)[] => {
      const end = next(...allChanged, { type: 'failed', step: 'restart', effect: 'unknown', failure: cause }, { type: 'undoFailed', step: 'dropIn', failure: away }, { type: 'undoFailed', step: 'config', failure: away },
        { type: 'reactivateFailed', step: 'reload', failure: away }, { type: 'reactivateFailed', step: 'restart', failure: away }, ...wrong.map((one) => ({ type: 'proved', ok: false, failure: one }) as const));
      return end.do === 'finish' ? [end.failure?.summary, end.failure?.target] : [];
    };
    expect(told(away, away)).toEqual(['jump host gate: gone; then the way back failed: the same again', undefined]);
    expect(told(away, other)).toEqual(['jump host gate: gone; then the way back failed: the same again; slow', '10.0.0.7:22']);
    expect(told(other, away)).toEqual(['slow; then the way back failed: jump host gate: gone', '10.0.0.7:22']);
  });
  it('the first cause is told, not its consequences', () => {
    const later = { kind: 'timeout', summary: 'later' } as const;
    const state = fold([...allChanged, { type: 'failed', step: 'reload', effect: 'unknown', failure }, { type: 'undoFailed', step: 'dropIn', failure: later }]);
    expect(state.cause).toEqual({ step: 'reload', failure });
    expect(state.backFailures).toEqual([later]);
  });
});
