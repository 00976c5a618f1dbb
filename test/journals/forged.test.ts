/** A folder that came from elsewhere, or that somebody edited: what it claims of hosts is refused before any host is touched. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { shapeOfFact } from '../../src/journals/fact-shape.js';
import { createRunFolder, openFileJournal } from '../../src/journals/index.js';
import { entry } from '../contracts/journal.contract.js';
import { samplePlan } from '../core/sample-plan.js';
import { sampleRecord } from './sample-run.js';

let root: string;
beforeEach(async () => { root = await mkdtemp(join(tmpdir(), 'fleetmend-forged-')); });
afterEach(async () => { await rm(root, { recursive: true }); });

it('a journal of another run is neither read nor written to', async () => {
  const folder = await createRunFolder(join(root, 'runs'), sampleRecord(), [samplePlan()]);
  const journal = await openFileJournal(folder.directory);
  await journal.append(entry('node-1', 1, 'another-run'));
  await journal.close();
  for (const act of [() => folder.readEntries(), () => folder.openJournal()]) {
    expect(await act().catch(failureOf)).toMatchObject({ kind: 'journal', summary: expect.stringContaining('another run (another-run, host node-1, entry 1)') as string });
  }
});

it('plans that name a host twice are refused', async () => {
  const folder = await createRunFolder(join(root, 'runs'), sampleRecord(), [samplePlan(), samplePlan()]);
  expect(await folder.readShown().catch(failureOf)).toMatchObject({ kind: 'journal' });
});

const failure = { kind: 'exit', summary: 'why' };
const plan = samplePlan();

describe('the shape of a fact', () => {
  it.each([
    ['planned', { plan }], ['planned', { plan: { ...plan, refusal: failure } }], ['began', { step: 's' }], ['done', { step: 's' }],
    ['failed', { step: 's', effect: 'none', failure }], ['proved', { ok: true, detail: '' }], ['proved', { ok: false, failure }],
    ['finished', { outcome: 'changed' }], ['finished', { outcome: 'stuck', failure }], ['guardFired', { ok: true, detail: '' }],
  ])('%s %j is right', (type, fact) => { expect(shapeOfFact('n1', type, fact)).toBe('right'); });

  it.each([
    ['planned', { plan: null }], ['planned', { plan: { host: 'h' } }], ['planned', { plan: { ...plan, steps: [null, 1] } }],
    ['planned', { plan: { ...plan, finding: {} } }], ['planned', { plan: { ...plan, steps: [{ id: 'a', title: 't', phase: 'change' }] } }],
    ['failed', { step: 's', effect: 'none', failure: null }], ['failed', { step: 's', effect: 'perhaps', failure }], ['began', {}],
    ['proved', { ok: false }], ['finished', { outcome: 'fine' }], ['finished', { outcome: 'stuck', failure: 'why' }], ['undoAsked', { by: 'a', foreign: 'keep' }],
  ])('%s %j is wrong', (type, fact) => { expect(shapeOfFact('n1', type, fact)).toBe('wrong'); });

  it('of an unknown kind is told apart', () => { expect(shapeOfFact('n1', 'constructor', {})).toBe('unknown'); });
});
