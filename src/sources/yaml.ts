/** Inventory source: one YAML file (inventories/example.yaml shows every key). Never writes and never opens an identity file. */
import { homedir, userInfo } from 'node:os';
import type { InventorySource } from '../core/ports.js';
import { parseInventory, type Person } from './inventory-file.js';
import { readTextFile } from './read-text-file.js';

/** For whoever runs this process. The reference is the path of the file. */
export const yaml: InventorySource = {
  load: (reference) => createYamlSource(whoAmI()).load(reference),
};

export function createYamlSource(person: Person): InventorySource {
  return {
    load: async (reference) => parseInventory(reference, await readTextFile(reference), person),
  };
}

function whoAmI(): Person {
  try {
    return { home: homedir(), user: userInfo().username };
  } catch {
    // A user id without an account, as in many containers: then the inventory must name the user.
    return { home: homedir() };
  }
}
