/** Every fact of a whole run in words for people, where a rollout stands after each, and none with which a file could act on a terminal. */
import { describe, expect, it } from 'vitest';
import { showRollout } from './show-rollout-of.js';
import type { HostFact } from '../../src/core/journal.js';
import { runText } from '../../src/core/run-text.js';
import type { RunFact } from '../../src/core/rollout.js';
import { shapeOfFact } from '../../src/journals/fact-shape.js';
import { samplePlan } from '../core/sample-plan.js';

const failure = { kind: 'hook', summary: 'it\u001b[2J said\nno', next: 'look' } as const;
const SAID = 'it[2J said no; look';
const until = '2026-01-02T05:00:00.000Z';

describe('a fact of a run', () => {
  it.each<[RunFact, string]>([
    [{ type: 'rolloutBegan', by: 'alice@laptop' }, 'rollout in the hands of alice@laptop'],
    [{ type: 'waveBegan', wave: 1, of: 4, hosts: 1 }, 'wave 1 of 4 begins: 1 host'],
    [{ type: 'waveBegan', wave: 2, of: 4, hosts: 20 }, 'wave 2 of 4 begins: 20 hosts'],
    [{ type: 'soaking', wave: 2, ms: 90_000 }, 'wave 2: soak of 1 min 30 s'],
    [{ type: 'gateFailed', wave: 2, failure, hosts: ['n1', 'n2', 'n4'] }, `wave 2: its gate failed: ${SAID} (n[1-2,4])`],
    [{ type: 'gateFailed', wave: 2, failure, hosts: [] }, `wave 2: its gate failed: ${SAID}`],
    [{ type: 'wavePassed', wave: 2 }, 'wave 2 passed'],
    [{ type: 'wavePassed', wave: 2, through: 0, hosts: 20 }, 'wave 2 passed: 0 of 20 hosts are through'],
    [{ type: 'wavePassed', wave: 1, through: 1, hosts: 1 }, 'wave 1 passed: 1 of 1 host is through'],
    [{ type: 'waiting', for: 'window', until }, 'outside the maintenance window: nothing new is begun until 2026-01-02T05:00:00Z'],
    [{ type: 'waiting', for: 'person', until }, 'waits for somebody to say continue, until 2026-01-02T05:00:00Z at most'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'pause' } }, 'bob@desk asked: pause'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'continue' } }, 'bob@desk asked: continue'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'within', count: 1 } }, 'bob@desk asked: at most 1 host at once'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'skip', host: 'n\u00071' } }, 'bob@desk asked: skip n1'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'stop' } }, 'bob@desk asked: stop'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'undo', scope: 'wave' } }, 'bob@desk asked: undo of this wave'],
    [{ type: 'controlled', by: 'bob@desk', act: { do: 'undo', scope: 'run' } }, 'bob@desk asked: undo of the whole run'],
    [{ type: 'stopped', reason: 'budget', summary: 'the 4th of 200 hosts failed', then: 'halt' }, 'stopped (its budget is used up): the 4th of 200 hosts failed; changed hosts stay as they are'],
    [{ type: 'stopped', reason: 'canary', summary: 'n1', then: 'undoWave' }, 'stopped (a canary host failed): n1; the hosts changed by this wave are brought back'],
    [{ type: 'stopped', reason: 'person', summary: 'bob', then: 'undoRun' }, 'stopped (a person wanted it so): bob; all hosts changed by this run are brought back'],
    [{ type: 'hookFailed', hook: 'beforeHost', onHost: 'n1', failure }, `hook beforeHost failed for n1: ${SAID}`],
    [{ type: 'hookFailed', hook: 'afterRun', failure }, `hook afterRun failed: ${SAID}`],
    [{ type: 'rolloutEnded' }, 'rollout ended'],
  ])('%j', (fact, words) => {
    expect(runText(fact)).toBe(words);
    expect(shapeOfFact('*', fact.type, fact)).toBe('right');
    expect(shapeOfFact('n1', fact.type, fact)).toBe('unknown');
  });
  it.each<[string, object]>([
    ['waveBegan', { wave: 0, of: 4, hosts: 1 }], ['waveBegan', { wave: '1', of: 4, hosts: 1 }], ['waiting', { for: 'godot', until }], ['waiting', { for: 'person' }],
    ['controlled', { by: 'a', act: { do: 'destroy' } }], ['controlled', { act: { do: 'pause' } }], ['stopped', { reason: 'mood', summary: '', then: 'halt' }],
    ['stopped', { reason: 'budget', summary: '', then: 'panic' }], ['hookFailed', { hook: 'beforeLunch', failure }], ['gateFailed', { wave: 1, failure, hosts: 'all' }], ['soaking', { wave: 1 }],
  ])('of the wrong shape is refused: %s %j', (type, fact) => { expect(shapeOfFact('*', type, fact)).toBe('wrong'); });
  it('of a host is none of a run', () => { expect(shapeOfFact('*', 'cleaned', {})).toBe('unknown'); });
});

describe('where a rollout stands', () => {
  const began: RunFact[] = [{ type: 'rolloutBegan', by: 'alice@laptop' }, { type: 'waveBegan', wave: 1, of: 3, hosts: 2 }];
  const pause: RunFact = { type: 'controlled', by: 'bob@desk', act: { do: 'pause' } };
  it.each<[string, RunFact[], string]>([
    ['before the first wave', [{ type: 'rolloutBegan', by: 'a' }], 'no wave begun'],
    ['in a wave', began, 'wave 1 of 3 (2 hosts)'],
    ['in a soak', [...began, { type: 'soaking', wave: 1, ms: 1 }], 'wave 1 of 3 (2 hosts), in its soak'],
    ['after a gate that failed', [...began, { type: 'gateFailed', wave: 1, failure, hosts: [] }], 'wave 1 of 3 (2 hosts), its gate failed'],
    ['after a wave', [...began, { type: 'wavePassed', wave: 1 }], 'wave 1 of 3 (2 hosts), passed'],
    ['after a wave in which a host failed', [...began, { type: 'wavePassed', wave: 1, through: 1, hosts: 2 }], 'wave 1 of 3 (2 hosts), passed: 1 of 2 hosts are through'],
    ['in the wave after one', [...began, { type: 'wavePassed', wave: 1, through: 1, hosts: 2 }, { type: 'waveBegan', wave: 2, of: 3, hosts: 4 }], 'wave 2 of 3 (4 hosts)'],
    ['in a pause', [...began, pause], 'wave 1 of 3 (2 hosts); paused by bob@desk since 2026-01-02T03:04:05Z'],
    ['after a pause', [...began, pause, { type: 'controlled', by: 'c', act: { do: 'continue' } }], 'wave 1 of 3 (2 hosts)'],
    ['outside its window', [...began, { type: 'waiting', for: 'window', until }], 'wave 1 of 3 (2 hosts); waits for its window until 2026-01-02T05:00:00Z'],
    ['waiting for a person', [...began, { type: 'soaking', wave: 1, ms: 1 }, { type: 'waiting', for: 'person', until }], 'wave 1 of 3 (2 hosts); waits for a person to say continue, until 2026-01-02T05:00:00Z at most'],
    ['after the person came', [...began, { type: 'waiting', for: 'person', until }, { type: 'controlled', by: 'c', act: { do: 'continue' } }], 'wave 1 of 3 (2 hosts)'],
    ['slowed down', [...began, { type: 'controlled', by: 'c', act: { do: 'within', count: 5 } }], 'wave 1 of 3 (2 hosts); 5 at once'],
    ['stopped', [...began, pause, { type: 'stopped', reason: 'gate', summary: 'x', then: 'halt' }, { type: 'rolloutEnded' }], 'wave 1 of 3 (2 hosts); stopped (a gate failed): x; changed hosts stay as they are; ended'],
    ['taken up again by another process', [...began, pause, { type: 'stopped', reason: 'gate', summary: 'x', then: 'halt' }, { type: 'rolloutBegan', by: 'c' }], 'wave 1 of 3 (2 hosts)'],
  ])('%s', (_, facts, words) => { expect(showRollout(facts).standing).toBe(words); });
  it.each<[HostFact, boolean]>([
    [{ type: 'planned', plan: samplePlan() }, true], [{ type: 'began', step: 'config' }, true], [{ type: 'resumed', by: 'alice@laptop' }, true],
    [{ type: 'done', step: 'config' }, false], [{ type: 'finished', outcome: 'changed' }, false],
  ])('a host that is begun, or taken up again, ends the waiting for a window: $type', (fact, ends) => {
    expect(showRollout([...began, { type: 'waiting', for: 'window', until }], fact).standing).toBe(`wave 1 of 3 (2 hosts)${ends ? '' : '; waits for its window until 2026-01-02T05:00:00Z'}`);
  });
  it('facts are told with their times, the latest ones of thousands', () => {
    const many = Array.from({ length: 100 }, (): RunFact => ({ type: 'hookFailed', hook: 'afterHost', onHost: 'n1', failure }));
    const { lines } = showRollout([...began, ...many, { type: 'rolloutEnded' }]);
    expect(lines).toHaveLength(62);
    expect(lines[1]).toContain('43 earlier facts');
    expect(lines.at(-1)).toBe('  2026-01-02T03:04:05Z  rollout ended');
    expect(showRollout([]).lines).toEqual([]);
  });
});
