/**
 * A Connector whose visits are started no faster than servers take them: one ramp for a whole command, so that survey, apply,
 * resume and undo share what it learned. Hosts wait here for their turn, before their own time limits begin; a wait ends at
 * once when its signal is aborted. Never repeats anything: patience is `reach`'s.
 */
import { FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Clock, Connector } from '../core/ports.js';
import { afterLogin, afterStart, afterTurnedAway, isTurnedAway, newRamp, waitForStart } from '../core/ramp.js';

export interface RampOptions {
  /** For all hosts together; at least 1. */
  readonly startsPerSecond: number;
}

export function rampConnector(connector: Connector, options: RampOptions, clock: Clock): Connector {
  const starts = new Starts(options, clock);
  return {
    openToRead: (host, signal) => starts.run(host, 'inTurn', () => connector.openToRead(host, signal), signal),
    async openToWrite(host, signal) {
      const place = starts.wasWrittenTo(host) ? 'ahead' : 'inTurn';
      const session = await starts.run(host, place, () => connector.openToWrite(host, signal), signal);
      starts.writesTo(host);
      return session;
    },
  };
}

interface Waiting {
  enter(): void;
}

/** One connection from its start to the login. */
interface Start {
  readonly atMs: number;
}

class Starts {
  private ramp;
  private readonly inTurn = new Set<Waiting>();
  /** Hosts that had a writing visit may be in the middle, with a guard that counts down: they are let out first. */
  private readonly ahead = new Set<Waiting>();
  private readonly written = new Set<string>();
  private readonly onTheWay = new Set<Start>();
  /** By host that was turned away the last time: the logins of all at that time. */
  private readonly turnedAway = new Map<string, number>();
  private alarm: { readonly atMs: number; readonly off: AbortController } | undefined;

  constructor({ startsPerSecond }: RampOptions, private readonly clock: Clock) {
    this.ramp = newRamp(startsPerSecond, clock.monotonicMs());
  }

  wasWrittenTo(host: Host): boolean {
    return this.written.has(host.name);
  }

  writesTo(host: Host): void {
    this.written.add(host.name);
  }

  async run<S>(host: Host, place: 'inTurn' | 'ahead', open: () => Promise<S>, signal: AbortSignal): Promise<S> {
    const start = await this.turn(this[place], signal);
    try {
      const session = await open();
      this.turnedAway.delete(host.name);
      this.ramp = afterLogin(this.ramp);
      return session;
    } catch (thrown) {
      if (thrown instanceof FleetmendError && isTurnedAway(thrown.failure.kind)) this.slowDown(host, start);
      throw thrown;
    } finally {
      this.onTheWay.delete(start);
      this.letOut();
    }
  }

  private slowDown(host: Host, start: Start): void {
    const loginsBefore = this.turnedAway.get(host.name);
    const about = { host: host.name, startedAtMs: start.atMs, onTheWay: this.onTheWay.size, ...(loginsBefore === undefined ? {} : { loginsBefore }) };
    this.ramp = afterTurnedAway(this.ramp, about, this.clock.monotonicMs());
    this.turnedAway.set(host.name, this.ramp.logins);
  }

  private turn(queue: Set<Waiting>, signal: AbortSignal): Promise<Start> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        queue.delete(waiting);
        this.letOut();
        reject(abortError(signal));
      };
      const waiting: Waiting = {
        enter: () => {
          signal.removeEventListener('abort', onAbort);
          const start = { atMs: this.clock.monotonicMs() };
          this.ramp = afterStart(this.ramp, start.atMs);
          this.onTheWay.add(start);
          resolve(start);
        },
      };
      if (signal.aborted) {
        reject(abortError(signal));
        return;
      }
      signal.addEventListener('abort', onAbort, { once: true });
      queue.add(waiting);
      this.letOut();
    });
  }

  /** Starts what may be started, and comes back when the next one may be. */
  private letOut(): void {
    for (;;) {
      const queue = this.ahead.size > 0 ? this.ahead : this.inTurn;
      const [next] = queue;
      if (next === undefined) return this.comeBackIn(undefined);
      const waitMs = waitForStart(this.ramp, [...this.onTheWay].map(({ atMs }) => atMs), this.clock.monotonicMs());
      if (waitMs > 0) return this.comeBackIn(waitMs);
      queue.delete(next);
      next.enter();
    }
  }

  /** `undefined`: nobody waits, and nothing keeps the process alive. */
  private comeBackIn(waitMs: number | undefined): void {
    const atMs = waitMs === undefined ? Number.POSITIVE_INFINITY : this.clock.monotonicMs() + waitMs;
    // An alarm that goes off early does no harm, and costs less than one that is set anew for each login.
    if (this.alarm !== undefined && waitMs !== undefined && this.alarm.atMs <= atMs) return;
    this.alarm?.off.abort();
    this.alarm = undefined;
    if (waitMs === undefined) return;
    const alarm = { atMs, off: new AbortController() };
    this.alarm = alarm;
    void this.clock.sleep(waitMs, alarm.off.signal).then(
      () => {
        if (this.alarm === alarm) this.alarm = undefined;
        this.letOut();
      },
      () => undefined,
    );
  }
}

function abortError(signal: AbortSignal): FleetmendError {
  const reason: unknown = signal.reason;
  return reason instanceof FleetmendError ? reason : new FleetmendError({ kind: 'interrupted', summary: 'interrupted while it waited for its turn to connect' });
}
