/** Flags of a rollout, kept as they were typed, as what they would be in a playbook. Never checks a value: the schemas do. */
import { quoteText, suggestWord } from '../core/input-error.js';
import type { Checker } from './check-values.js';
import type { ValuePath } from './yaml-document.js';

/** By the name of the flag without dashes; `budget-per` holds all of its values, with commas. */
export type RolloutFlags = Readonly<Record<string, string>>;

const FLAG_OF_KEY: Readonly<Record<string, string>> = {
  waves: 'waves', within: 'within', canary: 'canary', order: 'order', budget: 'budget', onStop: 'on-stop', soak: 'soak', pause: 'pause',
  window: 'window', gate: 'gate', hooks: 'hooks',
};
const FLAGS = [...Object.values(FLAG_OF_KEY), 'budget-per'];

const SHOWN_CHARACTERS = 40;

/** The flag that a place in what `rolloutOfFlags` gave came from, as it was typed. */
export function flagOf(flags: RolloutFlags, path: ValuePath): { readonly name: string; readonly text: string } {
  const [key = '', inner] = path;
  const name = inner === 'per' ? 'budget-per' : (FLAG_OF_KEY[key] ?? String(key));
  return { name, text: shortened(flags[name] ?? '') };
}

/** Keys and values as in `rollout:` of a playbook. */
export function rolloutOfFlags(checker: Checker, flags: RolloutFlags): Record<string, unknown> {
  for (const name of Object.keys(flags)) {
    if (FLAGS.includes(name)) continue;
    checker.refuseElsewhere({ file: `--${name}`, path: '', expected: `one of the flags ${FLAGS.join(', ')}`, got: `${quoteText(name)}${suggestWord(name, FLAGS)}` });
  }
  const given = Object.entries(FLAG_OF_KEY).flatMap(([key, name]) => (flags[name] === undefined ? [] : [[key, shapeOf(key, flags[name])] as const]));
  refuseTwice(checker, flags['budget-per']);
  const budget = budgetOf(flags['budget'], flags['budget-per']);
  return { ...Object.fromEntries(given), ...(budget === undefined ? {} : { budget }) };
}

function shapeOf(key: string, typed: string): unknown {
  if (key === 'waves') return wordsOf(typed);
  if (key === 'canary' && typed !== 'none') return { by: wordsOf(typed) };
  return typed;
}

/** `none` for the run takes the labels' budgets away too, unless they are said anew. */
function budgetOf(run: string | undefined, per: string | undefined): unknown {
  if (per === undefined) return run === undefined || run === 'none' ? run : { run };
  return { ...(run === undefined ? {} : { run }), per: per === 'none' ? {} : sharesOf(per) };
}

/** `zone=2,pool=10%`. A word without `=` has an empty share, which the schema refuses. */
function sharesOf(typed: string): Record<string, unknown> {
  return Object.fromEntries(wordsOf(typed).map((word) => {
    const [label = '', ...share] = word.split('=');
    return [label, share.join('=')];
  }));
}

/** Which of the two counts is not ours to guess. */
function refuseTwice(checker: Checker, typed: string | undefined): void {
  const labels = typed === undefined ? [] : wordsOf(typed).map((word) => word.split('=')[0] ?? '');
  const twice = new Set(labels.filter((label, index) => labels.indexOf(label) !== index));
  for (const label of twice) {
    checker.refuseElsewhere({ file: `--budget-per ${shortened(typed ?? '')}`, path: '', expected: 'one share for each label', got: `several for ${quoteText(label)}` });
  }
}

function wordsOf(typed: string): string[] {
  return typed.split(',').map((word) => word.trim());
}

function shortened(typed: string): string {
  return typed.length > SHOWN_CHARACTERS ? `${typed.slice(0, SHOWN_CHARACTERS)}...` : typed;
}
