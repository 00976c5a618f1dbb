/** Hides secrets in the words of command lines: `--token=x`, and the word behind `--token`. Pure. */
import type { SecretRule } from './redact.js';
import { GENERAL_RULE, redactText } from './redact.js';
import { isSecretName, isSecretValue } from './secret-names.js';

/** Does the flag before it make this word a secret? */
export function isWordOfSecret(before: unknown, word: unknown, names: readonly string[]): boolean {
  if (typeof before !== 'string' || typeof word !== 'string' || word.startsWith('-')) return false;
  return /^--?[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(before) && isSecretName(before, names) && isSecretValue(before, word);
}

/** Several command lines with one numbering: a secret that changed still shows as a change. */
export function redactCommandLines(lines: readonly (readonly string[])[], rule: SecretRule = GENERAL_RULE): string[][] {
  const numbers = new Map<string, number>();
  const mark = (word: string): string => {
    const number = numbers.get(word) ?? numbers.size + 1;
    numbers.set(word, number);
    return `[redacted ${number}]`;
  };
  return lines.map((words) => words.map((word, index) => {
    if (isWordOfSecret(words[index - 1], word, rule.names)) return mark(word);
    const shown = redactText(word, rule);
    return shown === word ? word : shown.replace('[redacted]', () => mark(word));
  }));
}
