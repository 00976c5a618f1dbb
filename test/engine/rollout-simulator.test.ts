/**
 * The real rollout over virtual hosts, thousands of them, with failures, slow hosts, persons, interrupts and deaths of
 * chance: what it may never do is watched from outside (rollout-witness.ts). `FUZZ_SEED=random SIMULATIONS=5000` looks for more.
 */
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { HostResult } from '../../src/core/report.js';
import { countBy } from '../../src/core/report.js';
import type { ControlAct, Rollout, RolloutPlan, RunFact, Share } from '../../src/core/rollout.js';
import { planRollout } from '../../src/rollout/plan-rollout.js';
import { createVirtualClock } from '../fake/virtual-clock.js';
import type { Dice } from './dice.js';
import { createDice } from './dice.js';
import type { Fate, ProcessEnd, World } from './rollout-process.js';
import { runProcess } from './rollout-process.js';

const RUNS = Number(process.env['SIMULATIONS'] ?? 400);
const seen = { fleets: 0, hosts: 0, processes: 0 };
const ways = new Map<string, number>();
afterAll(() => { console.log(`rollout simulator: ${seen.fleets} fleets, ${seen.hosts} hosts, ${seen.processes} processes: ${JSON.stringify(Object.fromEntries([...ways].sort()))}`); });

const COMMAND = { run: ['./command'], timeoutMs: 60_000 };

function share(dice: Dice, most: number): Share {
  return dice.chance(0.5) ? { unit: 'hosts', count: dice.between(1, most) } : { unit: 'percent', percent: dice.between(1, 40) };
}

function policyOf(dice: Dice): Rollout {
  const inner = [...new Set(Array.from({ length: dice.between(0, 3) }, () => dice.between(1, 90)))].sort((left, right) => left - right);
  const clockTime = (): string => `${String(dice.between(0, 23)).padStart(2, '0')}:${dice.pick(['00', '30'])}`;
  const hooks = {
    ...(dice.chance(0.4) ? { beforeRun: COMMAND, beforeWave: COMMAND, afterWave: COMMAND, afterRun: COMMAND } : {}),
    ...(dice.chance(0.3) ? { beforeHost: COMMAND, afterHost: COMMAND } : {}),
  };
  return {
    waves: [...inner, 100].map((percent) => ({ unit: 'percent', percent })),
    canary: dice.chance(0.6) ? { by: dice.chance(0.5) ? ['pool', 'zone'] : [] } : 'none',
    order: dice.pick(['inventory', 'reverse', 'name', 'shuffled']),
    budget: { run: dice.chance(0.3) ? 'none' : share(dice, 30), per: dice.chance(0.4) ? [{ label: 'zone', share: share(dice, 10) }] : [] },
    onStop: dice.pick(['halt', 'undoWave', 'undoRun']),
    soakMs: dice.chance(0.5) ? dice.between(1, 600_000) : 0,
    pauseAfter: dice.chance(0.2) ? 'every' : 'none',
    hooks,
    ...(dice.chance(0.4) ? { within: share(dice, 100) } : {}),
    ...(dice.chance(0.4) ? { gate: COMMAND } : {}),
    ...(dice.chance(0.25) ? { window: { days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: clockTime(), to: clockTime(), timeZone: 'UTC' } } : {}),
  };
}

function planOf(dice: Dice, policy: Rollout, size: number): RolloutPlan {
  const hosts = Array.from({ length: size }, (_, index) => ({
    name: `n${index + 1}`, labels: { pool: `p${dice.between(1, 4)}`, zone: `z${dice.between(1, 3)}` }, ...(dice.chance(0.1) ? {} : { change: `c${dice.between(1, 3)}` }),
  }));
  return planRollout(policy, hosts, dice.between(1, 64));
}

function fateOf(dice: Dice, plan: RolloutPlan, horizonMs: number, mayDie: boolean): Fate {
  const names = plan.waves.flatMap(({ hosts }) => hosts);
  const act = (): ControlAct => {
    if (dice.chance(0.45)) return { do: 'continue' };
    if (dice.chance(0.35)) return { do: 'pause' };
    if (dice.chance(0.5)) return { do: 'within', count: dice.between(1, 80) };
    if (dice.chance(0.7)) return { do: 'skip', host: names[dice.between(0, names.length - 1)] ?? 'nobody' };
    return dice.chance(0.5) ? { do: 'stop' } : { do: 'undo', scope: dice.pick(['wave', 'run']) };
  };
  const acts = dice.chance(0.6) ? Array.from({ length: dice.between(1, 25) }, () => ({ atMs: dice.between(0, horizonMs), act: act() })) : [];
  const one = dice.next();
  return {
    acts, failing: dice.pick([0, 0, 0.01, 0.05, 0.3]), relapsing: dice.pick([0, 0, 0.002, 0.05]), saysNo: dice.pick([0, 0, 0.02, 0.2]),
    ...(dice.chance(0.15) ? { drainAtMs: dice.between(0, horizonMs) } : {}),
    ...(mayDie && one < 0.35 ? { diesAtFact: dice.between(1, dice.chance(0.6) ? 14 : 200) } : {}),
    ...(mayDie && one >= 0.35 && one < 0.7 ? { diesAtMs: dice.between(0, horizonMs) } : {}),
    ...(mayDie && one >= 0.7 && one < 0.8 ? { takenOverAtFact: dice.between(1, 10) } : {}),
    ...(dice.chance(0.05) ? { diskFullAtFact: dice.between(1, 10) } : {}),
  };
}

/** One run from its first process to the last one, which nobody kills. */
async function simulate(seed: number, size: number, deaths: number, fixed: { policy?: Partial<Rollout>; fate?: Partial<Fate> } = {}): Promise<{ violations: string[]; most: number; outcomes: Map<string, number> }> {
  const dice = createDice(seed);
  const policy = { ...policyOf(dice), ...fixed.policy };
  const plan = planOf(dice, policy, size);
  const world: World = { plan, policy, clock: createVirtualClock(), dice, truth: { ended: new Map(), facts: [], leftOut: new Set(), paid: new Set() }, inTheMiddle: new Set() };
  const horizonMs = 60_000 + size * 4_000;
  const violations: string[] = [];
  let most = 0;
  for (let left = deaths; left >= 0; left -= 1) {
    const isDue = isUndoDue(world.truth.facts);
    const undoneBefore = [...world.truth.ended.values()].filter(({ outcome }) => outcome === 'changed').map(({ host }) => host);
    const process = await runProcess(world, { ...fateOf(dice, plan, horizonMs, left > 0), ...fixed.fate });
    seen.processes += 1;
    most = Math.max(most, process.witness.most);
    if (process.end !== undefined) judgeEnd(world, process, isDue ? undoneBefore : []);
    violations.push(...process.witness.violations);
    const how = process.how === 'ended' ? `ended: ${process.end?.stop === undefined ? 'all through' : `${process.end.stop.reason}, ${process.end.stop.then}`}` : process.how;
    ways.set(how, (ways.get(how) ?? 0) + 1);
    if (process.how === 'hung') violations.push('the rollout hangs');
    if (violations.length > 0) break;
  }
  seen.fleets += 1;
  seen.hosts += size;
  return { violations, most, outcomes: countBy([...world.truth.ended.values()], ({ outcome }) => outcome) };
}

function isUndoDue(facts: readonly RunFact[]): boolean {
  const last = facts.filter(({ type }) => type === 'stopped' || type === 'rolloutEnded').at(-1);
  return last?.type === 'stopped' && last.then !== 'halt';
}

/** What holds once a process came to its end. */
function judgeEnd({ plan, truth, policy }: World, process: ProcessEnd, dueBefore: readonly string[]): void {
  const { end, witness, wasDrained, isWhole } = process;
  if (end === undefined) return;
  const names = [...plan.labels.keys()];
  const { stop } = end;
  for (const host of names) {
    witness.claim(truth.ended.has(host), () => `${host}: no outcome`);
    const said = end.results.get(host);
    if (said !== undefined) witness.claim(isSame(said, truth.ended.get(host)), () => `${host}: said to be ${said.outcome}, is ${truth.ended.get(host)?.outcome ?? 'nothing'}`);
    if (stop === undefined) witness.claim(truth.ended.get(host)?.outcome !== 'skipped' || truth.leftOut.has(host), () => `${host}: left out by nobody`);
  }
  if (witness.isSpent()) witness.claim(stop !== undefined, () => 'the budget is used up, and nothing stopped');
  const last = truth.facts.at(-1);
  const isCut = wasDrained && stop !== undefined && stop.then !== 'halt';
  if (isWhole) witness.claim(last?.type === 'rolloutEnded' || isCut, () => `the last fact is ${last?.type ?? 'none'}`);
  judgeUndo(plan, truth.facts, policy, process, dueBefore);
}

function isSame(said: HostResult, is: HostResult | undefined): boolean {
  return said.outcome === is?.outcome && said.undone === is.undone;
}

function judgeUndo(plan: RolloutPlan, facts: readonly RunFact[], policy: Rollout, { end, witness, wasDrained }: ProcessEnd, dueBefore: readonly string[]): void {
  const stop = end?.stop;
  if (stop === undefined || stop.then === 'halt') {
    witness.claim(witness.undone.length === 0, () => `${witness.undone.length} hosts were undone though nobody wanted it`);
    return;
  }
  const opened = facts.findLast((fact) => fact.type === 'waveBegan');
  const scope = new Set(plan.waves.flatMap(({ hosts }, index) => (stop.then === 'undoRun' || index + 1 === (opened?.type === 'waveBegan' ? opened.wave : 0) ? hosts : [])));
  witness.claim(witness.undone.every((host) => scope.has(host)), () => `undone outside of ${stop.then}`);
  witness.claim(stop.reason === 'person' || stop.then === policy.onStop, () => `${stop.then} though the policy says ${policy.onStop}`);
  const changed = [...(end?.results.values() ?? [])].filter(({ host, outcome }) => scope.has(host) && outcome === 'changed');
  if (wasDrained) {
    witness.claim(changed.length === 0 || facts.at(-1)?.type !== 'rolloutEnded', () => `the rollout has ended with ${changed.length} hosts to undo`);
    return;
  }
  witness.claim(changed.length === 0, () => `${changed.length} hosts of ${stop.then} are changed still`);
  const forgotten = dueBefore.filter((host) => scope.has(host) && !witness.undone.includes(host));
  witness.claim(forgotten.length === 0, () => `${forgotten.length} hosts that an earlier process changed were not undone`);
}

describe('a rollout, whatever happens', () => {
  it('keeps every rule of the policy in fleets of 5 to 300 hosts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 5, max: 300 }), fc.integer({ min: 0, max: 4 }), async (seed, size, deaths) => {
        const { violations } = await simulate(seed, size, deaths);
        expect(violations).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  }, 900_000);

  it.each([1, 2, 3, 4, 5, 6])('keeps them with 10,000 hosts (seed %i)', async (seed) => {
    const { violations } = await simulate(seed, 10_000, seed % 3);
    expect(violations).toEqual([]);
  }, 300_000);

  const unhindered = { acts: [], relapsing: 0, saysNo: 0, drainAtMs: Infinity, diskFullAtFact: Infinity };
  const oneBigWave: Partial<Rollout> = { waves: [{ unit: 'percent', percent: 100 }], canary: 'none', budget: { run: 'none', per: [] }, within: { unit: 'hosts', count: 1_000 }, hooks: {} };

  it('brings 10,000 hosts through, 1,000 at once', async () => {
    const { violations, most, outcomes } = await simulate(1, 10_000, 0, { policy: oneBigWave, fate: { ...unhindered, failing: 0 } });
    expect(violations).toEqual([]);
    expect(most).toBe(1_000);
    expect((outcomes.get('changed') ?? 0) + (outcomes.get('compliant') ?? 0)).toBeGreaterThan(8_000);
    expect(outcomes.has('skipped')).toBe(false);
  });

  it('brings 10,000 hosts to an end when most of them fail and no budget stops it', async () => {
    const { violations, outcomes } = await simulate(2, 10_000, 0, { policy: oneBigWave, fate: { ...unhindered, failing: 0.9 } });
    expect(violations).toEqual([]);
    expect(outcomes.get('restored')).toBeGreaterThan(2_000);
    expect(outcomes.has('skipped')).toBe(false);
  });
});
