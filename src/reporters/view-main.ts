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

/** A stop that the system carries out comes within this. */
const STOP_MS = 100;

/** Ctrl-C reaches the whole process group; the run decides what it means, and the view goes on until its input ends. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

function createReporter(kind: string | undefined): Reporter {
  switch (kind) {
    case 'terminal':
      return createTerminal();
    case 'ndjson':
      return createNdjsonReporter(process.stdout);
    default:
      return createLinesReporter(process.stderr);
  }
}

function createTerminal(): Reporter {
  const { stderr } = process;
  const reporter = createTerminalReporter({ output: stderr, rows: () => stderr.rows || 24, columns: () => stderr.columns || 80 });
  // Before the shell writes: at the next start a picture may be drawn before anything is told of it.
  const suspend = (): void => {
    reporter.drawAnew();
    process.off('SIGTSTP', suspend);
    process.kill(process.pid, 'SIGTSTP');
    setTimeout(() => { process.on('SIGTSTP', suspend); }, STOP_MS).unref();
  };
  process.on('SIGTSTP', suspend);
  return reporter;
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
