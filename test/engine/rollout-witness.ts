/**
 * Watches a rollout from outside and says what it may never do. Knows the policy, the plan, the journal and what it sees;
 * its rules are written anew here and call nothing of src/rollout.
 */
import type { HostResult } from '../../src/core/report.js';
import type { ControlAct, MaintenanceWindow, Rollout, RolloutPlan, RunFact } from '../../src/core/rollout.js';

export interface Truth {
  /** Durable: what the journals of the hosts say. */
  readonly ended: Map<string, HostResult>;
  readonly facts: RunFact[];
  readonly leftOut: Set<string>;
  /** Their afterHost ran to its end. */
  readonly paid: Set<string>;
}

interface WaveLog {
  lastEndMs: number;
  soakedMs: number;
  checkedMs: number;
  gateMs: number;
  saidMs: number;
}

/** What follows a moment within the same turn of the event loop has seen it. */
export async function afterMail(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

export class Witness {
  readonly violations: string[] = [];
  readonly working = new Set<string>();
  readonly begun = new Set<string>();
  readonly undone: string[] = [];
  most = 0;
  isStopped = false;
  /** By this process, in the journal. */
  private hasStopped = false;
  private isPaused = false;
  private asksPerson = false;
  private within: number | undefined;
  private readonly counted = new Set<string>();
  private readonly unproved = new Set<string>();
  private readonly started = new Map<string, number>();
  private readonly waveOf = new Map<string, number>();
  private readonly logs: WaveLog[];
  private readonly opened = new Set<number>();
  private readonly passed = new Set<number>();

  constructor(private readonly plan: RolloutPlan, private readonly policy: Rollout, private readonly truth: Truth, private readonly nowMs: () => number) {
    this.logs = plan.waves.map(() => ({ lastEndMs: 0, soakedMs: -1, checkedMs: -1, gateMs: -1, saidMs: -1 }));
    for (const [index, wave] of plan.waves.entries()) for (const host of wave.hosts) this.waveOf.set(host, index);
    for (const fact of truth.facts) {
      if (fact.type === 'waveBegan') this.passed.delete(fact.wave - 1);
      if (fact.type === 'wavePassed') this.passed.add(fact.wave - 1);
    }
  }

  claim(is: boolean, words: () => string): void {
    if (!is && this.violations.length < 20) this.violations.push(words());
  }

  /** Counts against the budget from now on. */
  count(host: string): void {
    this.counted.add(host);
  }

  isInWave(host: string): boolean {
    return this.waveOf.has(host);
  }

  /** Came to an end, and its change is not proved. */
  unprove(host: string): void {
    if (this.plan.waves[0]?.kind === 'canary' && this.waveOf.get(host) === 0) this.unproved.add(host);
  }

  /** Hosts are about to be brought back, so many at once at the most. */
  goBack(atOnce: number): void {
    const opened = this.truth.facts.findLast((fact) => fact.type === 'waveBegan');
    const wave = opened?.type === 'waveBegan' ? this.plan.waves[opened.wave - 1] : undefined;
    const allowed = wave === undefined || wave.kind === 'canary' ? 1 : (this.within ?? wave.within);
    this.claim(atOnce <= allowed, () => `${atOnce} at once on their way back, ${allowed} are allowed`);
  }

  command(hook: string, host?: string): void {
    const what = host === undefined ? hook : `${hook} ${host}`;
    this.started.set(what, (this.started.get(what) ?? 0) + 1);
    if (hook === 'beforeHost') this.claim(this.truth.facts.findLast((fact) => (fact.type === 'hooksBegan' || fact.type === 'hooksEnded') && fact.onHost === host)?.type === 'hooksBegan', () => `${host ?? ''}: beforeHost is started before it is durable that afterHost is owed`);
    if (hook === 'afterHost') this.claim(this.truth.facts.some((fact) => fact.type === 'hooksBegan' && fact.onHost === host), () => `${host ?? ''}: afterHost without a beginning`);
    if (host !== undefined) this.claim(this.started.get(what) === 1, () => `${what}: twice in one process`);
  }

  commandEnded(hook: string, host?: string): void {
    if (hook === 'afterHost' && host !== undefined) this.truth.paid.add(host);
  }

  /** At the end of a process that nobody killed. */
  judgeHooks(owed: ReadonlySet<string>): void {
    const [before, after] = [this.started.get('beforeRun') ?? 0, this.started.get('afterRun') ?? 0];
    this.claim(before <= 1 && before === after, () => `beforeRun ran ${before} times, afterRun ${after} times`);
    this.claim(this.begun.size === 0 || this.policy.hooks.beforeRun === undefined || before === 1, () => 'hosts were begun without beforeRun');
    this.claim(owed.size === 0, () => `${[...owed].join(', ')}: afterHost is owed still`);
    if (this.policy.hooks.afterHost === undefined) return;
    for (const fact of this.truth.facts) if (fact.type === 'hooksEnded') this.claim(this.truth.paid.has(fact.onHost), () => `${fact.onHost}: its afterHost never came to its end`);
  }

  get countedHosts(): ReadonlySet<string> {
    return this.counted;
  }

  beginHost(host: string): void {
    const wave = this.waveOf.get(host) ?? -1;
    const planned = this.plan.waves[wave];
    this.claim(!this.begun.has(host), () => `${host}: begun twice`);
    this.claim(!this.truth.ended.has(host) || ['unreachable', 'skipped'].includes(this.truth.ended.get(host)?.outcome ?? ''), () => `${host}: begun though it has an end`);
    this.claim(!this.truth.leftOut.has(host), () => `${host}: begun though a person left it out`);
    this.claim(!this.isStopped, () => `${host}: begun after a stop`);
    this.claim(!this.isPaused, () => `${host}: begun in a pause`);
    this.claim(this.isInWindow(), () => `${host}: begun outside the window`);
    this.claim(this.opened.has(wave), () => `${host}: begun before wave ${wave + 1} was open`);
    for (let before = 0; before < wave; before += 1) this.claim(this.passed.has(before), () => `${host} of wave ${wave + 1}: begun before wave ${before + 1} passed`);
    this.claimBudget(host);
    this.begun.add(host);
    this.working.add(host);
    const allowed = planned?.kind === 'canary' ? 1 : (this.within ?? planned?.within ?? 0);
    this.claim(this.working.size <= allowed, () => `${host}: ${this.working.size} at once, ${allowed} are allowed`);
    this.most = Math.max(this.most, this.working.size);
  }

  private claimBudget(host: string): void {
    const { run, per } = this.plan.budget;
    this.claim(run === undefined || this.counted.size < run.stopsAt, () => `${host}: begun with the budget of the run used up`);
    for (const { label, value, stopsAt } of this.counted.size === 0 ? [] : per) {
      const failed = [...this.counted].filter((name) => this.plan.labels.get(name)?.[label] === value).length;
      this.claim(failed < stopsAt, () => `${host}: begun with the budget of ${label} ${value} used up`);
    }
    this.claim(this.unproved.size === 0, () => `${host}: begun though the canary ${[...this.unproved].join(', ')} proved nothing`);
  }

  /** Has to stop, by the count alone. */
  isSpent(): boolean {
    const { run, per } = this.plan.budget;
    const ofValue = (label: string, value: string): number => [...this.counted].filter((name) => this.plan.labels.get(name)?.[label] === value).length;
    return (run !== undefined && this.counted.size >= run.stopsAt) || per.some(({ label, value, stopsAt }) => ofValue(label, value) >= stopsAt);
  }

  endHost(host: string): void {
    this.working.delete(host);
    const log = this.logs[this.waveOf.get(host) ?? -1];
    if (log !== undefined) log.lastEndMs = this.nowMs();
  }

  check(hosts: readonly string[]): void {
    const wave = this.current();
    const expected = this.plan.waves[wave]?.hosts.filter((host) => this.truth.ended.get(host)?.outcome === 'changed') ?? [];
    this.claim([...hosts].sort().join() === [...expected].sort().join(), () => `the gates of wave ${wave + 1} look at ${hosts.length} hosts, ${expected.length} were changed`);
    this.mark('checkedMs');
  }

  gateIsOpen(): void {
    this.mark('gateMs');
  }

  private mark(what: keyof WaveLog): void {
    const log = this.logs[this.current()];
    if (log !== undefined) log[what] = this.nowMs();
  }

  private current(): number {
    return Math.max(-1, ...this.opened);
  }

  fact(fact: RunFact): void {
    if (fact.type === 'stopped') {
      this.isStopped = true;
      this.hasStopped = true;
    }
    if (fact.type === 'waveBegan') {
      this.opened.add(fact.wave - 1);
      this.passed.delete(fact.wave - 1);
      const log = this.logs[fact.wave - 1];
      if (log !== undefined) log.lastEndMs = this.nowMs();
      this.claim(!this.hasStopped, () => `wave ${fact.wave} stands behind a stop in the journal`);
    }
    if (fact.type === 'waiting' && fact.for === 'person') this.asksPerson = true;
    if (fact.type === 'wavePassed') this.passWave(fact.wave - 1);
  }

  private passWave(wave: number): void {
    const planned = this.plan.waves[wave];
    const log = this.logs[wave];
    if (planned === undefined || log === undefined) return;
    this.passed.add(wave);
    const open = planned.hosts.filter((host) => !this.truth.ended.has(host));
    this.claim(open.length === 0, () => `wave ${wave + 1} passed with ${open.length} hosts without an end`);
    if (wave === this.plan.waves.length - 1) return;
    this.claim(log.checkedMs >= log.lastEndMs + this.policy.soakMs, () => `wave ${wave + 1}: looked at ${log.checkedMs - log.lastEndMs} ms after its last host, the soak is ${this.policy.soakMs} ms`);
    this.claim(this.policy.gate === undefined || log.gateMs >= log.checkedMs, () => `wave ${wave + 1} passed a gate that did not open`);
    const { pauseAfter } = this.policy;
    // Which waves of the plan are meant when some are empty is told by other tests.
    if (pauseAfter === 'every') this.claim(log.saidMs >= log.checkedMs, () => `wave ${wave + 1} passed without a word of a person`);
  }

  accepted(act: ControlAct): void {
    this.claim(this.truth.facts.some((fact) => fact.type === 'controlled' && JSON.stringify(fact.act) === JSON.stringify(act)), () => `${act.do}: had its effect before it was written down`);
    if (act.do === 'pause') this.isPaused = true;
    if (act.do === 'continue') {
      this.isPaused = false;
      if (this.asksPerson) this.mark('saidMs');
      this.asksPerson = false;
    }
    if (act.do === 'within') this.within = act.count;
    if (act.do === 'skip') this.truth.leftOut.add(act.host);
    if (act.do === 'stop' || act.do === 'undo') this.isStopped = true;
  }

  private isInWindow(): boolean {
    const { window } = this.policy;
    return window === undefined || isOpenAt(window, this.nowMs());
  }
}

/** UTC, every day. */
function isOpenAt({ from, to }: MaintenanceWindow, ms: number): boolean {
  const time = new Date(ms).toISOString().slice(11, 16);
  return from < to ? time >= from && time < to : time >= from || time < to;
}
