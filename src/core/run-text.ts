/** One fact of a whole run as one line for people. Pure; whatever came from a node, a file or another machine is clean in it. */
import { cleanLine } from './clean-text.js';
import { forPeople } from './duration-text.js';
import { entryText } from './entry-text.js';
import { describeFailure } from './failure.js';
import { foldNames } from './fold-names.js';
import type { JournalEntry } from './journal.js';
import { isRunEntry } from './journal.js';
import type { ControlAct, OnStop, RunFact, StopReason } from './rollout.js';

export function runText(fact: RunFact): string {
  return cleanLine(factText(fact));
}

/** Of any entry, one of a host or of the whole run. */
export function journalText(entry: JournalEntry): string {
  return isRunEntry(entry) ? runText(entry) : entryText(entry);
}

/** What a person asked for, in words: `pause`, `at most 5 hosts at once`, `undo of this wave`. */
export function actText(act: ControlAct): string {
  switch (act.do) {
    case 'pause':
    case 'continue':
    case 'stop':
      return act.do;
    case 'within':
      return `at most ${act.count} ${act.count === 1 ? 'host' : 'hosts'} at once`;
    case 'skip':
      return cleanLine(`skip ${act.host}`);
    case 'undo':
      return act.scope === 'wave' ? 'undo of this wave' : 'undo of the whole run';
  }
}

/** `2026-01-02T03:04:05Z`: a fraction of a second tells nobody anything. */
export function timeText(at: string): string {
  return cleanLine(at.replace(/\.\d+Z$/, 'Z'));
}

/** Completes "the rollout was stopped:". */
export const STOP_REASONS: Readonly<Record<StopReason, string>> = {
  budget: 'its budget is used up', canary: 'a canary host failed', gate: 'a gate failed', hook: 'a hook failed', person: 'a person wanted it so',
  interrupt: 'interrupted', patience: 'nobody said continue', journal: 'the journal cannot be written',
};

const THEN: Readonly<Record<OnStop, string>> = {
  halt: 'changed hosts stay as they are', undoWave: 'the hosts changed by this wave are brought back', undoRun: 'all hosts changed by this run are brought back',
};

/** `stopped (its budget is used up): the 4th of 200 hosts failed; changed hosts stay as they are`. */
export function stopText({ reason, summary, then }: { readonly reason: StopReason; readonly summary: string; readonly then: OnStop }): string {
  return cleanLine(`stopped (${STOP_REASONS[reason]}): ${summary}; ${THEN[then]}`);
}

/** `: 3 of 5 hosts are through`; empty where an earlier fleetmend did not count them. */
export function throughText({ through, hosts }: { readonly through?: number | undefined; readonly hosts?: number | undefined }): string {
  return through === undefined || hosts === undefined ? '' : `: ${through} of ${hosts} ${hosts === 1 ? 'host is' : 'hosts are'} through`;
}

function factText(fact: RunFact): string {
  switch (fact.type) {
    case 'rolloutBegan':
      return `rollout in the hands of ${fact.by}`;
    case 'waveBegan':
      return `wave ${fact.wave} of ${fact.of} begins: ${fact.hosts} ${fact.hosts === 1 ? 'host' : 'hosts'}`;
    case 'soaking':
      return `wave ${fact.wave}: soak of ${forPeople(fact.ms)}`;
    case 'gateFailed':
      return `wave ${fact.wave}: its gate failed: ${describeFailure(fact.failure)}${fact.hosts.length === 0 ? '' : ` (${foldNames(fact.hosts)})`}`;
    case 'wavePassed':
      return `wave ${fact.wave} passed${throughText(fact)}`;
    case 'waiting':
      return fact.for === 'window'
        ? `outside the maintenance window: nothing new is begun until ${timeText(fact.until)}`
        : `waits for somebody to say continue, until ${timeText(fact.until)} at most`;
    case 'controlled':
      return `${fact.by} asked: ${actText(fact.act)}`;
    case 'stopped':
      return stopText(fact);
    case 'hookFailed':
      return `hook ${fact.hook} failed${fact.onHost === undefined ? '' : ` for ${fact.onHost}`}: ${describeFailure(fact.failure)}`;
    case 'hooksBegan':
      return `the hooks of ${fact.onHost} begin`;
    case 'hooksEnded':
      return `the hooks of ${fact.onHost} are through`;
    case 'rolloutEnded':
      return 'rollout ended';
  }
}
