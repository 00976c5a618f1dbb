/**
 * The crash matrix: the controller dies at every prefix of its journal and around every effect; another one resumes, or
 * undoes, at once, after the guard has fired, or after the node was rebooted; and then all pairs of two deaths. Each time
 * the node is new and proved, or old, byte for byte, and proved: with a node that can be reached never stuck, never between.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Playbook } from '../../src/core/playbook.js';
import { diesWithNewValue, zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import { wasTouched } from '../../src/core/decide.js';
import { fold } from '../../src/core/fold.js';
import { isHostEntry } from '../../src/core/journal.js';
import type { HostResult } from '../../src/core/report.js';
import type { CrashPoint, CrashRun, Meanwhile, Then } from './crash-rig.js';
import { crashPoints, expectTrue, pointText, pointsUpTo, prepareCrashRun, withShortSoak } from './crash-rig.js';
import { loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const MEANWHILE: readonly Meanwhile[] = ['at once', 'after the guard', 'after a reboot'];
const THEN: readonly Then[] = ['resume', 'undo'];
const LONG_MS = 900_000;
/** Of the pairs of deaths only every so manieth: for a second run of the same tests, on another Node. */
const PAIRS_EVERY = Number(process.env['CRASH_PAIRS_EVERY'] ?? 1);

const tried = { oneDeath: 0, twoDeaths: 0 };
afterAll(() => { console.log(`crash matrix: ${tried.oneDeath} schedules of one death, ${tried.twoDeaths} of two, ${tried.oneDeath + tried.twoDeaths} in all`); });

/** An undo of a host that the journal shows as never touched has nothing to do; of any other it must bring it back. */
async function hadNothingToUndo(run: CrashRun, then: Then, result: HostResult | undefined, what: string): Promise<boolean> {
  if (then !== 'undo') return false;
  const entries = (await run.journal.read('run-1')).filter(isHostEntry);
  const state = fold(entries);
  const wasAsked = entries.some((entry) => entry.type === 'undoAsked');
  const isTouched = state.plan !== undefined && wasTouched(state.plan, state);
  if (isTouched) expect(wasAsked || state.finished?.outcome === 'restored', `${what}: a touched host was not undone`).toBe(true);
  if (wasAsked) expect(result?.outcome, what).toBe('restored');
  return !wasAsked;
}

describe.each([zeroFlagInDropIn, zeroInJson, diesWithNewValue])('one death: $ailment', (spec) => {
  it.each(THEN.flatMap((then) => MEANWHILE.map((meanwhile) => [then, meanwhile] as const)))('%s %s', async (then, meanwhile) => {
    const outcomes = new Map<string, number>();
    for (const point of await crashPoints(spec, playbook)) {
      const what = `dead ${pointText(point)}, ${then} ${meanwhile}`;
      const run = await prepareCrashRun(spec, playbook);
      expect(await run.first(point), what).toBeUndefined();
      await run.meanwhile(meanwhile);
      const result = await run.later(then, undefined, 'session-2');
      if (await hadNothingToUndo(run, then, result, what)) {
        const resumed = await run.later('resume', undefined, 'session-3');
        await expectTrue(run, resumed, what);
      } else await expectTrue(run, result, what);
      const outcome = result?.outcome ?? 'none';
      // Nothing but a fault or the guard is a reason to turn back.
      if (then === 'resume' && meanwhile === 'at once') expect(outcome, what).toBe(spec === diesWithNewValue ? 'restored' : 'changed');
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      tried.oneDeath += 1;
    }
    console.log(`${spec.ailment}: one death, ${then} ${meanwhile}: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  }, LONG_MS);
});

describe('without a guard', () => {
  it.each(THEN)('one death, %s at once', async (then) => {
    for (const point of await crashPoints(zeroFlagInDropIn, playbook, 'none')) {
      const what = `no guard, dead ${pointText(point)}, ${then}`;
      const run = await prepareCrashRun(zeroFlagInDropIn, playbook, 'none');
      await run.first(point);
      const result = await run.later(then, undefined, 'session-2');
      tried.oneDeath += 1;
      await expectTrue(run, (await hadNothingToUndo(run, then, result, what)) ? await run.later('resume', undefined, 'session-3') : result, what);
    }
  }, LONG_MS);
});

describe('all pairs of two deaths', () => {
  it.each([zeroFlagInDropIn, diesWithNewValue].flatMap((spec) => THEN.map((then) => [spec.ailment, then, spec] as const)))('%s: %s', async (_, then, spec) => {
    let [pairs, count] = [0, 0];
    const outcomes = new Map<string, number>();
    for (const first of await crashPoints(spec, playbook)) {
      for (const second of await secondPoints(spec, first, then)) {
        pairs += 1;
        if (pairs % PAIRS_EVERY !== 0) continue;
        const what = `dead ${pointText(first)}, then ${then} dead ${pointText(second)}`;
        const run = await prepareCrashRun(spec, playbook);
        await run.first(first);
        const entries = (await run.journal.read('run-1')).length;
        expect(await run.later(then, second, 'session-2'), what).toBeUndefined();
        const wroteNothing = (await run.journal.read('run-1')).length === entries;
        // The third one goes on with whatever the second wanted.
        const result = await run.later('resume', undefined, 'session-3');
        await expectTrue(run, result, what, wroteNothing ? 'mayBeLeft' : 'free');
        const wasAsked = fold((await run.journal.read('run-1')).filter(isHostEntry)).asked !== undefined;
        expect(result?.outcome, what).toBe(wasAsked || spec === diesWithNewValue ? 'restored' : 'changed');
        count += 1;
        tried.twoDeaths += 1;
        outcomes.set(result?.outcome ?? 'none', (outcomes.get(result?.outcome ?? 'none') ?? 0) + 1);
      }
    }
    expect(count).toBeGreaterThan(0);
    console.log(`${count} of ${pairs} pairs of deaths (${spec.ailment}, ${then}): ${JSON.stringify(Object.fromEntries(outcomes))}`);
  }, LONG_MS);

  /** Every point at which the second process can die, after the first died there. */
  async function secondPoints(spec: typeof zeroFlagInDropIn, first: CrashPoint, then: Then): Promise<CrashPoint[]> {
    const run = await prepareCrashRun(spec, playbook);
    await run.first(first);
    const entriesBefore = (await run.journal.read('run-1')).length;
    let effects = 0;
    await run.rig.controller({ afterEffect: () => { effects += 1; return undefined; } }, 'session-2')[then](run.shown);
    return pointsUpTo((await run.journal.read('run-1')).slice(entriesBefore), effects);
  }
});
