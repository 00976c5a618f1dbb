/** The stream as it is: one JSON document per line, nothing added, nothing left out. */
import type { Reporter } from '../core/ports.js';

export function createNdjsonReporter(output: NodeJS.WritableStream): Reporter {
  return {
    on: (event) => {
      output.write(`${JSON.stringify(event)}\n`);
    },
    close: () => Promise.resolve(),
  };
}
