/**
 * How fast connections may be started, apart from how many hosts are worked on: so many a second after a free burst, and so
 * many on the way in at once. Both are cut by a factor when servers turn us away, and grow by small steps with every login
 * (the rule of TCP). Pure: knows no queue and no clock, and never gives up a host.
 */
import type { FailureKind } from './failure.js';

/**
 * Starts a second when nobody says otherwise, for all hosts together. The first BURST starts are free, so a fleet of up to 32
 * hosts is not slowed at all.
 */
export const DEFAULT_STARTS_PER_SECOND = 100;
export const BURST = 32;

/** On the way in at once, before anybody turned us away. In practice the concurrency is the limit. */
const MOST_AT_ONCE = 256;
/** Never cut below these, so that servers that turn everybody away cannot stop the others: sshd's own limit begins at 10. */
const LEAST_AT_ONCE = 4;
const LEAST_PER_SECOND = 4;
const AT_ONCE_FACTOR = 0.5;
const PER_SECOND_FACTOR = 0.7;
/** What each login adds to the starts a second. */
const PER_SECOND_STEP = 1;
/** A start that got no answer for so long gives its place to the next one: a dead host holds nobody up for longer. */
const SILENT_AFTER_MS = 3_000;
/**
 * Turned away because of us: two different hosts with fewer logins than this between them. A host that is turned away again
 * although so many others were let in since has reasons of its own.
 */
const QUIET_AFTER_LOGINS = 8;

export interface Ramp {
  /** What was asked for; never exceeded. */
  readonly limitPerSecond: number;
  readonly perSecond: number;
  readonly atOnce: number;
  /** Starts that are free now. */
  readonly inHand: number;
  /** When `inHand` was counted. */
  readonly countedAtMs: number;
  readonly cutAtMs: number;
  readonly logins: number;
  /** The last host that was turned away for no reason of its own, and the logins at that time. */
  readonly suspicion?: { readonly host: string; readonly logins: number };
}

export function newRamp(startsPerSecond: number, nowMs: number): Ramp {
  return {
    limitPerSecond: startsPerSecond, perSecond: startsPerSecond, atOnce: MOST_AT_ONCE,
    inHand: Math.min(BURST, startsPerSecond), countedAtMs: nowMs, cutAtMs: Number.NEGATIVE_INFINITY, logins: 0,
  };
}

/** How long the next start has to wait; 0 is now. `startedAtMs`: of those on the way in, oldest first. */
export function waitForStart(ramp: Ramp, startedAtMs: readonly number[], nowMs: number): number {
  const answering = startedAtMs.filter((startedMs) => nowMs - startedMs < SILENT_AFTER_MS);
  const leaves = answering[answering.length - Math.floor(ramp.atOnce)];
  const untilPlaceMs = leaves === undefined ? 0 : leaves + SILENT_AFTER_MS - nowMs;
  const missing = 1 - refilled(ramp, nowMs);
  return Math.max(untilPlaceMs, missing <= 0 ? 0 : Math.ceil((missing * 1_000) / ramp.perSecond));
}

export function afterStart(ramp: Ramp, nowMs: number): Ramp {
  return { ...ramp, inHand: refilled(ramp, nowMs) - 1, countedAtMs: nowMs };
}

export function afterLogin(ramp: Ramp): Ramp {
  return {
    ...ramp, logins: ramp.logins + 1,
    perSecond: Math.min(ramp.limitPerSecond, ramp.perSecond + PER_SECOND_STEP),
    atOnce: Math.min(MOST_AT_ONCE, ramp.atOnce + 1 / ramp.atOnce),
  };
}

/** A connection that was turned away: when it was started, and how many were on their way in, itself included. */
export interface TurnedAway {
  readonly host: string;
  readonly startedAtMs: number;
  readonly onTheWay: number;
  /** The logins of all hosts when the same host was turned away the last time, unless it was let in since. */
  readonly loginsBefore?: number;
}

/** Cuts once for all the connections that were on their way together, and never for a host that is alone in its trouble. */
export function afterTurnedAway(ramp: Ramp, { host, startedAtMs, onTheWay, loginsBefore }: TurnedAway, nowMs: number): Ramp {
  const isRecent = (logins: number): boolean => ramp.logins - logins < QUIET_AFTER_LOGINS;
  if (startedAtMs <= ramp.cutAtMs || (loginsBefore !== undefined && !isRecent(loginsBefore))) return ramp;
  const { suspicion } = ramp;
  const suspected = { ...ramp, suspicion: { host, logins: ramp.logins } };
  if (suspicion === undefined || suspicion.host === host || !isRecent(suspicion.logins)) return suspected;
  return {
    ...suspected,
    perSecond: Math.max(Math.min(LEAST_PER_SECOND, ramp.limitPerSecond), ramp.perSecond * PER_SECOND_FACTOR),
    atOnce: Math.max(LEAST_AT_ONCE, Math.floor(Math.min(ramp.atOnce, onTheWay) * AT_ONCE_FACTOR)),
    inHand: 0, countedAtMs: nowMs, cutAtMs: nowMs,
  };
}

/**
 * What a server does that has too much of us: sshd closes before the handshake (MaxStartups, PerSourcePenalties), or does not
 * get round to it. Never a login that was refused, nor a host key.
 */
export function isTurnedAway(kind: FailureKind): boolean {
  return kind === 'lostBeforeHandshake' || kind === 'handshakeTimeout';
}

/** A burst is a thing of the beginning: after a cut no more is saved up than may be on the way at once. */
function refilled(ramp: Ramp, nowMs: number): number {
  const most = Math.min(BURST, ramp.limitPerSecond, ramp.atOnce);
  return Math.min(most, ramp.inHand + ((nowMs - ramp.countedAtMs) * ramp.perSecond) / 1_000);
}
