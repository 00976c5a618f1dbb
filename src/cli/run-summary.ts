/** What a run's record and journal add up to: how each host stands, and the run as a whole. Pure; looks at no node. */
import { countHosts } from '../core/count-hosts.js';
import { decide } from '../core/decide.js';
import type { Next } from '../core/decide.js';
import type { GuardStanding, HostState, StepState } from '../core/fold.js';
import { NEW_HOST, advance } from '../core/fold.js';
import type { JournalEntry, Outcome, RunEntry } from '../core/journal.js';
import { OPEN_OUTCOMES, isHostEntry, isRunEntry } from '../core/journal.js';
import type { HostPlan } from '../core/plan.js';
import { countBy } from '../core/report.js';
import type { RolloutStanding } from '../core/rollout-standing.js';
import { standingOf } from '../core/rollout-standing.js';
import type { RunRecord } from '../core/run-record.js';
import { isOpen } from '../core/run-state.js';

const MAY_FIRE: readonly GuardStanding[] = ['armed', 'unsure', 'doubtful', 'left'];

export type Standing = 'ended' | 'middle' | 'notBegun';

export interface HostSummary {
  readonly host: string;
  readonly state: HostState;
  readonly standing: Standing;
  /** A resume would do something here. */
  readonly open: boolean;
  /** In the middle: where, and what comes next, in words. */
  readonly where?: string;
}

export interface RunSummary {
  readonly record: RunRecord;
  /** Those of the record in its order, then any other the journal names. */
  readonly hosts: readonly HostSummary[];
  readonly outcomes: ReadonlyMap<Outcome, number>;
  /** How many hosts a resume would take up. */
  readonly open: number;
  /** `running (process 12)`, `interrupted: 3 hosts to go on with, 1 stuck`, `finished`, ... */
  readonly state: string;
  /** Absent for a run that had no rollout. */
  readonly rollout?: RolloutStanding;
  /** Facts of the run as a whole, oldest first. */
  readonly ofRun: readonly RunEntry[];
}

/** `shown`: the plans of the run's folder; `running`: the process that holds the run now. */
export function summariseRun(
  record: RunRecord, entries: readonly JournalEntry[], shown: ReadonlyMap<string, HostPlan>, running?: { readonly pid: number },
): RunSummary {
  const states = new Map<string, HostState>(record.hosts.map((host) => [host.name, NEW_HOST]));
  for (const entry of entries.filter(isHostEntry)) states.set(entry.host, advance(states.get(entry.host) ?? NEW_HOST, entry));
  const hosts = [...states].map(([host, state]) => summariseHost(host, state, shown.get(host)));
  const outcomes = countBy(hosts.flatMap(({ state }) => state.finished ?? []), (finished) => finished.outcome);
  const rollout = standingOf(entries);
  return {
    record, hosts, outcomes, open: hosts.filter((host) => host.open).length, ofRun: entries.filter(isRunEntry),
    state: [stateText(hosts, running), ...rolloutWords(rollout, running !== undefined)].join(', '), ...(rollout ? { rollout } : {}),
  };
}

/** Then the plans that were shown need not be read: no host is left that a resume could take up. */
export function hasEnded(record: RunRecord, entries: readonly JournalEntry[]): boolean {
  const good = new Set<string>();
  for (const entry of entries.filter(isHostEntry)) {
    if (entry.type === 'finished' && !canBeTakenUp(entry.outcome)) good.add(entry.host);
    else if (entry.type !== 'cleaned' && entry.type !== 'cleanAsked') good.delete(entry.host);
  }
  return record.hosts.every((host) => good.has(host.name));
}

function summariseHost(host: string, state: HostState, shown: HostPlan | undefined): HostSummary {
  const open = isOpen(state, shown);
  if (state.finished !== undefined) return { host, state, open, standing: 'ended' };
  return state.entries === 0 ? { host, state, open, standing: 'notBegun' } : { host, state, open, standing: 'middle', where: whereabouts(state) };
}

function stateText(hosts: readonly HostSummary[], running?: { readonly pid: number }): string {
  const ended = (outcome: Outcome): number => hosts.filter(({ state }) => state.finished?.outcome === outcome).length;
  const toGoOn = hosts.filter(({ open, state }) => open && !isLeft(state.finished?.outcome)).length;
  const unreachable = hosts.filter(({ open, state }) => open && state.finished?.outcome === 'unreachable').length;
  const unplanned = hosts.filter(({ open, standing }) => !open && standing !== 'ended').length;
  const undone = hosts.filter(({ state }) => state.asked !== undefined && state.finished?.outcome === 'restored').length;
  const parts = [
    ...(running === undefined ? [] : [`running (process ${running.pid})`]),
    ...(running === undefined && toGoOn > 0 ? [`interrupted: ${countHosts(toGoOn)} to go on with`] : []),
    ...(ended('stuck') > 0 ? [`${ended('stuck')} stuck`] : []),
    ...(unreachable > 0 ? [`${unreachable} to be tried again`] : []),
    ...(running === undefined && unplanned > 0 ? [`${countHosts(unplanned)} without a plan`] : []),
    ...(undone > 0 ? [ended('changed') === 0 ? 'undone' : `undone on ${countHosts(undone)}`] : []),
  ];
  const cleaned = hosts.some(({ state }) => state.cleaned !== undefined);
  return [...(parts.length === 0 ? ['finished'] : parts), ...(cleaned ? ['saved copies removed'] : [])].join(', ');
}

/** What of a rollout must be seen in a list of runs. */
function rolloutWords(rollout: RolloutStanding | undefined, isRunning: boolean): string[] {
  if (rollout === undefined) return [];
  const wave = rollout.wave === undefined ? [] : [`wave ${rollout.wave.wave} of ${rollout.wave.of}`];
  const waits = rollout.waiting === undefined ? [] : [rollout.waiting.for === 'window' ? 'outside its window' : 'waits for a continue'];
  const now = isRunning && !rollout.ended ? [...wave, ...(rollout.paused === undefined ? [] : ['paused']), ...waits] : [];
  return [...now, ...(rollout.stopped === undefined ? [] : [`stopped (${rollout.stopped.reason})`])];
}

/** Told apart from those that a resume simply goes on with. */
function isLeft(outcome: Outcome | undefined): boolean {
  return outcome === 'stuck' || outcome === 'unreachable';
}

function canBeTakenUp(outcome: Outcome): boolean {
  return OPEN_OUTCOMES.includes(outcome);
}

/** "on the way back; next: edit /etc/x (began; may have happened)". */
function whereabouts(state: HostState): string {
  const { plan } = state;
  if (plan === undefined) return 'before its plan was made again; nothing was touched';
  const direction = state.asked !== undefined ? ['an undo that was asked for'] : state.direction === 'back' ? ['on the way back'] : [];
  const guard = state.guard !== undefined && MAY_FIRE.includes(state.guard) ? ['its guard may fire'] : [];
  return [...direction, ...nextWords(plan, state), ...guard].join('; ');
}

function nextWords(plan: HostPlan, state: HostState): string[] {
  const next = decide(plan, state);
  const words = actWords(next);
  return words === undefined ? [] : [`next: ${words}${next.do === 'step' ? attemptWords(state.steps[next.step.id]) : ''}`];
}

function attemptWords(step: StepState | undefined): string {
  return step === 'began' ? ' (it began: it may have happened)' : '';
}

function actWords(next: Next): string | undefined {
  switch (next.do) {
    case 'step':
      return next.step.title;
    case 'undo':
      return `undo: ${next.step.title}`;
    case 'reactivate':
      return `activate again: ${next.step.title}`;
    case 'prove':
      return 'prove the old state';
    case 'arm':
      return 'arm the guard';
    case 'disarm':
      return 'disarm the guard';
    case 'finish':
      return `say that it is ${next.outcome}`;
    case 'nothing':
      return undefined;
  }
}
