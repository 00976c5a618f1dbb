/**
 * A reporter that shows the stream from another process. The run only ever writes to a pipe that
 * never blocks it; when the viewer does not keep up, progress is left out first, facts never.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cleanText } from '../core/clean-text.js';
import type { RunEvent } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';

export type ViewKind = 'terminal' | 'lines' | 'ndjson';

/** Beyond this much unread text, progress is not worth sending. */
const BACKLOG_BYTES = 1 << 20;
const PASSING: readonly RunEvent['event'][] = ['progress', 'rollout'];
/** How long the end of a run waits for a viewer that shows nothing any more. */
const LINGER_MS = { terminal: 3_000, lines: 10_000, ndjson: 60_000 } as const;

export interface Viewer {
  /** The program that shows; by default the one beside this file. */
  readonly entry?: string;
  readonly lingerMs?: number;
}

/** People's views show no file contents: a viewer that stands still must not keep them in memory. */
function withoutContents(event: RunEvent): RunEvent {
  if (event.event !== 'entry') return event;
  const { entry } = event;
  if (entry.type === 'planned') return { ...event, entry: { ...entry, plan: { ...entry.plan, steps: [], notes: [] } } };
  return entry.type === 'done' ? { ...event, entry: { ...entry, detail: '' } } : event;
}

export function createDetachedReporter(kind: ViewKind, viewing: Viewer = {}): Reporter {
  const entry = viewing.entry ?? fileURLToPath(new URL('./view-main.js', import.meta.url));
  const lingerMs = viewing.lingerMs ?? LINGER_MS[kind];
  const viewer = spawn(process.execPath, [entry, kind], { stdio: ['pipe', 'inherit', 'inherit'] });
  let gone = false;
  const ended = once(viewer, 'exit').then(() => undefined, () => undefined).then(() => { gone = true; });
  // A viewer that died is nobody's problem: the run goes on unseen.
  viewer.on('error', () => { gone = true; });
  viewer.stdin.on('error', () => { gone = true; });
  return {
    on: (event) => {
      if (gone && event.event === 'said') process.stderr.write(`${cleanText(event.text)}\n`);
      if (gone || (PASSING.includes(event.event) && viewer.stdin.writableLength > BACKLOG_BYTES)) return;
      viewer.stdin.write(`${JSON.stringify(kind === 'ndjson' ? event : withoutContents(event))}\n`);
    },
    close: async () => {
      if (gone) return;
      viewer.stdin.end();
      let given = true;
      const timer = setTimeout(() => {
        given = false;
        viewer.kill('SIGKILL');
      }, lingerMs);
      await ended;
      clearTimeout(timer);
      if (!given && kind === 'ndjson') process.stderr.write('fleetmend: the reader of the stream stood still; its end was not delivered\n');
    },
  };
}
