/** The lab's nodes as an inventory of fleetmend. Text only; knows nothing of how they run. */
import { stringify } from 'yaml';

export interface InventoryNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface InventoryAccess {
  readonly user: string;
  readonly keyFile: string;
  /** By node name. */
  readonly labels?: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export function inventoryText(nodes: readonly InventoryNode[], { user, keyFile, labels }: InventoryAccess): string {
  const hosts = nodes.map(({ name, address, port }) => {
    const own = labels?.get(name);
    return { name, address, port, ...(own ? { labels: own } : {}) };
  });
  return stringify({ defaults: { user, identityFile: keyFile, become: user === 'root' ? 'none' : 'sudo' }, groups: { lab: { hosts } } });
}
