/** What `show` says of a rollout with these facts, all of one moment. `then`: what a host does after them. */
import { createPaint } from '../../src/cli/paint.js';
import { rolloutLines, standingText } from '../../src/cli/show-rollout.js';
import type { HostFact, JournalEntry, RunEntry } from '../../src/core/journal.js';
import { standingOf } from '../../src/core/rollout-standing.js';
import type { RunFact } from '../../src/core/rollout.js';

export function showRollout(facts: readonly RunFact[], then?: HostFact): { standing: string; lines: string[] } {
  const at = '2026-01-02T03:04:05.678Z';
  const ofRun = facts.map((fact, index): RunEntry => ({ ...fact, run: 'r', host: '*', seq: index + 1, at }));
  const entries: JournalEntry[] = [...ofRun, ...(then === undefined ? [] : [{ ...then, run: 'r', host: 'n1', seq: 7, at }])];
  const standing = standingOf(entries);
  return { standing: standing === undefined ? '' : standingText(standing), lines: rolloutLines(ofRun, createPaint({}, {})) };
}
