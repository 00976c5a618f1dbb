/** What tells machines apart: networks behind different jump hosts use the same addresses. Pure. */
import type { Route } from './route.js';

/** The same for two routes that lead to the same address and port by the same way, whatever people call the servers on it. */
export function machineOf({ jumps, target, proxyCommand = '' }: Route): string {
  return JSON.stringify([proxyCommand, ...[...jumps, target].map(({ address, port }) => `${address.toLowerCase()} ${port}`)]);
}
