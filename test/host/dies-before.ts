/** Kills a visit, or a guard, before one of its programs. Both must run in a session of their own, which dies as a whole. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalNode } from './local-node.js';

/** The program that is started after `step` others kills all that belongs to it; -1: none does. Counts anew at each call. */
export function diesBefore(node: LocalNode, step: number, tools: readonly string[]): void {
  const counter = join(node.bin, 'counter');
  writeFileSync(counter, '0');
  for (const tool of tools) {
    // `timeout` gives a program a process group of its own, so the session's group and that one.
    const kill = 'read -r _ _ _ _ _ session _ </proc/$$/stat; kill -9 "-$session"; kill -9 0';
    node.addProgram(tool, `#!/bin/sh\nread -r n <${counter}\necho $((n + 1)) >${counter}\nif [ "$n" = ${step} ]; then ${kill}; fi\nexec /usr/bin/${tool} "$@"\n`);
  }
}
