/** Reads a list of cases that lies beside the tests. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export function readCases<T>(name: string): T[] {
  return parse(readFileSync(new URL(`./cases/${name}.yaml`, import.meta.url), 'utf8')) as T[];
}
