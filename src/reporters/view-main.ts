/**
 * The process that draws. It reads the stream on its standard input and shows it, so that a terminal
 * that is stopped, slow or gone can hold up only this process and never the run. Started by detached.ts alone.
 */
import { createInterface } from 'node:readline';
import type { RunEvent } from '../core/journal.js';
import type { Reporter } from '../core/ports.js';
import { createLinesReporter } from './lines.js';
import { createNdjsonReporter } from './ndjson.js';
import { createTerminalReporter } from './terminal.js';

/** Ctrl-C reaches the whole process group; the run decides what it means, and the view goes on until its input ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

function createReporter(kind: string | undefined): Reporter {
  switch (kind) {
    case 'terminal':
      return createTerminalReporter({ output: process.stderr, rows: () => process.stderr.rows || 24 });
    case 'ndjson':
      return createNdjsonReporter(process.stdout);
    default:
      return createLinesReporter(process.stderr);
  }
}

/** The last line may be cut when the run was killed. */
function parse(line: string): RunEvent | undefined {
  try {
    return JSON.parse(line) as RunEvent;
  } catch {
    return undefined;
  }
}

const reporter = createReporter(process.argv[2]);
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const event = parse(line);
  if (event !== undefined) reporter.on(event);
}
await reporter.close();
