/**
 * Is a service well? One look is judged here, and many looks over time (a soak). Never waits and
 * never asks: whoever holds a session and a clock feeds it (kubelet.md 3.3).
 */
import { splitCommandLine } from './bytes.js';
import type { Check } from './check.js';
import type { AnswerTo, Questions } from './query.js';
import { ask } from './query.js';

export type HealthCheck = Extract<Check, { check: 'healthy' }>;

/** What identifies one unbroken life of a service. */
export interface Life {
  readonly mainPid: string;
  readonly invocationId: string;
  readonly restarts: number;
}

export type Look =
  | { readonly state: 'well'; readonly life: Life }
  /** May become well by waiting. */
  | { readonly state: 'notYet'; readonly why: string; readonly life?: Life }
  /** Waiting will not help. */
  | { readonly state: 'sick'; readonly why: string };

/** A service that systemd had to restart less than a minute ago may be in a crash loop that looks active between two crashes. */
const CRASH_LOOP_US = 60_000_000;

/** One look at the service, one round trip. */
export function* lookAtHealth(check: HealthCheck): Questions<Look> {
  const unitQuery = { ask: 'unit', unit: check.unit } as const;
  if (check.healthzUrl === undefined) {
    const [unit] = yield* ask(unitQuery);
    return judgeLook(check, unit, undefined);
  }
  const [unit, http] = yield* ask(unitQuery, { ask: 'http', url: check.healthzUrl, timeoutMs: 5_000 } as const);
  return judgeLook(check, unit, http);
}

type UnitLook = AnswerTo<{ ask: 'unit'; unit: string }>;
type HttpLook = AnswerTo<{ ask: 'http'; url: string; timeoutMs: number }>;

function judgeLook(check: HealthCheck, unit: UnitLook, http: HttpLook | undefined): Look {
  if (!unit.ok) return { state: 'notYet', why: `${check.unit} could not be looked at: ${unit.detail}` };
  const { ActiveState = '', SubState = '', Result = '', MainPID = '0', InvocationID = '', NRestarts = '0' } = unit.value.properties;
  const life = { mainPid: MainPID, invocationId: InvocationID, restarts: Number(NRestarts) };
  if (ActiveState === 'failed') return { state: 'sick', why: `${check.unit} failed (${Result})` };
  if (SubState === 'auto-restart') return { state: 'sick', why: `${check.unit} ended by itself and waits for its automatic restart` };
  if (ActiveState !== 'active' || SubState !== 'running') {
    return { state: 'notYet', why: `${check.unit} is ${ActiveState}/${SubState}`, life };
  }
  const upForUs = unit.value.monotonicUs - Number(unit.value.properties['ActiveEnterTimestampMonotonic'] ?? 0);
  if (life.restarts > 0 && upForUs < CRASH_LOOP_US) {
    return { state: 'sick', why: `${check.unit} was restarted automatically (${life.restarts} times, last ${Math.round(upForUs / 1e6)} s ago)` };
  }
  const argv = unit.value.process ? splitCommandLine(unit.value.process.cmdline) : [];
  if (!sameWords(argv, check.argv)) return { state: 'notYet', why: `${check.unit} runs another command line than expected`, life };
  return judgeHealthz(check, life, http);
}

function judgeHealthz(check: HealthCheck, life: Life, http: HttpLook | undefined): Look {
  if (http === undefined) return { state: 'well', life };
  if (!http.ok && http.reason === 'missingTool') {
    return { state: 'sick', why: `${check.healthzUrl ?? 'healthz'} cannot be asked: the node has no curl, wget or bash` };
  }
  if (!http.ok) return { state: 'notYet', why: `${check.healthzUrl ?? 'healthz'} does not answer`, life };
  if (http.value.status !== 200) return { state: 'notYet', why: `healthz answers ${http.value.status}`, life };
  return { state: 'well', life };
}

export function sameWords(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((word, index) => word === right[index]);
}

/** A soak in progress: `wellSinceMs` is the start of the unbroken stretch. */
export interface Soak {
  readonly startedMs: number;
  readonly firstRestarts?: number;
  readonly wellSinceMs?: number;
  readonly life?: Life;
  readonly lastWhy?: string;
}

export type SoakVerdict =
  | { readonly state: 'healthy' }
  | { readonly state: 'waiting'; readonly soak: Soak }
  | { readonly state: 'sick'; readonly why: string };

/** One look further. `nowMs` never goes back. */
export function soakOn(soak: Soak, look: Look, check: HealthCheck, nowMs: number): SoakVerdict {
  if (look.state === 'sick') return { state: 'sick', why: look.why };
  const firstRestarts = soak.firstRestarts ?? look.life?.restarts;
  if (look.life !== undefined && firstRestarts !== undefined && look.life.restarts > firstRestarts) {
    return { state: 'sick', why: `${check.unit} was restarted automatically while it was watched` };
  }
  const next = stretch({ ...soak, ...(firstRestarts !== undefined ? { firstRestarts } : {}) }, look, nowMs);
  if (next.wellSinceMs !== undefined && nowMs - next.wellSinceMs >= check.forMs) return { state: 'healthy' };
  if (nowMs - soak.startedMs >= check.withinMs) {
    const why = look.state === 'notYet' ? look.why : `${check.unit} was not well for ${check.forMs / 1000} s without a break`;
    return { state: 'sick', why: `${why} (after ${check.withinMs / 1000} s)` };
  }
  return { state: 'waiting', soak: next };
}

function stretch(soak: Soak, look: Look, nowMs: number): Soak {
  const { wellSinceMs, life, ...rest } = soak;
  if (look.state !== 'well') return { ...rest, ...(look.state === 'notYet' ? { lastWhy: look.why } : {}) };
  const unbroken = wellSinceMs !== undefined && life?.mainPid === look.life.mainPid && life.invocationId === look.life.invocationId;
  return { ...rest, wellSinceMs: unbroken ? wellSinceMs : nowMs, life: look.life };
}
