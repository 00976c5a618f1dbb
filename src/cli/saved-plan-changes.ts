/** What was changed on the controller since a plan was saved or a run was made: its playbook and its inventory. Reads files; reaches for no host. */
import { digestOf } from '../core/bytes.js';
import { cleanLine } from '../core/clean-text.js';
import { failureOf } from '../core/failure.js';
import type { RunRecord } from '../core/run-record.js';
import type { SavedPlan } from '../core/saved-plan.js';
import { readTextFile } from '../sources/index.js';

/** One sentence for each; the plan is done as it was saved all the same. */
export async function changedSince(saved: Pick<SavedPlan, 'playbook' | 'inventory'>): Promise<string[]> {
  const { playbook, inventory } = saved;
  return [
    ...(await playbookChanged(playbook, A_PLAN)),
    ...(await compare('inventory', inventory.file, A_PLAN, (text) => digestOf(Buffer.from(text)) === inventory.sha256)),
  ];
}

/** How the sentence names what was made of the file, and what is done with it now. */
interface Made {
  readonly of: string;
  readonly goesBy: string;
}

const A_PLAN: Made = { of: 'this plan', goesBy: 'the plan' };

/** One sentence or none. */
export function playbookChanged({ file, text: then }: RunRecord['playbook'], made: Made): Promise<string[]> {
  return compare('playbook', file, made, (text) => text === then);
}

async function compare(what: string, file: string, { of, goesBy }: Made, isSame: (text: string) => boolean): Promise<string[]> {
  try {
    if (isSame(await readTextFile(file))) return [];
    return [`the ${what} ${cleanLine(file)} was changed since ${of} was made; ${goesBy} goes by the ${what} of that time`];
  } catch (thrown) {
    return [`the ${what} of ${of} cannot be compared (${cleanLine(failureOf(thrown).summary)}); ${goesBy} goes by the ${what} of that time`];
  }
}
