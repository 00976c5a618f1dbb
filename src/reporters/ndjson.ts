/** The stream as it is: one JSON document per line, nothing added, nothing left out. */
import { escapeControls } from '../core/clean-text.js';
import type { Reporter } from '../core/ports.js';

export function createNdjsonReporter(output: NodeJS.WritableStream): Reporter {
  return {
    on: (event) => {
      output.write(`${escapeControls(JSON.stringify(event))}\n`);
    },
    close: () => Promise.resolve(),
  };
}
