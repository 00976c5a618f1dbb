/** Two names of an inventory that lead to one machine would mend it twice at once: refused before any host is reached. Pure. */
import { FleetmendError } from '../core/failure.js';
import { machineOf } from './machine-of.js';
import type { Hop, Route } from './route.js';

/** Names shown of one machine, and machines shown. */
const SHOWN = 10;

export interface SameEnd {
  readonly target: Hop;
  readonly names: readonly string[];
}

export interface NamedRoute {
  readonly name: string;
  readonly route: Route;
}

/** Throws FleetmendError (badInput) that names them all. */
export function refuseSameEnds(routes: readonly NamedRoute[]): void {
  const ends = sameEnds(routes);
  if (ends.length === 0) return;
  const lines = describeSameEnds(ends);
  throw new FleetmendError({
    kind: 'badInput', summary: ends.length === 1 ? `one machine has several names: ${lines[0] ?? ''}` : `${ends.length} machines have several names`,
    ...(ends.length === 1 ? {} : { detail: lines.join('\n') }), done: 'no host was reached', next: 'keep one name of each in the inventory, or correct HostName and Port in ssh_config',
  });
}

/** The same address and port by the same way. */
export function sameEnds(routes: readonly NamedRoute[]): SameEnd[] {
  const byEnd = new Map<string, { readonly target: Hop; readonly names: string[] }>();
  for (const { name, route } of routes) {
    const key = machineOf(route);
    const end = byEnd.get(key) ?? { target: route.target, names: [] };
    end.names.push(name);
    byEnd.set(key, end);
  }
  return [...byEnd.values()].filter(({ names }) => names.length > 1);
}

/** One line for each machine, and one for those that are too many to be shown. */
export function describeSameEnds(ends: readonly SameEnd[]): string[] {
  const lines = ends.slice(0, SHOWN).map(({ target, names }) => `${namesText(names)} all lead to ${target.address} port ${target.port}`);
  const hidden = ends.length - SHOWN;
  return hidden > 0 ? [...lines, `and ${hidden} more`] : lines;
}

function namesText(names: readonly string[]): string {
  return names.length > SHOWN ? `${names.slice(0, SHOWN).join(', ')} and ${names.length - SHOWN} more` : names.join(', ');
}
