/**
 * Names to addresses with a short memory: `dns.lookup` has four threads for the whole process (ssh.md 2.4).
 * Never remembers a failure.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

/** All addresses of a name, best first. Rejects when there is none. */
export type ResolveAddress = (name: string) => Promise<readonly string[]>;

const REMEMBERED_MS = 60_000;

async function lookUp(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map((entry) => entry.address);
}

export function createCachedResolver(resolve: ResolveAddress = lookUp, nowMs: () => number = () => performance.now()): ResolveAddress {
  const answers = new Map<string, { readonly addresses: Promise<readonly string[]>; readonly untilMs: number }>();
  return (name) => {
    if (isIP(name) !== 0) return Promise.resolve([name]);
    const remembered = answers.get(name);
    if (remembered && nowMs() < remembered.untilMs) return remembered.addresses;
    const addresses = resolve(name);
    answers.set(name, { addresses, untilMs: nowMs() + REMEMBERED_MS });
    addresses.catch(() => answers.delete(name));
    return addresses;
  };
}
