/** Shows nothing: for output that is one document at the end. */
import type { Reporter } from '../core/ports.js';

export function createSilentReporter(): Reporter {
  return { on: () => undefined, close: () => Promise.resolve() };
}
