/**
 * Shell completion of the names of runs; everything else is left to yargs. Never fails, never says anything, and never waits:
 * yargs would run the command itself while it waits for an answer that comes later.
 */
import { readdirSync } from 'node:fs';
import { isRunName } from '../core/run-name.js';
import { CONTROL_WORDS } from './control-words.js';
import { runsRoot } from './state-directory.js';

/** Commands whose first word is a run. */
const RUN_COMMANDS: readonly string[] = ['resume', 'undo', 'clean', 'show', 'ctl'];

/** For yargs' `completion(command, description, completeWords)`. `argv._` holds the words so far, the current one last. */
export function completeWords(
  current: string, argv: { readonly _: readonly unknown[] }, otherwise: () => void, done: (words: string[]) => void,
): void {
  const words = argv._.map(String);
  const at = words.findIndex((word) => RUN_COMMANDS.includes(word));
  const isRun = at !== -1 && words.length === at + 2 && !current.startsWith('-');
  const isAct = at !== -1 && words[at] === 'ctl' && words.length === at + 3 && !current.startsWith('-');
  if (isRun) done(newestFirst().filter((name) => name.startsWith(current)));
  else if (isAct) done(CONTROL_WORDS.filter((word) => word.startsWith(current)));
  else otherwise();
}

function newestFirst(): string[] {
  try {
    return readdirSync(runsRoot()).filter(isRunName).sort().reverse();
  } catch {
    return [];
  }
}
