/** What a person is told to do after a run: only commands that do something, and that can be trusted to. */
import { describe, expect, it } from 'vitest';
import { isForGood, nextCommands } from '../../src/cli/next-commands.js';
import type { Finding } from '../../src/core/finding.js';
import type { HostResult } from '../../src/core/report.js';
import type { Stop } from '../../src/rollout/rollout-state.js';

const finding: Finding = { verdict: 'fail', summary: 's', expected: 'e', actual: 'a', drift: [], notes: [], readings: [] };
const failure = { kind: 'unhealthy', summary: 'x' } as const;
const changed: HostResult = { host: 'n1', outcome: 'changed', finding };
const skipped: HostResult = { host: 'n2', outcome: 'skipped', finding, failure: { kind: 'interrupted', summary: 'x' } };
const restored: HostResult = { host: 'n3', outcome: 'restored', finding, failure };
const undone: HostResult = { host: 'n4', outcome: 'restored', finding, undone: true };
const stuck: HostResult = { host: 'n5', outcome: 'stuck', finding, failure };
const notBack: HostResult = { ...changed, failure };
const stop = (reason: Stop['reason'], then: Stop['then'] = 'halt'): Stop => ({ reason, then, summary: 's' });

const said = (results: readonly HostResult[], why?: Stop): string[] =>
  nextCommands('R', { results, complaints: [], ...(why ? { stop: why } : {}) }).map((line) => /fleetmend ((?:resume|undo|apply|show)(?: --rerun \S+)?)/.exec(line)?.[1] ?? line);

describe('after a run', () => {
  it.each<[string, HostResult[], Stop | undefined, string[]]>([
    ['that went well', [changed], undefined, ['undo']],
    ['that was interrupted', [changed, skipped], stop('interrupt'), ['resume', 'undo']],
    ['that its budget stopped', [changed, restored, skipped], stop('budget'), ['resume', 'apply --rerun failed,skipped', 'undo']],
    ['that a canary stopped, nothing is resumed', [changed, restored, skipped], stop('canary'), ['apply --rerun failed,skipped', 'undo']],
    ['that took its wave back, nothing is resumed', [changed, undone, skipped], stop('gate', 'undoWave'), ['apply --rerun skipped,undone', 'undo']],
    ['that took all back, nothing is resumed', [restored, undone, skipped], stop('budget', 'undoRun'), ['apply --rerun failed,skipped,undone']],
    ['that could not take all back, the rest of it is resumed', [notBack, skipped], stop('gate', 'undoRun'), ['resume', 'apply --rerun failed,skipped', 'undo']],
    ['with a stuck canary, that one is resumed', [stuck, skipped], stop('canary'), ['resume', 'apply --rerun skipped']],
  ])('%s', (_, results, why, commands) => { expect(said(results, why)).toEqual([...commands, 'show']); });
  it('more budget is spoken of only where it would help', () => {
    expect(nextCommands('R', { results: [skipped], complaints: [], stop: stop('budget') })[0]).toContain('--budget');
    expect(nextCommands('R', { results: [stuck], complaints: [], stop: stop('budget', 'undoRun') })[0]).not.toContain('--budget');
  });
  it.each<[Stop | undefined, boolean]>([[undefined, false], [stop('person'), false], [stop('gate'), false], [stop('canary'), true], [stop('person', 'undoWave'), true]])('%j is for good: %s', (why, is) => { expect(isForGood(why)).toBe(is); });
});
