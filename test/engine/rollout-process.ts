/**
 * One process that carries out a rollout over virtual hosts: the real rollOut() with work, commands, persons and a journal
 * made of chance. It may die, be interrupted, lose its disk or its run; what it leaves behind is what the next one reads.
 */
import { FleetmendError, type Failure } from '../../src/core/failure.js';
import type { Finding } from '../../src/core/finding.js';
import type { Host } from '../../src/core/host.js';
import type { HostPlan } from '../../src/core/plan.js';
import type { Outcome } from '../../src/core/journal.js';
import type { CommandEnd, ControlRequest } from '../../src/core/ports.js';
import type { HostResult } from '../../src/core/report.js';
import { outcomeUntouched } from '../../src/core/report.js';
import type { CommandSpec, ControlAct, Rollout, RolloutPlan, RunFact } from '../../src/core/rollout.js';
import { BEFORE_ITS_TURN, orStuck } from '../../src/engine/host-end.js';
import { HostHooks } from '../../src/engine/host-hooks.js';
import { mapLimited } from '../../src/engine/limit.js';
import { rollOut } from '../../src/engine/roll-out.js';
import type { RolloutEnd, RolloutWork } from '../../src/engine/rollout-ports.js';
import { owedHooks, pastOf } from '../../src/rollout/rollout-past.js';
import type { VirtualClock } from '../fake/virtual-clock.js';
import type { Dice } from './dice.js';
import type { Truth } from './rollout-witness.js';
import { Witness, afterMail } from './rollout-witness.js';

/** What befalls this process. Facts of the run are counted from 1. */
export interface Fate {
  readonly failing: number;
  readonly relapsing: number;
  readonly saysNo: number;
  /** At these times, milliseconds after its start. */
  readonly acts: readonly { readonly atMs: number; readonly act: ControlAct }[];
  readonly drainAtMs?: number;
  readonly diesAtFact?: number;
  readonly diesAtMs?: number;
  readonly diskFullAtFact?: number;
  readonly takenOverAtFact?: number;
}

export interface World {
  readonly plan: RolloutPlan;
  readonly policy: Rollout;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly truth: Truth;
  /** Under way when a process died. */
  readonly inTheMiddle: Set<string>;
}

export interface ProcessEnd {
  readonly how: 'ended' | 'died' | 'hung' | 'lost';
  readonly witness: Witness;
  readonly end?: RolloutEnd;
  readonly wasDrained: boolean;
  /** The journal took every fact. */
  readonly isWhole: boolean;
}

const NO_FINDING: Finding = { verdict: 'fail', summary: '', expected: '', actual: '', readings: [], drift: [], notes: [] };
const NO_PLAN: HostPlan = { host: 'any', finding: NO_FINDING, steps: [], notes: [] };

function hostOf(name: string): Host {
  return { name, address: name, port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} };
}

/** Nothing that this simulates takes so long. */
const HUNG_MS = 400 * 86_400_000;
const COUNTED: readonly Outcome[] = ['restored', 'stuck', 'unreachable'];

function countsHere({ outcome, undone, failure }: HostResult): boolean {
  if (outcome === 'refused') return ['hook', 'notJudged', 'unhealthy', 'journal'].includes(failure?.kind ?? '');
  return COUNTED.includes(outcome) && undone !== true;
}

export async function runProcess(world: World, fate: Fate): Promise<ProcessEnd> {
  return await new SimulatedProcess(world, fate).run();
}

class SimulatedProcess {
  private readonly clock;
  private readonly witness: Witness;
  private readonly drain = new AbortController();
  private readonly gone: Promise<'died'>;
  private die: () => void = () => undefined;
  private isDead = false;
  private facts = 0;
  private lastRecord: Promise<unknown> = Promise.resolve();
  private asked = 0;
  private answered = 0;
  /** Begun, and past its hook. */
  private readonly touched = new Set<string>();

  constructor(private readonly world: World, private readonly fate: Fate) {
    this.clock = world.clock.controller();
    this.witness = new Witness(world.plan, world.policy, world.truth, () => world.clock.now().getTime());
    this.gone = new Promise((resolve) => { this.die = () => { this.isDead = true; this.clock.stop(); resolve('died'); }; });
  }

  async run(): Promise<ProcessEnd> {
    const { world: { plan, policy, truth, clock }, witness, fate } = this;
    this.settleOutside();
    this.finishThoseInTheMiddle();
    // As in a real resume: what was left out or not reached may be tried again.
    const ended = [...truth.ended.values()].filter(({ host, outcome }) => !witness.isInWave(host) || (outcome !== 'unreachable' && outcome !== 'skipped'));
    const failedBefore = ended.filter((result) => countsHere(result)).map(({ host }) => host);
    for (const host of failedBefore) witness.count(host);
    const proved = ended.filter(({ outcome }) => outcome === 'changed' || outcome === 'compliant').map(({ host }) => host);
    for (const { host, outcome } of ended) if (outcome !== 'changed' && outcome !== 'compliant') witness.unprove(host);
    const past = pastOf(truth.facts, new Set(ended.map(({ host }) => host)), new Set(proved));
    if (past.stop !== undefined) witness.isStopped = true;
    const changedBefore = new Set(ended.filter(({ outcome }) => outcome === 'changed').map(({ host }) => host));
    const never = new AbortController().signal;
    const commands = { run: (command: CommandSpec, facts: unknown) => this.command(command, facts) };
    const ofCommands = { run: 'run-1', playbook: { name: 'sim' }, policy, commands, signal: never };
    const hooks = new HostHooks(ofCommands, { record: (fact) => this.record(fact) }, owedHooks(truth.facts));
    const course = async (): Promise<RolloutEnd> => {
      // What a real resume does first: no host with an end is left with a hook that is owed.
      for (const result of ended) await hooks.after(hostOf(result.host), NO_PLAN, result);
      return await rollOut({ plan, failedBefore, past, changedBefore }, this.work(hooks), {
        ...ofCommands, by: 'sim@desk', clock: this.clock, emit: () => undefined, drain: this.drain.signal,
        controls: { listen: (take) => { this.persons(take); return () => undefined; } }, record: (fact) => this.record(fact),
      });
    };
    const done = course();
    if (fate.drainAtMs !== undefined && fate.drainAtMs < Infinity) this.later(fate.drainAtMs, () => { this.drain.abort(); void afterMail().then(() => { witness.isStopped = true; }); });
    if (fate.diesAtMs !== undefined) this.later(fate.diesAtMs, () => this.die());
    const waiting = new AbortController();
    const hung = clock.sleep(HUNG_MS, waiting.signal).then(() => 'hung' as const, () => 'hung' as const);
    const how = await Promise.race([done.catch(() => 'lost' as const), this.gone, hung]);
    waiting.abort();
    const wasDrained = this.drain.signal.aborted;
    if (typeof how === 'string') {
      if (how === 'lost') witness.claim(witness.working.size === 0, () => 'a run that was taken over left hosts under way behind');
      if (how === 'died') for (const host of this.touched) if (!truth.ended.has(host)) this.world.inTheMiddle.add(host);
      this.clock.stop();
      return { how, witness, wasDrained, isWhole: false };
    }
    await afterMail();
    witness.claim(this.asked === this.answered, () => `${this.asked - this.answered} of ${this.asked} requests were never answered`);
    witness.claim(witness.working.size === 0, () => 'the rollout ended with hosts under way');
    const isWhole = this.facts < (fate.diskFullAtFact ?? Infinity);
    witness.judgeHooks(isWhole ? owedHooks(truth.facts) : new Set());
    this.clock.stop();
    return { how: 'ended', witness, end: how, wasDrained, isWhole };
  }

  /** Hosts that stand in no wave: what their plan says is their end. */
  private settleOutside(): void {
    const { world: { plan, truth, dice }, fate, witness } = this;
    for (const host of plan.labels.keys()) {
      if (witness.isInWave(host) || truth.ended.has(host)) continue;
      truth.ended.set(host, { host, outcome: dice.chance(fate.failing) ? dice.pick<Outcome>(['unreachable', 'refused']) : 'compliant', failure: { kind: 'notJudged', summary: 'chance' } });
    }
  }

  /** What a real resume does first. */
  private finishThoseInTheMiddle(): void {
    const { inTheMiddle, truth, dice } = this.world;
    for (const host of inTheMiddle) truth.ended.set(host, { host, outcome: dice.chance(0.8) ? 'changed' : 'restored' });
    inTheMiddle.clear();
  }

  private later(ms: number, then: () => void): void {
    void this.clock.sleep(ms).then(() => { if (!this.isDead) then(); });
  }

  private work(hooks: HostHooks): RolloutWork {
    const { witness, world: { truth, dice } } = this;
    return {
      begin: async (host, mayBegin) => {
        witness.beginHost(host);
        const result = await orStuck(host, () => this.oneHost(host, mayBegin, hooks));
        witness.endHost(host);
        if (countsHere(result)) void afterMail().then(() => { witness.count(host); });
        if (result.outcome !== 'changed' && result.outcome !== 'compliant') void afterMail().then(() => { witness.unprove(host); });
        return result;
      },
      leaveOut: (hosts, failure) => mapLimited(hosts, 8, (host) => orStuck(host, async () => {
        const before = truth.ended.get(host);
        witness.claim(!witness.begun.has(host), () => `${host}: left out though it was begun`);
        const result: HostResult = before ?? { host, outcome: 'skipped', failure };
        truth.ended.set(host, result);
        await hooks.after(hostOf(host), NO_PLAN, result);
        return result;
      })),
      check: async (hosts, atOnce) => {
        // Who lost the run, and does not know it yet, takes hosts whose hooks it could not write down for stuck.
        if (this.facts < (this.fate.takenOverAtFact ?? Infinity)) witness.check(hosts);
        witness.goBack(atOnce);
        await this.clock.sleep(dice.between(100, 5_000));
        const relapsed = hosts.filter(() => dice.chance(this.fate.relapsing)).map((host): HostResult => ({ host, outcome: 'restored', failure: { kind: 'unhealthy', summary: 'well no more' } }));
        for (const result of relapsed) truth.ended.set(result.host, result);
        for (const { host } of relapsed) witness.count(host);
        return relapsed;
      },
      undo: async (hosts, atOnce) => {
        witness.undone.push(...hosts);
        if (hosts.length > 0) witness.goBack(atOnce);
        return await mapLimited(hosts, atOnce, async (host) => {
          const before = truth.ended.get(host) ?? { host, outcome: 'skipped' };
          if (!this.drain.signal.aborted && !dice.chance(0.5)) await this.clock.sleep(dice.between(10, 2_000));
          // A process that is dead does nothing more.
          const result: HostResult = this.drain.signal.aborted ? before : { host, outcome: 'restored', undone: true };
          truth.ended.set(host, result);
          return result;
        });
      },
    };
  }

  private async oneHost(name: string, mayBegin: () => boolean, hooks: HostHooks): Promise<HostResult> {
    const { world: { truth } } = this;
    const wasFull = this.facts >= (this.fate.diskFullAtFact ?? Infinity);
    const refusal = await hooks.before(hostOf(name), NO_PLAN);
    const late = mayBegin() ? undefined : BEFORE_ITS_TURN;
    const failure = refusal ?? late;
    const { hooks: { beforeHost } } = this.world.policy;
    if (failure === undefined && beforeHost !== undefined) this.witness.claim(!wasFull, () => `${name}: touched though its hooks are not durable`);
    let result: HostResult;
    if (failure === undefined) {
      this.touched.add(name);
      await this.clock.sleep(this.duration());
      result = this.outcome(name);
    } else result = { host: name, outcome: outcomeUntouched(failure), failure };
    truth.ended.set(name, result);
    await hooks.after(hostOf(name), NO_PLAN, result);
    return result;
  }

  private duration(): number {
    const { dice } = this.world;
    if (dice.chance(0.01)) return dice.between(600_000, 7_200_000);
    return Math.round(1_000 + 30_000 * -Math.log(1 - dice.next()));
  }

  private outcome(host: string): HostResult {
    const { dice } = this.world;
    if (!dice.chance(this.fate.failing)) return { host, outcome: dice.chance(0.05) ? 'compliant' : 'changed' };
    const kind = dice.pick<Failure['kind']>(['hook', 'notJudged', 'unhealthy', 'drift', 'locked']);
    return { host, outcome: dice.pick<Outcome>(['restored', 'restored', 'stuck', 'unreachable', 'refused']), failure: { kind, summary: 'chance' } };
  }

  private async command(command: CommandSpec, facts: unknown): Promise<CommandEnd> {
    const { dice } = this.world;
    const { hook, host } = facts as { hook: string; host?: { name: string } };
    this.witness.command(hook, host?.name);
    await this.clock.sleep(dice.between(10, 20_000));
    this.witness.commandEnded(hook, host?.name);
    if (dice.chance(this.fate.saysNo)) return { code: dice.pick<CommandEnd['code']>([1, 'timeout', 'notStarted']), output: 'no' };
    if (hook === 'gate') this.witness.gateIsOpen();
    return { code: command.run.length === 0 ? 1 : 0, output: '' };
  }

  private persons(take: (request: ControlRequest) => void): void {
    for (const { atMs, act } of this.fate.acts) {
      this.later(atMs, () => {
        this.asked += 1;
        take({ by: 'alice@desk', act, answer: (accepted) => { this.answered += 1; if (accepted) this.witness.accepted(act); } });
      });
    }
  }

  /** One after the other, as the real one does. */
  private record(fact: RunFact): Promise<Failure | undefined> {
    if (fact.type === 'waveBegan') this.witness.claim(!this.witness.isStopped, () => `wave ${fact.wave} is opened after a stop`);
    const next = this.lastRecord.then(() => this.append(fact));
    this.lastRecord = next.catch(() => undefined);
    return next;
  }

  private async append(fact: RunFact): Promise<Failure | undefined> {
    const { fate, witness, world: { truth, dice } } = this;
    this.facts += 1;
    if (this.facts === fate.diesAtFact) this.die();
    if (this.isDead) return await new Promise<never>(() => undefined);
    if (this.facts >= (fate.takenOverAtFact ?? Infinity)) throw new FleetmendError({ kind: 'fenced', summary: 'taken over' });
    if (this.facts >= (fate.diskFullAtFact ?? Infinity)) {
      // A host whose hooks are not durable is not touched; that it stops the rest comes with its end.
      if (fact.type !== 'hooksBegan' && fact.type !== 'hooksEnded' && fact.type !== 'hookFailed') void afterMail().then(() => { witness.isStopped = true; });
      return { kind: 'journal', summary: 'disk full' };
    }
    // A slow disk: what comes in meanwhile piles up.
    await (dice.chance(0.2) ? this.clock.sleep(dice.between(1, 5_000)) : Promise.resolve());
    truth.facts.push(fact);
    witness.fact(fact);
    return undefined;
  }
}
