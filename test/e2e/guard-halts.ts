/**
 * Halts in a node: a program that a visit or a guard starts stops right before, during or after its work, until the
 * test lets it go on or cuts the power. What the node runs is a wrapper that stands earlier in the search path.
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabNode } from '../lab/lab.js';

export interface Halt {
  readonly tool: 'mv' | 'systemctl';
  /** `during`: the program was started and runs on. */
  readonly when: 'before' | 'during' | 'after';
  /** A part of its words. */
  readonly words: string;
}

const DIRECTORY = '/var/lab';
const WRAPPER = `#!/bin/sh
words="$*"
tool=\${0##*/}
halt() {
  [ -f ${DIRECTORY}/halt ] || return 0
  IFS='|' read -r t w p <${DIRECTORY}/halt
  [ "$t|$w" = "$tool|$1" ] || return 0
  case "$words" in *"$p"*) ;; *) return 0 ;; esac
  /usr/bin/mv ${DIRECTORY}/halt ${DIRECTORY}/halted || return 0
  while [ -e ${DIRECTORY}/halted ]; do sleep 0.02; done
}
case "$words" in
  *'guard/armed '*) while [ -e ${DIRECTORY}/gate ]; do sleep 0.01; [ -e ${DIRECTORY}/waits-$$ ] || : >${DIRECTORY}/waits-$$; done ;;
esac
halt before
if [ -f ${DIRECTORY}/halt ]; then
  "/usr/bin/$tool" "$@" & pid=$!
  sleep 0.05
  halt during
  wait "$pid"
else
  exec "/usr/bin/$tool" "$@"
fi
rc=$?
halt after
exit "$rc"
`;

/** Once for a node. */
export async function makeHaltable(node: LabNode): Promise<void> {
  await node.mustExec(`mkdir -p ${DIRECTORY}`);
  for (const tool of ['mv', 'systemctl']) await node.writeFile({ path: `/usr/sbin/${tool}`, content: WRAPPER, mode: 0o755 });
}

/** One at a time. It stays over a power cut. */
export function setHalt(node: LabNode, { tool, when, words }: Halt): void {
  const whole = join(node.rootDir, DIRECTORY, 'new');
  writeFileSync(whole, `${tool}|${when}|${words}\n`);
  rmSync(halted(node), { force: true });
  renameSync(whole, join(node.rootDir, DIRECTORY, 'halt'));
}

export async function reached(node: LabNode, limitMs = 300_000): Promise<void> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 10) {
    if (existsSync(halted(node))) return;
    await sleep(10);
  }
  throw new Error(`${node.name}: the halt was not reached in ${limitMs / 1000} s`);
}

export function goOn(node: LabNode): void {
  rmSync(join(node.rootDir, DIRECTORY, 'halt'), { force: true });
  rmSync(halted(node), { force: true });
}

function halted(node: LabNode): string {
  return join(node.rootDir, DIRECTORY, 'halted');
}

/** From now on whoever is about to decide on the guard, it itself or a controller, waits right before its rename. */
export function closeGate(node: LabNode): void {
  writeFileSync(join(node.rootDir, DIRECTORY, 'gate'), '');
}

/** Resolves when so many wait. */
export async function atGate(node: LabNode, count: number, limitMs = 300_000): Promise<void> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 20) {
    if (readdirSync(join(node.rootDir, DIRECTORY)).filter((name) => name.startsWith('waits-')).length >= count) return;
    await sleep(20);
  }
  throw new Error(`${node.name}: not ${count} waited in ${limitMs / 1000} s`);
}

/** All that wait go at once. */
export function openGate(node: LabNode): void {
  rmSync(join(node.rootDir, DIRECTORY, 'gate'));
}
