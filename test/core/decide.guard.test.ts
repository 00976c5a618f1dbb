/** The rule of a host with a guard, a resume and an undo, one guarantee at a time. */
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/core/decide.js';
import { fold } from '../../src/core/fold.js';
import type { HostFact } from '../../src/core/journal.js';
import { isInTheMiddle, isOpen, judgeUndo } from '../../src/core/run-state.js';
import { SAMPLE_STEPS, samplePlan } from './sample-plan.js';

const failure = { kind: 'exit', summary: 'it failed' } as const;
const plan = { ...samplePlan(), guard: { deadlineMs: 60_000 } };
const planned: HostFact = { type: 'planned', plan };
const armed: HostFact = { type: 'armed', deadlineMs: 60_000 };
const resumed: HostFact = { type: 'resumed', by: 'bob@desk' };
const undoAsked: HostFact = { type: 'undoAsked', by: 'bob@desk', foreign: 'refuse' };
const fired = (ok: boolean): HostFact => ({ type: 'guardFired', ok, detail: 'restored' });
const did = (step: string): HostFact[] => [{ type: 'began', step }, { type: 'done', step }];
const undone = (step: string, happened: 'now' | 'already' = 'now'): HostFact => ({ type: 'undone', step, happened });
const allDone = SAMPLE_STEPS.flatMap((step) => did(step.id));
const changed: HostFact[] = [planned, armed, ...allDone, { type: 'disarmed' }, { type: 'finished', outcome: 'changed' }];
const next = (...facts: HostFact[]): ReturnType<typeof decide> => decide(plan, fold(facts));

describe('the guard', () => {
  it('is armed before the first change', () => {
    expect(next(planned)).toEqual({ do: 'arm', deadlineMs: 60_000 });
    expect(next(planned, armed)).toMatchObject({ do: 'step', step: { id: 'config' } });
  });
  it('is told that all is well only after the last check', () => {
    expect(next(planned, armed, ...allDone.slice(0, -1))).toMatchObject({ do: 'step', step: { id: 'audit' } });
    expect(next(planned, armed, ...allDone)).toEqual({ do: 'disarm' });
    expect(next(planned, armed, ...allDone, { type: 'disarmed' })).toEqual({ do: 'finish', outcome: 'changed' });
  });
  it('a node that could not be given one is not touched', () => {
    expect(next(planned, { type: 'armFailed', effect: 'none', failure })).toMatchObject({ do: 'finish', outcome: 'refused' });
  });
  it('that may be armed although arming failed is ended before the host is left', () => {
    expect(next(planned, { type: 'armFailed', effect: 'unknown', failure })).toEqual({ do: 'disarm' });
  });
  it('a guard that could not be told leaves no claim of success', () => {
    expect(next(planned, armed, ...allDone, { type: 'disarmFailed', failure })).toMatchObject({ do: 'finish', outcome: 'stuck' });
  });
  it('that fired is never told as success, and is proved', () => {
    const facts = [planned, armed, ...did('config'), fired(true)];
    expect(next(...facts)).toMatchObject({ do: 'undo', step: { id: 'config' } });
    expect(next(...facts, undone('config', 'already'))).toEqual({ do: 'prove' });
    expect(next(...facts, undone('config', 'already'), { type: 'proved', ok: true, detail: 'old' })).toMatchObject({
      do: 'finish', outcome: 'restored', failure: { kind: 'guardFired', done: expect.stringContaining('guard') },
    });
  });
  it('that restored in vain is followed by our own way back, restart and all', () => {
    const restarted = ['config', 'dropIn', 'reload', 'restart'].flatMap(did);
    const facts = [planned, armed, ...restarted, fired(false), undone('dropIn'), undone('config')];
    expect(next(...facts)).toMatchObject({ do: 'reactivate', step: { id: 'reload' } });
  });
  it('a file that had to be put back after it makes its restart void', () => {
    const restarted = ['config', 'dropIn', 'reload', 'restart'].flatMap(did);
    expect(next(planned, armed, ...restarted, fired(true), undone('dropIn', 'now'), undone('config', 'already'))).toMatchObject({ do: 'reactivate' });
  });
  it('on the way back it is disarmed only after the proof', () => {
    const facts: HostFact[] = [planned, armed, { type: 'began', step: 'config' }, { type: 'failed', step: 'config', effect: 'unknown', failure }, undone('config')];
    expect(next(...facts)).toEqual({ do: 'prove' });
    expect(next(...facts, { type: 'proved', ok: true, detail: '' })).toEqual({ do: 'disarm' });
  });
  it('stays armed on a host that is stuck: it may yet bring about what we could not', () => {
    const facts: HostFact[] = [planned, armed, { type: 'began', step: 'config' }, { type: 'failed', step: 'config', effect: 'unknown', failure }, { type: 'undoFailed', step: 'config', failure }];
    expect(next(...facts, { type: 'proved', ok: false, failure })).toMatchObject({ do: 'finish', outcome: 'stuck' });
  });
  it('that fired before the first change is told as such, and the old state is proved', () => {
    const facts = [planned, armed, fired(true)];
    expect(next(...facts)).toEqual({ do: 'prove' });
    expect(next(...facts, { type: 'proved', ok: true, detail: '' })).toMatchObject({ do: 'finish', outcome: 'restored', failure: { kind: 'guardFired' } });
  });
  it('that was told to stand down is armed anew before the host goes forwards', () => {
    expect(next(planned, armed, resumed, { type: 'disarmed' }, planned)).toEqual({ do: 'arm', deadlineMs: 60_000 });
  });
  it('is no obstacle to a host that was never touched', () => {
    const facts: HostFact[] = [planned, armed, { type: 'began', step: 'config' }, { type: 'failed', step: 'config', effect: 'none', failure }];
    expect(next(...facts)).toEqual({ do: 'disarm' });
    expect(next(...facts, { type: 'disarmed' })).toMatchObject({ do: 'finish', outcome: 'refused' });
    // It would restart a service that somebody else restarted by then.
    expect(next(...facts, { type: 'disarmFailed', failure })).toMatchObject({ do: 'finish', outcome: 'stuck' });
  });
});

describe('a resume', () => {
  it('arms the guard anew before it goes on', () => {
    expect(next(planned, armed, ...did('config'), resumed)).toEqual({ do: 'arm', deadlineMs: 60_000 });
    expect(next(planned, armed, ...did('config'), resumed, armed)).toMatchObject({ do: 'step', step: { id: 'dropIn' } });
  });
  it('proves anew what was proved before', () => {
    expect(next(planned, armed, ...allDone, resumed, armed)).toMatchObject({ do: 'step', step: { id: 'status' } });
  });
  it('tries the way back of a stuck host again from its start', () => {
    const stuck: HostFact[] = [planned, armed, ...did('config'), { type: 'began', step: 'dropIn' }, { type: 'failed', step: 'dropIn', effect: 'unknown', failure },
      { type: 'undoFailed', step: 'dropIn', failure }, undone('config'), { type: 'proved', ok: false, failure }, { type: 'finished', outcome: 'stuck' }];
    expect(next(...stuck, resumed)).toEqual({ do: 'arm', deadlineMs: 60_000 });
    expect(next(...stuck, resumed, armed)).toMatchObject({ do: 'undo', step: { id: 'dropIn' } });
    expect(fold([...stuck, resumed]).backFailures).toEqual([]);
  });
  it('tries again what failed on the way back, also when the process before came to no end', () => {
    const facts: HostFact[] = [planned, armed, ...did('config'), { type: 'began', step: 'dropIn' }, { type: 'failed', step: 'dropIn', effect: 'unknown', failure }, { type: 'undoFailed', step: 'dropIn', failure }];
    expect(next(...facts, resumed, armed)).toMatchObject({ do: 'undo', step: { id: 'dropIn' } });
  });
  it('leaves no host as refused or compliant that may still have a guard', () => {
    const sick: HostFact = { type: 'planned', plan: { ...plan, steps: [], refusal: failure } };
    expect(decide({ ...plan, steps: [], refusal: failure }, fold([planned, armed, resumed, sick]))).toEqual({ do: 'disarm' });
    expect(decide({ ...plan, steps: [] }, fold([planned, armed, resumed]))).toEqual({ do: 'disarm' });
  });
  it('finds a guard that fired meanwhile and only proves', () => {
    const facts = [planned, armed, ...did('config'), resumed, fired(true), undone('config', 'already')];
    expect(next(...facts)).toEqual({ do: 'prove' });
  });
  it('does not open a host that has a good end', () => {
    for (const outcome of ['compliant', 'changed', 'restored', 'refused'] as const) {
      expect(isOpen(fold([planned, { type: 'finished', outcome }]), plan), outcome).toBe(false);
    }
    for (const outcome of ['stuck', 'skipped', 'unreachable'] as const) {
      expect(isOpen(fold([planned, { type: 'finished', outcome }]), plan), outcome).toBe(true);
    }
  });
  it('never opens a host whose plan was not shown', () => {
    expect(isOpen(fold([{ type: 'finished', outcome: 'unreachable' }]), undefined)).toBe(false);
  });
});

describe('an undo', () => {
  it('arms the guard, undoes in reverse, activates, proves, disarms', () => {
    const order: string[] = [];
    const facts = [...changed, undoAsked];
    for (let what = next(...facts); what.do !== 'finish'; what = next(...facts)) {
      order.push('step' in what ? `${what.do} ${what.step.id}` : what.do);
      if (what.do === 'arm') facts.push(armed);
      else if (what.do === 'undo') facts.push(undone(what.step.id));
      else if (what.do === 'reactivate') facts.push({ type: 'reactivated', step: what.step.id });
      else if (what.do === 'prove') facts.push({ type: 'proved', ok: true, detail: 'old' });
      else facts.push({ type: 'disarmed' });
    }
    expect(order).toEqual(['arm', 'undo dropIn', 'undo config', 'reactivate reload', 'reactivate restart', 'prove', 'disarm']);
    expect(next(...facts)).toEqual({ do: 'finish', outcome: 'restored' });
  });
  it('goes on without a guard when none can be armed: it is the way back itself', () => {
    expect(next(...changed, undoAsked, { type: 'armFailed', effect: 'none', failure })).toMatchObject({ do: 'undo', step: { id: 'dropIn' } });
  });
  it('can be asked for once more after it got stuck', () => {
    const stuck: HostFact[] = [...changed, undoAsked, armed, { type: 'undoFailed', step: 'dropIn', failure }, { type: 'proved', ok: false, failure }, { type: 'finished', outcome: 'stuck' }];
    expect(isInTheMiddle(fold(stuck))).toBe(true);
    expect(next(...stuck, undoAsked, armed)).toMatchObject({ do: 'undo', step: { id: 'dropIn' } });
  });
  it('is refused for hosts that this run did not touch, has restored already, or whose copies are gone', () => {
    expect(judgeUndo(fold([planned, { type: 'finished', outcome: 'refused' }]))).toMatchObject({ can: false });
    expect(judgeUndo(fold([...changed, undoAsked, { type: 'finished', outcome: 'restored' }]))).toMatchObject({ can: false });
    expect(judgeUndo(fold([...changed, { type: 'cleanAsked', by: 'bob@desk' }]))).toMatchObject({ can: false, failure: { kind: 'unsupported' } });
    expect(judgeUndo(fold(changed))).toEqual({ can: true });
  });
});
