/** Every fact of a host in words for people, and none that a node could use to act on a terminal. */
import { expect, it } from 'vitest';
import { entryText } from '../../src/core/entry-text.js';
import type { HostFact } from '../../src/core/journal.js';
import { samplePlan } from '../core/sample-plan.js';

const failure = { kind: 'exit', summary: 'it\u001b[2J said\nno', done: 'put back', next: 'look' } as const;
const SAID = 'it[2J said no; put back; look';

it.each<[HostFact, string]>([
  [{ type: 'planned', plan: samplePlan() }, 'planned'],
  [{ type: 'planned', plan: { ...samplePlan([]), refusal: failure } }, `refused: ${SAID}`],
  [{ type: 'began', step: 's' }, 'began: the step'],
  [{ type: 'done', step: 's' }, 'done: the step'],
  [{ type: 'done', step: 's', detail: 'already' }, 'done: the step: already'],
  [{ type: 'failed', step: 's', effect: 'unknown', failure }, `failed: the step: ${SAID}`],
  [{ type: 'failed', step: 's', effect: 'none', failure }, `failed, and changed nothing: the step: ${SAID}`],
  [{ type: 'undone', step: 's', happened: 'now' }, 'undone: the step'],
  [{ type: 'undone', step: 's', happened: 'already' }, 'undone already: the step'],
  [{ type: 'undoFailed', step: 's', failure }, `undo failed: the step: ${SAID}`],
  [{ type: 'reactivated', step: 's' }, 'activated again: the step'],
  [{ type: 'reactivateFailed', step: 's', failure }, `activation failed: the step: ${SAID}`],
  [{ type: 'proved', ok: true, detail: 'old state' }, 'proved: old state'],
  [{ type: 'proved', ok: false, failure }, `not proved: ${SAID}`],
  [{ type: 'otherLife', unit: 'kubelet.service' }, 'somebody else, or a boot, started kubelet.service since'],
  [{ type: 'armed', deadlineMs: 465_000 }, 'guard armed: the node restores itself in 7 min 45 s unless it hears that all is well'],
  [{ type: 'armFailed', effect: 'none', failure }, `guard not armed: ${SAID}`],
  [{ type: 'guardFired', ok: true, detail: 'restore /x\u0007: now' }, 'the guard has fired and put the old state back: restore /x: now'],
  [{ type: 'guardFired', ok: false, detail: '' }, 'the guard has fired and could not put everything back'],
  [{ type: 'disarmed' }, 'guard disarmed'],
  [{ type: 'disarmFailed', failure }, `guard left armed: ${SAID}`],
  [{ type: 'resumed', by: 'bob@desk' }, 'resumed by bob@desk'],
  [{ type: 'undoAsked', by: 'bob@desk', foreign: 'refuse' }, 'undo asked for by bob@desk'],
  [{ type: 'undoAsked', by: 'bob@desk', foreign: 'save' }, 'undo asked for by bob@desk; what others changed since is saved and replaced'],
  [{ type: 'cleanAsked', by: 'bob@desk' }, 'removal of the saved copies asked for by bob@desk: no undo from here on'],
  [{ type: 'cleaned' }, 'saved copies removed from the node'],
  [{ type: 'finished', outcome: 'changed' }, 'changed'],
  [{ type: 'finished', outcome: 'restored', failure }, `restored: ${SAID}`],
])('%j', (fact, words) => {
  expect(entryText(fact, (step) => (step === 's' ? 'the step' : step))).toBe(words);
});
