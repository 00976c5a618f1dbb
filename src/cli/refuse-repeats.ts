/** Refuses an option that takes one value and was given several: which of them counts is not ours to guess. Knows no option by name. */
import { FleetmendError } from '../core/failure.js';

/**
 * For yargs' `check`, which hands over what was parsed and, whatever its types say, all that was declared. Throws
 * FleetmendError (badInput) that names every such option.
 */
export function refuseRepeats(parsed: Readonly<Record<string, unknown>>, declared: unknown): true {
  const { array: lists } = declared as { readonly array: readonly string[] };
  const repeated = Object.entries(parsed).flatMap(([name, value]) =>
    isLongName(name) && !lists.includes(name) && Array.isArray(value) ? [`--${name}: expected one value, got ${value.length}: ${value.join(', ')}`] : [],
  );
  if (repeated.length > 0) throw new FleetmendError({ kind: 'badInput', summary: repeated.join('; ') });
  return true;
}

/** yargs holds a value under every spelling: `o`, `host-keys`, `hostKeys`; `_` are the words of the command. */
function isLongName(name: string): boolean {
  return name.length > 1 && !/[A-Z]/.test(name);
}
