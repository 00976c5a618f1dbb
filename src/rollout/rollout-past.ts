/** What the facts of a run tell of its rollout, for whoever takes it up again. Pure. */
import type { RunFact } from '../core/rollout.js';
import type { RolloutPast, Stop } from './rollout-state.js';
import { stopAsked } from './rollout-state.js';

/**
 * `ended`: hosts that are not taken again; `proved`: those of them whose change is proved. A stop that wanted hosts brought back is for good:
 * what was taken back once is not brought forward again by a resume. Any other one ends with its process.
 */
export function pastOf(facts: readonly RunFact[], ended: ReadonlySet<string>, proved: ReadonlySet<string> = ended): RolloutPast {
  const passed = new Set<number>();
  const leftOut = new Set<string>();
  let lastOpened: number | undefined;
  let stop: Stop | undefined;
  for (const fact of facts) {
    if (fact.type === 'wavePassed') passed.add(fact.wave - 1);
    if (fact.type === 'waveBegan') {
      lastOpened = fact.wave - 1;
      // It was taken up once more, so its gates count anew.
      passed.delete(lastOpened);
    }
    if (fact.type === 'controlled' && fact.act.do === 'skip') leftOut.add(fact.act.host);
    // The process that took it down may have died right after.
    if (fact.type === 'controlled' && fact.act.do === 'undo') stop = stopAsked(fact.by, fact.act);
    if (fact.type === 'stopped') stop = { reason: fact.reason, summary: fact.summary, then: fact.then };
    if (fact.type === 'rolloutBegan' && stop?.then === 'halt') stop = undefined;
  }
  const isDue = stop !== undefined && stop.then !== 'halt';
  return { ended, proved, passed, leftOut, ...(lastOpened === undefined ? {} : { lastOpened }), ...(isDue && stop ? { stop } : {}) };
}

/** Hosts whose hooks began and did not end: their afterHost is owed. */
export function owedHooks(facts: readonly RunFact[]): ReadonlySet<string> {
  const owed = new Set<string>();
  for (const fact of facts) {
    if (fact.type === 'hooksBegan') owed.add(fact.onHost);
    if (fact.type === 'hooksEnded') owed.delete(fact.onHost);
  }
  return owed;
}
