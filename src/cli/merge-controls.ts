/** Several sources of requests as one: the keyboard and another terminal are asked the same. Adds and drops nothing. */
import type { Controls } from '../core/ports.js';

export function mergeControls(...sources: readonly Controls[]): Controls {
  return {
    listen: (take) => {
      const leave = sources.map((source) => source.listen(take));
      return () => { for (const one of leave) one(); };
    },
  };
}
