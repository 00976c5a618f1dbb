/**
 * Where a rollout stands, and how what happened moves it on. Pure: whoever holds the hosts, the clock and the keyboard
 * feeds it. Small whatever the size of the fleet: a host that is through leaves only its count behind.
 */
import type { HostResult } from '../core/report.js';
import type { ControlAct, OnStop, RolloutPlan, StopReason } from '../core/rollout.js';
import type { Tally } from './budget.js';
import { NO_FAILURES, addFailure, countsAsFailed } from './budget.js';

export interface Stop {
  readonly reason: StopReason;
  /** One line for people: why. */
  readonly summary: string;
  readonly then: OnStop;
}

/**
 * `closed`: not begun. `opening`: its hook runs. `open`: hosts are taken. `soaking`, `checking`: between it and the next one.
 * `person`: somebody must say continue; `approved`: did. `passing`: its last hook runs.
 */
export type WaveStage = 'closed' | 'opening' | 'open' | 'soaking' | 'soaked' | 'checking' | 'checked' | 'person' | 'approved' | 'passing';

export interface RolloutState {
  /** From 0; the number of waves when all are through. */
  readonly wave: number;
  readonly stage: WaveStage;
  /** Of the current wave: those that are still to be taken, in order; `next` points into it. */
  readonly queue: readonly string[];
  readonly next: number;
  readonly working: ReadonlySet<string>;
  readonly tally: Tally;
  /** From 0: the wave that was begun last; absent while none was. */
  readonly lastOpened?: number;
  /** A host of this wave that did not prove its change, whatever kept it from that. */
  readonly unproved?: string;
  readonly paused: boolean;
  /** When nobody comes back from a pause, or says continue after a wave: milliseconds since the epoch. */
  readonly patienceEndsMs?: number;
  /** What a person set. */
  readonly within?: number;
  /** What a person wants left out. */
  readonly leftOut: ReadonlySet<string>;
  readonly stop?: Stop;
}

/** The stop that a person asks for. */
export function stopAsked(by: string, act: Exclude<ControlAct, Steering>): Stop {
  if (act.do === 'stop') return { reason: 'person', summary: `${by} stopped the rollout`, then: 'halt' };
  const [what, then] = act.scope === 'wave' ? (['this wave', 'undoWave'] as const) : (['the run', 'undoRun'] as const);
  return { reason: 'person', summary: `${by} wants ${what} undone`, then };
}

/** What a person asks that is no stop. */
export type Steering = Exclude<ControlAct, { readonly do: 'stop' | 'undo' }>;

export type RolloutInput =
  /** `closed`: its opening came to nothing. */
  | { readonly is: 'opening' | 'closed' | 'opened' | 'soaking' | 'soaked' | 'checking' | 'passing' }
  /** `failed`: changed hosts that are no longer well. */
  | { readonly is: 'checked'; readonly failed: readonly string[] }
  /** The wave is through; its successor may be opened. */
  | { readonly is: 'passed' }
  /** A person is asked to say continue, until then. */
  | { readonly is: 'asked'; readonly untilMs: number }
  | { readonly is: 'began'; readonly host: string }
  | { readonly is: 'ended'; readonly result: HostResult }
  /** `untilMs`: of a pause. */
  | { readonly is: 'control'; readonly act: Steering; readonly untilMs: number }
  | { readonly is: 'stop'; readonly stop: Stop };

/** What is known of a run that is taken up again. */
export interface RolloutPast {
  /** Hosts that have an end already: they are not taken again. */
  readonly ended: ReadonlySet<string>;
  /** Those of them that proved their change, or needed none. */
  readonly proved: ReadonlySet<string>;
  /** From 0: waves whose gates were passed. */
  readonly passed: ReadonlySet<number>;
  /** From 0: the wave that was begun last. */
  readonly lastOpened?: number;
  /** What persons wanted left out. */
  readonly leftOut: ReadonlySet<string>;
  /** A stop whose consequences were not carried out to the end. */
  readonly stop?: Stop;
}

export const NO_PAST: RolloutPast = { ended: new Set(), proved: new Set(), passed: new Set(), leftOut: new Set() };

/** `failedBefore`: hosts that count from the start. */
export function startRollout(plan: RolloutPlan, failedBefore: readonly string[], past: RolloutPast): RolloutState {
  const tally = failedBefore.reduce((sum, host) => addFailure(sum, plan, host), NO_FAILURES);
  const start: RolloutState = {
    wave: -1, stage: 'closed', queue: [], next: 0, working: new Set(), tally, paused: false, leftOut: past.leftOut,
    ...(past.stop ? { stop: past.stop } : {}), ...(past.lastOpened === undefined ? {} : { lastOpened: past.lastOpened }),
  };
  return nextWave(start, plan, past);
}

/** The next wave that has something left to do: hosts to take, or gates that were never passed. */
function nextWave(state: RolloutState, plan: RolloutPlan, past: RolloutPast): RolloutState {
  let wave = state.wave + 1;
  while (wave < plan.waves.length && past.passed.has(wave) && openHosts(plan, wave, past).length === 0) wave += 1;
  const { unproved: _, ...rest } = state;
  const unproved = unprovedCanary(plan, wave, state.tally, past);
  return { ...rest, wave, stage: 'closed', queue: openHosts(plan, wave, past), next: 0, ...(unproved === undefined ? {} : { unproved }) };
}

/** A canary that proved nothing to an earlier process proves no more to this one. */
function unprovedCanary({ waves }: RolloutPlan, wave: number, { failed }: Tally, { ended, proved }: RolloutPast): string | undefined {
  if (waves[wave]?.kind !== 'canary') return undefined;
  return waves[wave].hosts.find((host) => failed.includes(host) || (ended.has(host) && !proved.has(host)));
}

function openHosts(plan: RolloutPlan, wave: number, past: RolloutPast): readonly string[] {
  const hosts = plan.waves[wave]?.hosts ?? [];
  return past.ended.size === 0 ? hosts : hosts.filter((host) => !past.ended.has(host));
}

export function advanceRollout(state: RolloutState, input: RolloutInput, plan: RolloutPlan, past: RolloutPast): RolloutState {
  switch (input.is) {
    case 'opening':
    case 'closed':
    case 'soaking':
    case 'soaked':
    case 'checking':
    case 'passing':
      return { ...state, stage: input.is };
    case 'opened':
      return { ...state, stage: 'open', lastOpened: state.wave };
    case 'checked':
      return input.failed.reduce<RolloutState>((after, host) => countFailure(after, plan, host), { ...state, stage: 'checked' });
    case 'passed':
      return nextWave(state, plan, past);
    case 'asked':
      return { ...state, stage: 'person', patienceEndsMs: input.untilMs };
    case 'began':
      return { ...state, next: state.next + 1, working: new Set([...state.working, input.host]) };
    case 'ended':
      return endHost(state, input.result, plan);
    case 'control':
      return control(state, input.act, input.untilMs);
    case 'stop':
      return { ...state, stop: input.stop };
  }
}

function endHost(state: RolloutState, result: HostResult, plan: RolloutPlan): RolloutState {
  const after = { ...state, working: new Set([...state.working].filter((host) => host !== result.host)) };
  if (countsAsFailed(result)) return countFailure(after, plan, result.host);
  return isProof(result) ? after : { ...after, unproved: state.unproved ?? result.host };
}

/** The change of this host is proved, or it needed none. */
export function isProof({ outcome, failure }: HostResult): boolean {
  return failure === undefined && (outcome === 'changed' || outcome === 'compliant');
}

function countFailure(state: RolloutState, plan: RolloutPlan, host: string): RolloutState {
  return { ...state, tally: addFailure(state.tally, plan, host), unproved: state.unproved ?? host };
}

function control(state: RolloutState, act: Steering, untilMs: number): RolloutState {
  switch (act.do) {
    case 'pause':
      return { ...state, paused: true, patienceEndsMs: untilMs };
    case 'continue':
      // After a wave it is also the word that the next one waits for.
      return { ...withoutPatience(state), paused: false, ...(state.stage === 'person' ? { stage: 'approved' } : {}) };
    case 'within':
      return { ...state, within: act.count };
    case 'skip':
      return { ...state, leftOut: new Set([...state.leftOut, act.host]) };
  }
}

function withoutPatience({ patienceEndsMs: _, ...state }: RolloutState): RolloutState {
  return state;
}
