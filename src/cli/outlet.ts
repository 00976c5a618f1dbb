/**
 * Where the command line writes: results on standard output, words beside them on standard error. Nothing leaves without
 * its secrets hidden, by the general rule and by that of the playbook the command works with.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { SecretRule } from '../core/redact.js';
import { GENERAL_RULE, redactText } from '../core/redact.js';
import type { JsonDocument } from './json-document.js';
import { renderDocument } from './json-document.js';

interface Learned {
  rule: SecretRule;
}

/** What the command under way has learned; commands in one process (tests) do not share it. */
const learned = new AsyncLocalStorage<Learned>();

/** All that `work` writes knows the same secrets, its last error too. */
export function withOutlet<T>(work: () => Promise<T>): Promise<T> {
  return learned.run({ rule: GENERAL_RULE }, work);
}

/** From here on these are hidden as well. */
export function learnSecrets(rule: SecretRule): void {
  const store = learned.getStore();
  if (store === undefined) return;
  store.rule = { names: [...store.rule.names, ...rule.names], values: [...store.rule.values, ...rule.values] };
}

export function secretsToHide(): SecretRule {
  return learned.getStore()?.rule ?? GENERAL_RULE;
}

/** Writes a result to standard output; a reader that went away is not an error of the run. */
export function print(what: string | JsonDocument): Promise<void> {
  const text = typeof what === 'string' ? redactText(what, secretsToHide()) : renderDocument(what, secretsToHide());
  return new Promise((resolve) => {
    process.stdout.write(text, () => { resolve(); });
  });
}

/** Writes words for people beside the result. */
export function say(text: string): void {
  process.stderr.write(`${redactText(text, secretsToHide())}\n`);
}

/** A question on standard error; the answer is typed behind it. */
export function ask(question: string): void {
  process.stderr.write(redactText(question, secretsToHide()));
}
