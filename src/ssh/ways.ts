/**
 * The ways to hosts: straight, by a ProxyCommand, or through jump hosts whose connections all hosts behind them share. Each server on the way
 * is logged in to with a key and a host key of its own, from this machine: nothing is ever forwarded but the connection itself.
 */
import { connectHop } from './connect-hop.js';
import type { HopPorts } from './connect-hop.js';
import { JUMP_TIMES, SharedJumpHost } from './shared-jump-host.js';
import type { JumpTimes } from './shared-jump-host.js';
import type { Link } from './link.js';
import type { Hop, Route } from './route.js';

export interface WayPorts {
  readonly hop: HopPorts;
  /** TCP to the first server of a way. */
  dial(host: Hop, signal: AbortSignal): Promise<Link>;
  /** The first server of a way, by a program. */
  dialByCommand(command: string, host: Hop, signal: AbortSignal): Promise<Link>;
}

export interface Ways {
  /** The stream to the target of a route; nobody has spoken SSH to it yet. Rejects with FleetmendError. */
  dial(route: Route, signal: AbortSignal): Promise<Link>;
}

export function createWays(ports: WayPorts, times: Partial<JumpTimes> = {}): Ways {
  const jumpHosts = new Map<string, SharedJumpHost>();

  const jumpHostOf = (route: Route): SharedJumpHost => {
    const key = chainKey(route);
    const known = jumpHosts.get(key);
    if (known) return known;
    const { target } = route;
    // Its keepalive is our own (keep-alive.ts).
    const login = { ...target, keepAlive: { intervalMs: 0, countMax: 0 } };
    const jumpHost = new SharedJumpHost(target, (signal) => connectHop({ ...route, target: login }, () => dial(route, signal), ports.hop, signal), { ...JUMP_TIMES, ...times });
    jumpHosts.set(key, jumpHost);
    return jumpHost;
  };

  const dial = async (route: Route, signal: AbortSignal): Promise<Link> => {
    const { jumps, target, proxyCommand } = route;
    const last = jumps.at(-1);
    if (last !== undefined) return await jumpHostOf({ ...route, jumps: jumps.slice(0, -1), target: last }).dial(target, signal);
    return proxyCommand === undefined ? await ports.dial(target, signal) : await ports.dialByCommand(proxyCommand, target, signal);
  };

  return { dial };
}

/** Chains that lead to the same server in the same way, whatever people call the servers in it. */
function chainKey({ jumps, target, proxyCommand }: Route): string {
  return JSON.stringify([proxyCommand ?? null, ...[...jumps, target].map((hop) => ({ ...hop, name: '' }))]);
}
