/** Does the terminal belong to this process group now? Only then may its mode be changed and its keys be read: else the system stops us. */
import { readFileSync } from 'node:fs';

/** False where the system does not tell (no /proc). */
export function inForeground(): boolean {
  try {
    const text = readFileSync('/proc/self/stat', 'utf8');
    // The name in the second field may hold blanks and brackets: fields are counted after its last bracket.
    const [, , group, , , foreground] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return group !== undefined && group === foreground;
  } catch {
    return false;
  }
}
