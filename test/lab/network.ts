/**
 * The lab's network: one bridge, and for each node a namespace with one end of a veth pair.
 * Every name begins with the lab's prefix and a dash; nothing else on the machine is touched.
 */
import { networkInterfaces } from 'node:os';
import { mustRun, mustRunScript, run } from './command.js';

export interface Subnet {
  /** The controller's address on the bridge. */
  readonly gateway: string;
  readonly prefixLength: number;
}

export interface NodeLink {
  readonly namespace: string;
  readonly veth: string;
  readonly address: string;
}

/** `10.81.0.0/16`: only /16, so that an address is readable from a node's number. */
export function parseSubnet(text: string): Subnet {
  const match = /^(\d{1,3}\.\d{1,3})\.0\.0\/16$/.exec(text);
  if (!match?.[1]) throw new Error(`subnet: expected something like 10.81.0.0/16, got ${text}`);
  return { gateway: `${match[1]}.0.1`, prefixLength: 16 };
}

/** Node `index` counts from 0; the first address is .0.10. */
export function linkOf(prefix: string, subnet: Subnet, index: number, name: string): NodeLink {
  const [a, b] = subnet.gateway.split('.');
  const number = index + 10;
  return { namespace: `${prefix}-${name}`, veth: `${prefix}-v${index}`, address: `${a}.${b}.${Math.floor(number / 256)}.${number % 256}` };
}

export async function createNetwork(prefix: string, subnet: Subnet, links: readonly NodeLink[]): Promise<void> {
  const bridge = `${prefix}-br`;
  // With two bridges in one subnet, the nodes of one lab would answer for those of the other.
  const [taken] = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some(({ address }) => address === subnet.gateway)) ?? [];
  if (taken !== undefined) throw new Error(`subnet: ${taken} of this machine has the address ${subnet.gateway} already; take another subnet`);
  await ipBatch([`link add ${bridge} type bridge`, `addr add ${subnet.gateway}/${subnet.prefixLength} dev ${bridge}`, `link set ${bridge} up`]);
  await ipBatch(links.map((link) => `netns add ${link.namespace}`));
  await ipBatch(
    links.flatMap((link) => [
      `link add ${link.veth} type veth peer name eth0 netns ${link.namespace}`,
      `link set ${link.veth} master ${bridge} up`,
    ]),
  );
  await mustRunScript(
    links.flatMap((link) => {
      const inside = ['ip', '-n', link.namespace];
      return [
        [...inside, 'addr', 'add', `${link.address}/${subnet.prefixLength}`, 'dev', 'eth0'],
        [...inside, 'link', 'set', 'eth0', 'up'],
        [...inside, 'link', 'set', 'lo', 'up'],
      ];
    }),
  );
}

export async function setLink(link: NodeLink, state: 'up' | 'down'): Promise<void> {
  await mustRun(['ip', 'link', 'set', link.veth, state]);
}

async function ipBatch(lines: readonly string[]): Promise<void> {
  const result = await run(['ip', '-batch', '-'], { stdin: `${lines.join('\n')}\n` });
  if (result.code !== 0) throw new Error(`ip -batch: exit ${result.code}: ${result.stderr.trim()}\n${lines.join('\n')}`);
}
