/**
 * Hides secrets in texts, by rule: what stands behind a name such as password, token, secret, privateKey, apiKey or
 * credential, what has the shape of one (PEM, JSON web token, password in a URL, Authorization), names that a playbook
 * adds, and values that it marks. Never changes what is acted on: only what is shown.
 *
 * What the rule cannot see: a secret under a harmless name (`pin: hunter2`, `data: ...`) or in a positional argument; one
 * that is encoded or split (base64 of a plain password, a hex dump, two halves in two variables); the second line of a
 * value in a log (a PEM block whose end was cut off is followed only as far as it looks like one); cookies; a password
 * with an unescaped `/`, `?` or `#` in a URL; a lone token in a URL's userinfo (`https://token@host`); the rest of an
 * unquoted value with blanks in the middle of a line; numbers up to nine digits, except of passwords; bytes that are
 * no text. Digests of whole files are shown: someone who knows all the rest of a file can try short secrets against
 * them. Paths (`tokenFile`) and names (`secretName`) are no secrets and stay.
 */
import { findKnown, REDACTED } from './known-secrets.js';
import { findShapes } from './secret-shapes.js';
import { MARK, findValues } from './secret-values.js';
import type { TextRange } from './text-ranges.js';
import { mergeRanges, replaceRanges } from './text-ranges.js';

/** What a playbook adds to the rule. */
export interface SecretRule {
  /** Ends of further names, in their normal form. */
  readonly names: readonly string[];
  /** Values that are hidden wherever they stand. */
  readonly values: readonly string[];
}

export const GENERAL_RULE: SecretRule = { names: [], values: [] };

/** Finds secrets in a file by its syntax. Handed in: the core knows no YAML. */
export type SecretFinder = (text: string, isSecretName: (name: string) => boolean) => readonly TextRange[];

/** For lines on a screen, in a report or in a log. Redacting twice is redacting once. */
export function redactText(text: string, rule: SecretRule = GENERAL_RULE): string {
  const ranges = mergeRanges([...findShapes(text), ...findValues(text, { names: rule.names, lines: 'message' }), ...findKnown(text, rule.values)]);
  return replaceRanges(text, ranges, (old) => (isMark(old) ? old : REDACTED));
}

/**
 * For versions of one file: the same secret has the same number in all of them, so that a changed one shows. `ranges`
 * come from the file's own syntax, one list a text.
 */
export function redactVersions(texts: readonly string[], rule: SecretRule, ranges: readonly (readonly TextRange[])[]): string[] {
  const numbers = new Map<string, number>();
  const numberOf = (secret: string): number => {
    const number = numbers.get(secret) ?? numbers.size + 1;
    numbers.set(secret, number);
    return number;
  };
  return texts.map((text, index) => {
    const found = [...findShapes(text), ...findValues(text, { names: rule.names, lines: 'file' }), ...findKnown(text, rule.values), ...(ranges[index] ?? [])];
    return replaceRanges(text, mergeRanges(found), (secret) => `[redacted ${numberOf(secret)}]`);
  });
}

function isMark(text: string): boolean {
  MARK.lastIndex = 0;
  return MARK.test(text) && MARK.lastIndex === text.length;
}
