/** An edit as a unified diff for people, without its secrets. Never used to decide anything. */
import { createTwoFilesPatch } from 'diff';
import { readableText, toByteText } from './bytes.js';
import type { SecretFinder, SecretRule } from './redact.js';
import { redactVersions } from './redact.js';
import { isSecretName } from './secret-names.js';

/** How secrets are found in the files of a diff. */
export interface DiffSecrets {
  readonly rule: SecretRule;
  readonly find: SecretFinder;
}

export function diffOf(path: string, before: Uint8Array | 'absent', after: Uint8Array | 'absent', secrets: DiffSecrets): string {
  const from = before === 'absent' ? '/dev/null' : path;
  const to = after === 'absent' ? '/dev/null' : path;
  const [old = '', fresh = ''] = withoutSecrets([textOf(before), textOf(after)], secrets);
  const patch = createTwoFilesPatch(from, to, old, fresh, undefined, undefined, { context: 3 });
  // The library puts a heading of its own first; a unified diff starts at ---.
  return patch.slice(Math.max(patch.indexOf('--- '), 0));
}

/** Before the lines are compared: a diff shows pieces in which a secret of several lines is not seen any more. */
function withoutSecrets(texts: readonly string[], { rule, find }: DiffSecrets): string[] {
  return redactVersions(texts, rule, texts.map((text) => find(text, (name) => isSecretName(name, rule.names))));
}

function textOf(bytes: Uint8Array | 'absent'): string {
  return bytes === 'absent' ? '' : readableText(toByteText(bytes));
}
