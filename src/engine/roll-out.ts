/**
 * Carries out a rollout: asks src/rollout what comes next, begins hosts, runs soaks, gates and hooks, and listens to people.
 * One loop, one mailbox; whatever takes time reports back by post. Never decides when a host may begin: decideRollout does.
 */
import { failureOf } from '../core/failure.js';
import type { ControlRequest } from '../core/ports.js';
import type { HostResult } from '../core/report.js';
import type { RunFact } from '../core/rollout.js';
import { decideRollout } from '../rollout/decide-rollout.js';
import type { RolloutMove } from '../rollout/decide-rollout.js';
import { judgeControl } from '../rollout/judge-control.js';
import type { RolloutInput, RolloutState, Stop } from '../rollout/rollout-state.js';
import { advanceRollout, isProof, startRollout, stopAsked } from '../rollout/rollout-state.js';
import { progressOf } from '../rollout/progress-text.js';
import { isFenced } from './act.js';
import { createMailbox } from './mailbox.js';
import { RolloutCommands } from './rollout-commands.js';
import { LEFT_OUT, countThrough, isChanged, skipTheRest, takeBack } from './settle-rollout.js';
import type { RolloutEnd, RolloutPorts, RolloutStart, RolloutWork } from './rollout-ports.js';

/** A pause, or a wave that a person must let go on, ends as a stop when nobody came back for so long. */
export const PATIENCE_MS = 24 * 3_600_000;

/** `thrown`: another process has this run now. */
type Mail = { readonly input: RolloutInput } | { readonly request: ControlRequest } | { readonly thrown: unknown };

export async function rollOut(start: RolloutStart, work: RolloutWork, ports: RolloutPorts): Promise<RolloutEnd> {
  // Nothing to roll out: no waves, no hooks, no facts.
  if (start.plan.waves.length === 0) return { results: new Map(), complaints: [] };
  return await new Course(start, work, ports).follow();
}

class Course {
  private state: RolloutState;
  private readonly mailbox;
  private readonly results = new Map<string, HostResult>();
  private readonly begun = new Set<string>();
  private readonly commands: RolloutCommands;
  private readonly abandoned = new AbortController();
  private opensAtMs?: number;
  /** Of this process: each that opens a wave runs the hooks of the run. */
  private hasBegun = false;
  private readonly endedBefore: number;
  /** From the moment on that a stop is on its way to the disk. */
  private isStopping = false;
  private isOver = false;
  private readonly pending = new Set<Promise<void>>();

  constructor(private readonly start: RolloutStart, private readonly work: RolloutWork, private readonly ports: RolloutPorts) {
    this.state = startRollout(start.plan, start.failedBefore, start.past);
    this.mailbox = createMailbox<Mail>(ports.clock);
    this.endedBefore = start.plan.waves.flatMap(({ hosts }) => hosts).filter((host) => start.past.ended.has(host)).length;
    this.commands = new RolloutCommands(ports, (stop) => { this.post({ is: 'stop', stop }); });
  }

  async follow(): Promise<RolloutEnd> {
    const { ports } = this;
    const deafen = ports.controls.listen((request) => { if (this.isOver) refuse(request); else this.mailbox.post({ request }); });
    const onDrain = (): void => { this.post({ is: 'stop', stop: { reason: 'interrupt', summary: 'the run was interrupted', then: 'halt' } }); };
    if (ports.drain.aborted) onDrain();
    else ports.drain.addEventListener('abort', onDrain, { once: true });
    try {
      await this.record({ type: 'rolloutBegan', by: ports.by });
      await this.loop();
      this.hearNobody();
      return await this.end();
    } catch (thrown) {
      // What is under way is brought to its end whoever has the run now: hosts have fences of their own.
      this.abandoned.abort();
      await Promise.all(this.pending);
      throw thrown;
    } finally {
      this.hearNobody();
      deafen();
      ports.drain.removeEventListener('abort', onDrain);
      this.abandoned.abort();
    }
  }

  private post(input: RolloutInput): void {
    this.mailbox.post({ input });
  }

  /** Nothing is left to steer; whoever asked in the last moment is told so. */
  private hearNobody(): void {
    this.isOver = true;
    for (let mail = this.mailbox.poll(); mail !== undefined; mail = this.mailbox.poll()) if ('request' in mail) refuse(mail.request);
  }

  private async loop(): Promise<void> {
    for (;;) {
      const mail = this.mailbox.poll();
      if (mail !== undefined) {
        await this.open(mail);
        continue;
      }
      const move = decideRollout(this.start.plan, this.ports.policy, this.state, this.ports.clock.now());
      if (move.do === 'end') return;
      if (move.do !== 'wait') {
        await this.act(move);
        continue;
      }
      await this.tellWindow(move);
      const next = await this.mailbox.take(move.untilMs);
      if (next !== undefined) await this.open(next);
    }
  }

  private async open(mail: Mail): Promise<void> {
    if ('request' in mail) return await this.answer(mail.request);
    if ('thrown' in mail) throw mail.thrown;
    const { input } = mail;
    if (input.is === 'ended') this.results.set(input.result.host, input.result);
    if (input.is === 'stop') return await this.stop(input.stop);
    this.advance(input);
    // Whatever of a host the journal did not take: the next one would fare no better.
    if (input.is === 'ended' && input.result.failure?.kind === 'journal') await this.stop({ reason: 'journal', summary: input.result.failure.summary, then: 'halt' });
  }

  private advance(input: RolloutInput): void {
    this.state = advanceRollout(this.state, input, this.start.plan, this.start.past);
    this.tell();
  }

  private async act(move: Exclude<RolloutMove, { do: 'wait' | 'end' }>): Promise<void> {
    switch (move.do) {
      case 'stop':
        return await this.stop(move.stop);
      case 'open':
        return this.openWave();
      case 'begin':
        return this.beginHost(move.host);
      case 'leaveOut':
        return await this.leaveOut(move.host);
      case 'soak':
        return await this.soak(move.ms);
      case 'check':
        return this.checkWave();
      case 'ask':
        return await this.ask();
      case 'pass':
        return this.passWave();
    }
  }

  /** The first stop counts; only an undo that a person asks for later adds to it. */
  private async stop(stop: Stop): Promise<void> {
    const isMore = stop.reason === 'person' && stop.then !== 'halt' && this.state.stop?.then === 'halt';
    if (this.state.stop !== undefined && !isMore) return;
    this.isStopping = true;
    await this.ports.record({ type: 'stopped', ...stop });
    this.advance({ is: 'stop', stop });
    // A soak that nobody waits for any more.
    if (this.state.stage === 'soaking') this.abandoned.abort();
  }

  /** A fact that the journal does not take lets no further host begin. */
  private async record(fact: RunFact): Promise<boolean> {
    const undurable = await this.ports.record(fact);
    if (undurable === undefined) return true;
    this.post({ is: 'stop', stop: { reason: 'journal', summary: undurable.summary, then: 'halt' } });
    return false;
  }

  private async answer({ act, by, answer }: ControlRequest): Promise<void> {
    const isOver = (host: string): boolean => this.begun.has(host) || this.results.has(host) || this.start.past.ended.has(host);
    const { accepted, text } = judgeControl(act, this.state, this.start.plan, isOver);
    if (!accepted) return answer(false, text);
    if (!(await this.record({ type: 'controlled', by, act }))) return answer(false, 'the journal cannot be written: the rollout stops');
    if (act.do === 'stop' || act.do === 'undo') await this.stop(stopAsked(by, act));
    else this.advance({ is: 'control', act, untilMs: this.patienceEnds() });
    answer(true, text);
  }

  private patienceEnds(): number {
    return this.ports.clock.now().getTime() + PATIENCE_MS;
  }

  private waveFacts(): { wave: { number: number; of: number; hosts: readonly string[] } } {
    const { plan } = this.start;
    return { wave: { number: this.state.wave + 1, of: plan.waves.length, hosts: plan.waves[this.state.wave]?.hosts ?? [] } };
  }

  /** Work that reports by post, with `input` unless it says another one: people are listened to meanwhile. */
  private aside(input: RolloutInput, work: () => Promise<RolloutInput | undefined>): void {
    const failed = (thrown: unknown): undefined => {
      if (isFenced(thrown)) this.mailbox.post({ thrown });
      else this.post({ is: 'stop', stop: { reason: 'journal', summary: failureOf(thrown).summary, then: 'halt' } });
    };
    this.follows(work().catch(failed).then((other) => { this.post(other ?? input); }));
  }

  private follows(work: Promise<void>): void {
    this.pending.add(work);
    void work.then(() => this.pending.delete(work));
  }

  private openWave(): void {
    this.advance({ is: 'opening' });
    const { wave } = this.waveFacts();
    const isFirst = !this.hasBegun;
    this.hasBegun = true;
    this.aside({ is: 'closed' }, async () => {
      const isFree = (!isFirst || (await this.commands.hook('beforeRun', {}))) && (await this.commands.hook('beforeWave', { wave }));
      if (!isFree || this.isStopping) return undefined;
      return (await this.record({ type: 'waveBegan', wave: wave.number, of: wave.of, hosts: wave.hosts.length })) ? { is: 'opened' } : undefined;
    });
  }

  private beginHost(host: string): void {
    this.begun.add(host);
    this.advance({ is: 'began', host });
    this.follows(this.work.begin(host, () => !this.isStopping && !this.ports.drain.aborted).then((result) => { this.post({ is: 'ended', result }); }));
  }

  private async leaveOut(host: string): Promise<void> {
    this.advance({ is: 'began', host });
    for (const result of await this.work.leaveOut([host], LEFT_OUT)) {
      this.results.set(result.host, result);
      this.advance({ is: 'ended', result });
    }
  }

  private async soak(ms: number): Promise<void> {
    this.advance({ is: 'soaking' });
    await this.record({ type: 'soaking', wave: this.state.wave + 1, ms });
    this.aside({ is: 'soaked' }, () => this.ports.clock.sleep(ms, this.abandoned.signal).then(() => undefined, () => undefined));
  }

  /** Every changed host of the wave is looked at again, then the gate is asked. */
  private checkWave(): void {
    this.advance({ is: 'checking' });
    const facts = this.waveFacts();
    const failed: string[] = [];
    this.aside({ is: 'checked', failed }, async () => {
      const changed = facts.wave.hosts.filter((host) => isChanged(host, this.start, this.results));
      const seen = await this.work.check(changed, this.backAtOnce());
      for (const result of seen) this.results.set(result.host, result);
      const relapsed = seen.filter((result) => !isProof(result));
      failed.push(...relapsed.map(({ host }) => host));
      await this.commands.gate(facts.wave.number, relapsed, facts);
      return undefined;
    });
  }

  private async ask(): Promise<void> {
    const untilMs = this.patienceEnds();
    await this.record({ type: 'waiting', for: 'person', until: new Date(untilMs).toISOString() });
    this.advance({ is: 'asked', untilMs });
  }

  private async tellWindow(move: Extract<RolloutMove, { do: 'wait' }>): Promise<void> {
    if (move.for !== 'window' || move.untilMs === undefined || move.untilMs === this.opensAtMs) return;
    this.opensAtMs = move.untilMs;
    await this.record({ type: 'waiting', for: 'window', until: new Date(move.untilMs).toISOString() });
    this.tell();
  }

  private passWave(): void {
    this.advance({ is: 'passing' });
    const { wave } = this.waveFacts();
    const results = wave.hosts.flatMap((host) => this.results.get(host) ?? []).map(({ host, outcome }) => ({ host, outcome }));
    this.aside({ is: 'passed' }, async () => {
      if (await this.commands.hook('afterWave', { wave, results })) await this.record({ type: 'wavePassed', wave: wave.number, through: countThrough(wave.hosts, this.start, this.results), hosts: wave.hosts.length });
      return undefined;
    });
  }

  /** Hosts are brought back no faster than they were begun. */
  private backAtOnce(): number {
    const wave = this.start.plan.waves[this.state.lastOpened ?? 0];
    return Math.max(1, wave === undefined || wave.kind === 'canary' ? 1 : (this.state.within ?? wave.within));
  }

  private async end(): Promise<RolloutEnd> {
    const { stop } = this.state;
    await skipTheRest(this.start, this.state, this.results, this.work);
    const isDone = await takeBack(this.start, this.state, this.results, this.work, this.backAtOnce());
    const facts = { ...(stop ? { stopped: stop } : {}), results: [...this.results.values()].map(({ host, outcome }) => ({ host, outcome })) };
    if (this.hasBegun) await this.commands.afterRun(facts);
    if (isDone) await this.ports.record({ type: 'rolloutEnded' });
    return { results: this.results, complaints: this.commands.complaints, ...(stop ? { stop } : {}) };
  }

  private tell(): void {
    const { state, start: { plan }, ports: { run, emit, clock } } = this;
    const isClosed = this.opensAtMs !== undefined && this.opensAtMs > clock.now().getTime();
    const ended = this.results.size + this.endedBefore;
    emit({ event: 'rollout', run, ...progressOf(plan, state, { ended, ...(isClosed ? { opensAtMs: this.opensAtMs } : {}) }), at: clock.now().toISOString() });
  }
}

function refuse({ answer }: ControlRequest): void {
  answer(false, 'the rollout has ended: nothing is left to steer');
}
