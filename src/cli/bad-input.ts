/** What a person asked for cannot be done: as an error for the one catch of the command line. */
import { FleetmendError } from '../core/failure.js';

export function badInput(summary: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary });
}
