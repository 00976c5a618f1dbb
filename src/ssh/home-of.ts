/** Home directories of this machine's users, for `~name/` in ssh_config. Reads /etc/passwd, once a call; never asks a directory service. */
import { readFileSync } from 'node:fs';

/** Undefined: no such user there. Never throws: a machine without the file has no users. */
export function findHome(user: string): string | undefined {
  try {
    const fields = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
    return fields.find(([name]) => name === user)?.[5];
  } catch {
    return undefined;
  }
}
