/**
 * One sshd that many hosts stand behind, in virtual time: what it does with connections that are not logged in yet
 * (MaxStartups, as its drop_connection() decides it), and with sources that it punishes (PerSourcePenalties of OpenSSH 9.8 and
 * later, acted out: the source is refused for a while after so many failed logins). Never opens a socket.
 */
import { FleetmendError, type FailureKind } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { Clock, Connector, ReadSession } from '../../src/core/ports.js';

export interface MaxStartups {
  readonly begin: number;
  /** Percent that are dropped from `begin` on, rising to all at `full`. */
  readonly rate: number;
  readonly full: number;
}

export const MAX_STARTUPS_10_30_60: MaxStartups = { begin: 10, rate: 30, full: 60 };

/** What sshd decides of the next connection when so many are not logged in yet; `chance` from 0 to 1. */
export function isDropped({ begin, rate, full }: MaxStartups, startups: number, chance: number): boolean {
  if (startups < begin) return false;
  if (startups >= full) return true;
  return chance * 100 < rate + ((100 - rate) * (startups - begin)) / (full - begin);
}

/** What is wrong with one host, whatever the server has room for. */
export type Trouble = 'drops' | 'dead' | 'refusesKey';

export interface FakeSshdOptions {
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly maxStartups?: MaxStartups;
  readonly penalty?: { readonly failedLogins: number; readonly forMs: number };
  readonly trouble?: (host: Host, nowMs: number) => Trouble | undefined;
}

export interface FakeSshd {
  readonly connector: Connector;
  /** Tries by host. */
  readonly tries: ReadonlyMap<string, number>;
  readonly dropped: () => number;
  /** Starts of connections in ms, in order. */
  readonly startedAtMs: readonly number[];
}

/** A login takes 400 ms (a directory is asked), and 15 ms more for each other one under way. */
const LOGIN_MS = 400;
const LOGIN_MORE_MS = 15;
/** Of a host that swallows packets. */
const DEAD_MS = 10_000;

export function createFakeSshd({ clock, random, maxStartups, penalty, trouble = () => undefined }: FakeSshdOptions): FakeSshd {
  const tries = new Map<string, number>();
  const startedAtMs: number[] = [];
  let startups = 0;
  let dropped = 0;
  let failedLogins = 0;
  let punishedUntilMs = 0;

  const isTurnedAway = (): boolean =>
    clock.monotonicMs() < punishedUntilMs || (maxStartups !== undefined && isDropped(maxStartups, startups, random()));
  const drop = async (signal: AbortSignal): Promise<never> => {
    dropped += 1;
    await clock.sleep(2, signal);
    return fail('lostBeforeHandshake');
  };
  const open = async (host: Host, signal: AbortSignal): Promise<ReadSession> => {
    tries.set(host.name, (tries.get(host.name) ?? 0) + 1);
    startedAtMs.push(clock.monotonicMs());
    const wrong = trouble(host, clock.monotonicMs());
    if (wrong === 'dead') {
      await clock.sleep(DEAD_MS, signal);
      return fail('connectTimeout');
    }
    if (wrong === 'drops' || isTurnedAway()) return await drop(signal);
    startups += 1;
    try {
      await clock.sleep(LOGIN_MS + LOGIN_MORE_MS * startups, signal);
    } finally {
      startups -= 1;
    }
    if (wrong === 'refusesKey') {
      failedLogins += 1;
      if (penalty !== undefined && failedLogins % penalty.failedLogins === 0) punishedUntilMs = clock.monotonicMs() + penalty.forMs;
      return fail('authentication');
    }
    return { hostKey: 'SHA256:fake', ask: () => Promise.resolve([]), close: () => Promise.resolve() };
  };
  const connector: Connector = {
    openToRead: open,
    openToWrite: () => Promise.reject(new Error('nobody writes here')),
  };
  return { connector, tries, dropped: () => dropped, startedAtMs };
}

function fail(kind: FailureKind): never {
  throw new FleetmendError({ kind, summary: kind });
}
