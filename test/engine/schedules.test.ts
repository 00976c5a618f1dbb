/**
 * Random schedules: processes of a controller that die, lose their link or are interrupted, one after the other, with
 * guards that fire, reboots and other operators in between. The last one is undisturbed: after it, what is claimed is so.
 */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { isHostEntry } from '../../src/core/journal.js';
import type { Playbook } from '../../src/core/playbook.js';
import { diesWithNewValue, zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson } from '../fake/layouts.js';
import type { CrashPoint, Meanwhile, Then } from './crash-rig.js';
import { expectTrue, prepareCrashRun, withShortSoak } from './crash-rig.js';
import { holderOf, loadRealPlaybook } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = withShortSoak(await loadRealPlaybook()); });

const point: fc.Arbitrary<CrashPoint> = fc.record({
  at: fc.constantFrom<CrashPoint['at']>('entry', 'effect'),
  when: fc.constantFrom<CrashPoint['when']>('before', 'after'),
  n: fc.integer({ min: 1, max: 30 }),
});
const loss = fc.option(fc.integer({ min: 1, max: 15 }), { nil: undefined });
const lateProcess = fc.record({
  then: fc.constantFrom<Then>('resume', 'resume', 'undo'),
  dies: fc.option(point, { nil: undefined }),
  meanwhile: fc.constantFrom<Meanwhile>('at once', 'after the guard', 'after a reboot'),
  loss,
  /** Somebody else's run tries to take the node first. */
  intruder: fc.boolean(),
});
/** By name, so that a schedule that fails can be read. */
const SPECS = { zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson, diesWithNewValue };
const schedule = fc.record({
  spec: fc.constantFrom(...(Object.keys(SPECS) as (keyof typeof SPECS)[])),
  dies: fc.option(point, { nil: undefined }),
  loss,
  later: fc.array(lateProcess, { maxLength: 4 }),
  guard: fc.constantFrom('none' as const, undefined, undefined),
});

/** More, of other kinds, with `FUZZ_SEED=random SCHEDULES=5000`. */
const RUNS = Number(process.env['SCHEDULES'] ?? 400);

describe('any schedule of deaths', () => {
  it('ends new and proved or old and proved, and never in between', async () => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(schedule, async ({ spec, dies, loss, later, guard }) => {
        const run = await prepareCrashRun(SPECS[spec], playbook, guard);
        await run.first(dies, loss);
        let wasCleanLast = dies === undefined;
        for (const [index, process] of later.entries()) {
          await run.meanwhile(guard === 'none' && process.meanwhile === 'after a reboot' ? 'at once' : process.meanwhile);
          if (process.intruder) intrude(run.node, index);
          const entries = (await run.journal.read('run-1')).filter(isHostEntry).length;
          const result = await run.later(process.then, process.dies, `session-${index + 2}`, process.loss);
          wasCleanLast = result !== undefined && (await run.journal.read('run-1')).filter(isHostEntry).length > entries;
        }
        const result = await run.later('resume', undefined, 'session-last');
        await expectTrue(run, result, 'at the end', wasCleanLast ? 'free' : 'mayBeLeft');
        outcomes.set(result?.outcome ?? 'none', (outcomes.get(result?.outcome ?? 'none') ?? 0) + 1);
      }),
      { numRuns: RUNS },
    );
    console.log(`${RUNS} random schedules: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  }, 900_000);
});

/** A second operator who finds the node held is refused, or finds nothing begun; either way he goes away again. */
function intrude(node: { perform: (effect: never, actor: never) => { ok: boolean } }, index: number): void {
  const run = `other-${index}`;
  const actor = { uid: 0, visit: 1_000_000 + index };
  const taken = node.perform({ do: 'lock', holder: holderOf(`intruder-${index}`, run) } as never, actor as never);
  if (taken.ok) expect(node.perform({ do: 'unlock', run } as never, actor as never).ok).toBe(true);
}
