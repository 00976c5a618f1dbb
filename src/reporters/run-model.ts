/** What a reader of the stream knows: where each host is and how it ended. Pure; all text in it is clean. */
import { cleanLine } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { describeFailure } from '../core/failure.js';
import type { HostEntry, HostPhase, Outcome, RunEvent } from '../core/journal.js';

export type End = Outcome | 'pass' | 'fail' | 'unknown' | 'notApplicable';

export interface HostLine {
  readonly host: string;
  readonly phase: HostPhase | 'done';
  readonly text: string;
  readonly end?: End;
}

/** Ends that need no one's attention. */
export function isFine(end: End): boolean {
  return end === 'compliant' || end === 'changed' || end === 'pass';
}

/** Applies one event in place of copying: a run of thousands of hosts is followed by one map. */
export function follow(hosts: Map<string, HostLine>, event: RunEvent): void {
  switch (event.event) {
    case 'stageStarted':
      for (const host of event.hosts) hosts.set(host, { host, phase: 'waiting', text: '' });
      return;
    case 'progress':
      // A late word about a host that ended does not bring it back.
      if (hosts.get(event.host)?.end === undefined) hosts.set(event.host, { host: event.host, phase: event.phase, text: cleanLine(event.text) });
      return;
    case 'surveyed':
      hosts.set(event.host, { host: event.host, phase: 'done', text: cleanLine(event.summary), end: event.verdict ?? surveyEnd(event.failure) });
      return;
    case 'entry':
      if (event.entry.type === 'finished') {
        hosts.set(event.entry.host, { host: event.entry.host, phase: 'done', text: finishedText(event.entry), end: event.entry.outcome });
      }
      return;
    case 'rollout':
    case 'prompt':
    case 'said':
    case 'stageFinished':
      return;
  }
}

function surveyEnd(failure: Failure | undefined): End {
  return failure?.kind === 'interrupted' ? 'skipped' : 'unreachable';
}

function finishedText(entry: Extract<HostEntry, { type: 'finished' }>): string {
  return entry.failure === undefined ? '' : cleanLine(describeFailure(entry.failure));
}

/** `3 compliant, 2 changed`, in order of first appearance. */
export function countEnds(hosts: Iterable<HostLine>): string {
  const counts = new Map<string, number>();
  for (const line of hosts) {
    const key = line.end ?? (line.phase === 'waiting' ? 'waiting' : 'active');
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].map(([key, count]) => `${count} ${key}`).join(', ');
}
