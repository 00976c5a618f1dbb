/** A resume asks for the ways and passwords of the hosts that it may reach, and of no other. */
import { describe, expect, it } from 'vitest';
import type { HostFact, JournalEntry } from '../../src/core/journal.js';
import type { RunFact } from '../../src/core/rollout.js';
import { hostsToResume } from '../../src/engine/hosts-to-resume.js';
import { samplePlan } from '../core/sample-plan.js';
import { sampleRecord } from '../journals/sample-run.js';

const { hosts } = sampleRecord('r', ['changed', 'compliant', 'left', 'never']);
const shown = new Map(['changed', 'compliant', 'left'].map((host) => [host, { ...samplePlan(host === 'compliant' ? [] : undefined), host }]));
const CHANGED: readonly HostFact[] = [{ type: 'planned', plan: samplePlan() }, { type: 'began', step: 'config' }, { type: 'done', step: 'config' }, { type: 'finished', outcome: 'changed' }];
const LEFT: readonly HostFact[] = [{ type: 'finished', outcome: 'unreachable' }];
const END: readonly HostFact[] = [{ type: 'finished', outcome: 'compliant' }];
const BEGAN: RunFact = { type: 'waveBegan', wave: 1, of: 1, hosts: 2 };
const PASSED: RunFact = { type: 'wavePassed', wave: 1 };

function toResume(left: readonly HostFact[], facts: readonly RunFact[]): ReturnType<typeof hostsToResume> {
  const at = '2026-01-02T03:04:05.000Z';
  const byHost: Record<string, readonly HostFact[]> = { changed: CHANGED, compliant: END, left };
  const entries: JournalEntry[] = [
    ...facts.map((fact, index): JournalEntry => ({ ...fact, run: 'r', host: '*', seq: index + 1, at })),
    ...Object.entries(byHost).flatMap(([host, own]) => own.map((fact, index): JournalEntry => ({ ...fact, run: 'r', host, seq: index + 1, at }))),
  ];
  return hostsToResume({ hosts, shown, entries });
}

describe('hosts to resume', () => {
  it.each<[string, readonly HostFact[], readonly RunFact[], ReturnType<typeof hostsToResume>]>([
    ['what is left, and what a gate or a stop may come back to', LEFT, [BEGAN], { due: ['left'], perhaps: ['changed'] }],
    ['what a gate that was not passed looks at', END, [BEGAN], { due: [], perhaps: ['changed'] }],
    ['what a stop still brings back', END, [BEGAN, PASSED, { type: 'stopped', reason: 'person', summary: 's', then: 'undoRun' }], { due: [], perhaps: ['changed'] }],
    ['nothing once all is through', END, [BEGAN, PASSED], { due: [], perhaps: [] }],
    ['nothing of a run without waves', END, [], { due: [], perhaps: [] }],
  ])('are %s', (_, left, facts, expected) => {
    expect(toResume(left, facts)).toEqual(expected);
  });
});
