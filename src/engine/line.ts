/**
 * The writing connection of one host: opened when needed, and again after a loss, and each time the node is locked for
 * the run before anything else. Never more than one at a time.
 */
import type { Holder } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import { describeLock, judgeLock } from '../core/lock.js';
import type { Clock, Connector, WriteSession } from '../core/ports.js';
import type { LockAnswer } from '../core/query.js';
import { ask } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import { failureFrom } from './effect-failure.js';
import type { Patience } from './reach.js';
import { reach } from './reach.js';

export interface LinePorts {
  readonly connector: Connector;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** No new host is begun once this is aborted. */
  readonly drain?: AbortSignal;
  readonly holder: Holder;
}

export class Line {
  private session: WriteSession | undefined;
  private gone = false;
  private mayHold = false;
  /** The session that the node's lock names since we hold it. On a full disk that may be an earlier one of this run. */
  private heldAs: string | undefined;

  constructor(private readonly host: Host, private readonly ports: LinePorts) {}

  /** The open session, or a new one. After all patience was used up once, a single try must do. */
  async open(patience: Patience): Promise<WriteSession> {
    if (this.session !== undefined) return this.session;
    const allowed = this.gone ? { ...patience, waitsMs: [] } : patience;
    try {
      this.session = await reach(this.host, () => this.openLocked(), allowed, this.ports);
      this.gone = false;
      return this.session;
    } catch (thrown) {
      this.gone = thrown instanceof FleetmendError && patience.tries[thrown.failure.kind] !== undefined;
      throw thrown;
    }
  }

  /** False once all patience is used up: the host would only be waited for again and again. */
  canComeBack(): boolean {
    return !this.gone;
  }

  async drop(): Promise<void> {
    const session = this.session;
    this.session = undefined;
    await session?.close();
  }

  /** Gives the node free, and the connection up. A lock that cannot be given back tells its age to the next operator. */
  async release(): Promise<void> {
    if (!this.mayHold) return;
    try {
      const session = this.session ?? (this.gone ? undefined : await this.openLocked());
      this.session = session;
      await session?.perform({ do: 'unlock', run: this.ports.holder.run });
      this.mayHold = false;
    } catch {
      // Said by nobody: the lock's own age tells the next operator.
    } finally {
      await this.drop();
    }
  }

  private async openLocked(): Promise<WriteSession> {
    const { connector, signal, holder, clock } = this.ports;
    const session = await connector.openToWrite(this.host, signal);
    try {
      const { heldAs } = this;
      if (heldAs !== undefined) await this.refuseIfLost(session, heldAs);
      this.mayHold = true;
      const result = await session.perform({ do: 'lock', holder });
      this.mayHold = result.ok;
      if (result.ok) {
        this.heldAs ??= await heldSession(session, clock);
        return session;
      }
      if (result.reason !== 'locked') throw new FleetmendError(failureFrom('lock', result));
      throw new FleetmendError(await whoHolds(session, holder.run, clock, result.detail));
    } catch (thrown) {
      await session.close();
      throw thrown;
    }
  }

  private async refuseIfLost(session: WriteSession, heldAs: string): Promise<void> {
    const { clock, holder } = this.ports;
    const [lock] = await answerQuestions(ask({ ask: 'lock' } as const), session, clock);
    const lost = lock.ok ? lostTo(lock.value, holder.run, heldAs) : undefined;
    if (lost === undefined) return;
    this.mayHold = false;
    throw new FleetmendError(lost);
  }
}

async function heldSession(session: WriteSession, clock: Clock): Promise<string | undefined> {
  const [lock] = await answerQuestions(ask({ ask: 'lock' } as const), session, clock);
  return lock.ok && lock.value.held ? lock.value.session : undefined;
}

/** A lock that a person broke, or that a later process of this run took over, is not ours to take again. */
function lostTo(lock: LockAnswer, run: string, heldAs: string): Failure | undefined {
  if (lock.held && lock.run === run) {
    if (lock.session === heldAs) return undefined;
    return { kind: 'fenced', summary: 'another process of this run has taken this node over', next: 'leave this run to it' };
  }
  return { kind: 'locked', summary: 'the lock of this node was taken away from this run', next: `fleetmend resume ${run} brings this node to an end` };
}

/** Why the node did not give us the lock: by what it says now, or by what it said then. */
async function whoHolds(session: WriteSession, run: string, clock: Clock, said: string): Promise<Failure> {
  const [lock] = await answerQuestions(ask({ ask: 'lock' } as const), session, clock);
  if (lock.ok && lock.value.held) {
    const verdict = judgeLock(lock.value, run);
    return verdict.free ? { kind: 'locked', summary: describeLock(lock.value), next: 'run again' } : verdict.failure;
  }
  return { kind: 'locked', summary: `locked by ${said}`, next: 'run again' };
}
