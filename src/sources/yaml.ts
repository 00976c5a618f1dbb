/** Inventory source: one YAML file (inventories/example.yaml shows every key). Never writes and never opens an identity file. */
import { homedir } from 'node:os';
import type { InventorySource } from '../core/ports.js';
import { parseInventory, type Person } from './inventory-file.js';
import { readTextFile } from './read-text-file.js';

/** For whoever runs this process. The reference is the path of the file. */
export const yaml: InventorySource = {
  load: (reference, said) => createYamlSource({ home: homedir() }).load(reference, said),
};

export function createYamlSource(person: Person): InventorySource {
  return {
    load: async (reference, said) => parseInventory(reference, await readTextFile(reference), person, said),
  };
}
