/** Where the folders of runs live (XDG base directories). Makes nothing. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** A relative XDG_STATE_HOME counts for nothing, as its specification says. */
export function runsRoot(env: NodeJS.ProcessEnv = process.env): string {
  const state = env['XDG_STATE_HOME'];
  return join(state !== undefined && state.startsWith('/') ? state : join(homedir(), '.local', 'state'), 'fleetmend', 'runs');
}
