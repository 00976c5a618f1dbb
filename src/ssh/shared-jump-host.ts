/**
 * One jump host and its few shared connections: one for all hosts behind it, and a further one only where the server carries no more
 * channels on those that there are. Lost, it is tried again once for everybody who waits; what a try failed of is the answer for
 * all of them. A login that was refused is never repeated.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { failureOf, FleetmendError } from '../core/failure.js';
import { untilAborted } from './abort.js';
import type { ConnectedHop } from './connect-hop.js';
import { createJumpConnection } from './jump-connection.js';
import type { JumpConnection } from './jump-connection.js';
import { jumpHostFailure, noChannelFailure, noRoomFailure } from './jump-failures.js';
import { isPassing, jumpPatience } from './jump-patience.js';
import type { Standing } from './jump-patience.js';
import type { Link } from './link.js';
import type { Hop } from './route.js';
import { shareWork } from './shared-work.js';
import type { SharedWork } from './shared-work.js';

export interface JumpTimes {
  /** A connection that nobody used for so long is closed. Default 60 000. */
  readonly idleMs: number;
  /** For a place on a jump host that carries no more, until another host leaves. Default 300 000. */
  readonly roomMs: number;
  /** What the tries failed of is everybody's answer for so long. Default 15 000. */
  readonly rememberedMs: number;
  /** What a jump host said of its limits is believed for so long. Default 60 000. */
  readonly limitsMs: number;
  /** For a silent jump host to answer. Default 10 000. */
  readonly probeMs: number;
  /** What the waits between tries are multiplied with. Default 1. */
  readonly pace: number;
}

export const JUMP_TIMES: JumpTimes = { idleMs: 60_000, roomMs: 300_000, rememberedMs: 15_000, limitsMs: 60_000, probeMs: 10_000, pace: 1 };

/** Connections to one jump host at a time, at most. */
const MOST_CONNECTIONS = 4;

export class SharedJumpHost {
  private readonly connections = new Set<JumpConnection>();
  private readonly waiting = new Set<() => void>();
  private connecting: SharedWork<JumpConnection> | undefined;
  private standing: Standing = 'new';
  private answer: { readonly failed: FleetmendError; readonly untilMs: number } | undefined;
  /** Channels on one connection, as far as the server has told lately. */
  private mostChannels = Number.POSITIVE_INFINITY;
  /** Until then; a shortage may be over. */
  private believedUntilMs = 0;
  /** It took no further connection. */
  private isBarred = false;

  constructor(private readonly jump: Hop, private readonly connectOnce: (signal: AbortSignal) => Promise<ConnectedHop>, private readonly times: JumpTimes) {}

  /** A connection to `host` through this jump host. Rejects with FleetmendError: `jumpHost`, or what is the host's own. */
  async dial(host: Hop, signal: AbortSignal): Promise<Link> {
    const untilMs = performance.now() + this.times.roomMs;
    for (;;) {
      const connection = await this.withRoom(host, untilMs, signal);
      const opened = await connection.open(host, signal);
      if (!('full' in opened)) return opened;
      if (opened.full === 0) throw new FleetmendError(noChannelFailure(this.jump));
      this.mostChannels = Math.min(this.mostChannels, opened.full);
      this.believedUntilMs = performance.now() + this.times.limitsMs;
    }
  }

  private async withRoom(host: Hop, untilMs: number, signal: AbortSignal): Promise<JumpConnection> {
    for (;;) {
      if (performance.now() >= this.believedUntilMs) this.mostChannels = Number.POSITIVE_INFINITY;
      for (const connection of this.connections) if (connection.channels < this.mostChannels) return connection;
      if (this.connections.size === 0) {
        const first = await this.connect(host, signal);
        if (first.lost) throw new FleetmendError(first.lost);
      } else if (this.connections.size < MOST_CONNECTIONS && !this.isBarred) {
        await this.connect(host, signal).catch((error: unknown) => {
          if (signal.aborted) throw error;
          this.isBarred = true;
        });
      } else {
        await this.room(host, untilMs, signal);
      }
    }
  }

  private async connect(host: Hop, signal: AbortSignal): Promise<JumpConnection> {
    this.connecting ??= shareWork((shared) => this.connectPatiently(shared).finally(() => {
      this.connecting = undefined;
    }));
    return await this.connecting.join(host, signal);
  }

  private async connectPatiently(signal: AbortSignal): Promise<JumpConnection> {
    // Whoever waits for it joins in before it fails or succeeds.
    await Promise.resolve();
    const isFurther = this.connections.size > 0;
    if (!isFurther && this.answer !== undefined && performance.now() < this.answer.untilMs) throw this.answer.failed;
    const startedMs = performance.now();
    for (let tried = 0; ; tried += 1) {
      try {
        const connected = await this.connectOnce(signal);
        const { link } = connected;
        // It let us in and hung up in one breath.
        if (!link.socket.writable) link.end(link.explainLoss('it said goodbye'));
        if (link.reason !== undefined) throw new FleetmendError(link.reason);
        return this.hold(connected);
      } catch (thrown) {
        const reason = failureOf(thrown);
        const failed = new FleetmendError(jumpHostFailure(this.jump, reason), { cause: thrown });
        // One that failed on a jump host before this one was tried again there.
        if (signal.aborted || isFurther || failed.failure === reason) throw failed;
        const { waitsMs, withinMs } = jumpPatience(reason.kind, this.standing);
        const waitMs = waitsMs[tried];
        const pauseMs = (waitMs ?? 0) * this.times.pace;
        if (waitMs === undefined || performance.now() + pauseMs - startedMs > withinMs) {
          this.standing = 'givenUp';
          this.answer = { failed, untilMs: isPassing(reason.kind) ? performance.now() + this.times.rememberedMs : Number.POSITIVE_INFINITY };
          throw failed;
        }
        await sleep(pauseMs, undefined, { signal });
      }
    }
  }

  private hold(connected: ConnectedHop): JumpConnection {
    const { idleMs, probeMs } = this.times;
    const connection = createJumpConnection(this.jump, connected, {
      idleMs, probeMs,
      onChange: () => {
        if (connection.lost !== undefined) this.connections.delete(connection);
        for (const look of this.waiting) look();
      },
    });
    if (this.connections.size === 0) {
      this.isBarred = false;
      this.mostChannels = Number.POSITIVE_INFINITY;
    }
    this.connections.add(connection);
    this.standing = 'known';
    this.answer = undefined;
    return connection;
  }

  /** Until a place may be free. */
  private async room(host: Hop, untilMs: number, signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let enter: () => void = () => undefined;
    const turn = new Promise<void>((resolve, reject) => {
      enter = resolve;
      const failure = noRoomFailure(this.jump, this.connections.size, this.mostChannels, this.times.roomMs);
      const isLast = untilMs <= this.believedUntilMs;
      timer = setTimeout(() => (isLast ? reject(new FleetmendError(failure)) : resolve()), Math.max(0, Math.min(untilMs, this.believedUntilMs) - performance.now()));
    });
    this.waiting.add(enter);
    try {
      await untilAborted(turn, host, signal);
    } finally {
      clearTimeout(timer);
      this.waiting.delete(enter);
    }
  }
}
