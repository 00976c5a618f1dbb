/** Which run a person means: its whole name, or the start of one name only. */
import { cleanLine } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import { nearestWord } from '../core/input-error.js';
import { runNames } from './run-folder.js';

const SHOWN = 5;

/** The whole name. Throws FleetmendError (badInput) that lists the nearest. */
export async function findRun(root: string, wanted: string): Promise<string> {
  const names = (await runNames(root)).reverse();
  if (names.includes(wanted)) return wanted;
  const begun = wanted === '' ? [] : names.filter((name) => name.startsWith(wanted));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  const said = JSON.stringify(cleanLine(wanted).slice(0, 100));
  if (begun.length > 1) throw unclear(`${begun.length} runs begin with ${said}`, begun);
  if (names.length === 0) throw new FleetmendError({ kind: 'badInput', summary: `there is no run ${said}: ${root} has none` });
  throw unclear(`there is no run ${said}`, nearest(wanted, names));
}

/** Those that hold the text somewhere, else the one that is spelled alike, else the newest. */
function nearest(wanted: string, names: readonly string[]): readonly string[] {
  const holding = names.filter((name) => wanted !== '' && name.includes(wanted));
  if (holding.length > 0) return holding;
  const alike = nearestWord(wanted, names);
  return alike === undefined ? names : [alike];
}

function unclear(summary: string, names: readonly string[]): FleetmendError {
  const hidden = names.length - SHOWN;
  const list = [...names.slice(0, SHOWN), ...(hidden > 0 ? [`${hidden} more (fleetmend runs)`] : [])].join(', ');
  return new FleetmendError({ kind: 'badInput', summary, next: `did you mean: ${list}` });
}
