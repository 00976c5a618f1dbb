/**
 * The rule of a host against a small model of a node, exhaustively: every act fails in every way it
 * can (not at all, before its effect, after its effect, reply lost), up to three faults in one run.
 */
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/core/decide.js';
import type { HostState } from '../../src/core/fold.js';
import { NEW_HOST, advance } from '../../src/core/fold.js';
import type { HostFact } from '../../src/core/journal.js';
import { samplePlan } from './sample-plan.js';

interface World {
  config: 'old' | 'new';
  dropIn: 'old' | 'new';
  loaded: 'old' | 'new';
  running: 'old/old' | 'new/new' | 'new/old' | 'old/new';
}

type Way = 'works' | 'failsUntouched' | 'failsBefore' | 'failsAfter' | 'replyLost';
const WAYS: readonly Way[] = ['works', 'failsUntouched', 'failsBefore', 'failsAfter', 'replyLost'];

const failure = { kind: 'exit', summary: 'injected' } as const;

/** Performs an act in the given way; returns the facts that a runner would write down. */
function act(id: string, way: Way, effect: () => void): HostFact[] {
  if (way === 'works' || way === 'failsAfter' || way === 'replyLost') effect();
  if (way === 'works') return [{ type: 'done', step: id }];
  // The reply was lost: a new connection performs the step again (effects are repeatable).
  if (way === 'replyLost') return [];
  return [{ type: 'failed', step: id, effect: way === 'failsUntouched' ? 'none' : 'unknown', failure }];
}

function effectOf(world: World, id: string, direction: 'new' | 'old'): () => void {
  return () => {
    if (id === 'config') world.config = direction;
    if (id === 'dropIn') world.dropIn = direction;
    if (id === 'reload') world.loaded = world.dropIn;
    if (id === 'restart') world.running = `${world.config}/${world.loaded}`;
  };
}

function run(ways: readonly Way[]): { world: World; state: HostState; acts: number } {
  const plan = samplePlan();
  const world: World = { config: 'old', dropIn: 'old', loaded: 'old', running: 'old/old' };
  let state = NEW_HOST;
  const record = (facts: readonly HostFact[]): void => { for (const fact of facts) state = advance(state, fact); };
  for (let acts = 0; acts < 200; acts++) {
    const next = decide(plan, state);
    const way = ways[acts] ?? 'works';
    if (next.do === 'nothing') return { world, state, acts };
    if (next.do === 'finish') { record([{ type: 'finished', outcome: next.outcome }]); continue; }
    if (next.do === 'step') {
      record([{ type: 'began', step: next.step.id }]);
      const isCheck = next.step.phase === 'verify';
      const sick = isCheck && world.running !== 'new/new';
      record(sick ? [{ type: 'failed', step: next.step.id, effect: 'none', failure }] : act(next.step.id, way, effectOf(world, next.step.id, 'new')));
      continue;
    }
    if (next.do === 'undo') {
      if (way === 'works' || way === 'failsAfter') effectOf(world, next.step.id, 'old')();
      record([way === 'works' || way === 'replyLost' ? { type: 'undone', step: next.step.id, happened: 'now' } : { type: 'undoFailed', step: next.step.id, failure }]);
      if (way === 'replyLost') effectOf(world, next.step.id, 'old')();
      continue;
    }
    if (next.do === 'reactivate') {
      if (way !== 'failsUntouched' && way !== 'failsBefore') effectOf(world, next.step.id, 'old')();
      record([way === 'works' || way === 'replyLost' ? { type: 'reactivated', step: next.step.id } : { type: 'reactivateFailed', step: next.step.id, failure }]);
      continue;
    }
    const old = world.config === 'old' && world.dropIn === 'old' && world.loaded === 'old' && world.running === 'old/old';
    record([old ? { type: 'proved', ok: true, detail: '' } : { type: 'proved', ok: false, failure }]);
  }
  throw new Error('the rule does not end');
}

/** All schedules with at most `faults` faults in the first `length` acts. */
function* schedules(length: number, faults: number): Generator<Way[]> {
  if (length === 0) { yield []; return; }
  for (const way of WAYS) {
    if (way !== 'works' && faults === 0) continue;
    for (const rest of schedules(length - 1, way === 'works' ? faults : faults - 1)) yield [way, ...rest];
  }
}

describe('the rule of a host', () => {
  it('never claims what is not so, whatever fails', () => {
    let count = 0;
    for (const ways of schedules(12, 3)) {
      count++;
      const { world, state } = run(ways);
      const where = `${ways.join(',')} -> ${state.finished?.outcome ?? 'no outcome'} ${JSON.stringify(world)}`;
      const isNew = world.running === 'new/new' && world.config === 'new' && world.dropIn === 'new';
      const isOld = world.running === 'old/old' && world.config === 'old' && world.dropIn === 'old' && world.loaded === 'old';
      switch (state.finished?.outcome) {
        case 'changed': expect(isNew, where).toBe(true); break;
        case 'restored': case 'refused': expect(isOld, where).toBe(true); break;
        case 'stuck': break;
        default: expect.fail(where);
      }
    }
    expect(count).toBeGreaterThan(10_000);
    console.log(`${count} schedules of the rule tried`);
  });

  it('is stuck only when something failed on the way back', () => {
    for (const ways of schedules(6, 1)) {
      const { state } = run(ways);
      expect(state.finished?.outcome, ways.join(',')).not.toBe('stuck');
    }
  });
});
