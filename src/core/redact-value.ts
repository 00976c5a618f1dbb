/** Hides secrets in a value on its way to a screen or a report: in its texts, under its keys, in its lists of words. Leaves out what only performing needs. */
import type { RunEvent } from './journal.js';
import type { SecretRule } from './redact.js';
import { redactText } from './redact.js';
import { isWordOfSecret } from './redact-words.js';
import { isSecretName, isSecretValue } from './secret-names.js';

const MARK = '[redacted]';

/** A copy. Bytes stay as they are: whoever shows them redacts them as text. */
export function redactValue(value: unknown, rule: SecretRule): unknown {
  if (typeof value === 'string') return redactText(value, rule);
  if (Array.isArray(value)) return redactList(value, rule);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  const isEdit = 'do' in value && value.do === 'write';
  const members = Object.entries(value).filter(([key]) => !(isEdit && key === 'content'));
  return Object.fromEntries(members.map(([key, member]) => [redactText(key, rule), isSecretName(key, rule.names) ? hideAll(key, member, rule) : redactValue(member, rule)]));
}

/** Words of a command line: what follows `--token` is its value. */
function redactList(list: readonly unknown[], rule: SecretRule): unknown[] {
  return list.map((item, index) => (isWordOfSecret(list[index - 1], item, rule.names) ? MARK : redactValue(item, rule)));
}

function hideAll(key: string, value: unknown, rule: SecretRule): unknown {
  if (typeof value === 'string') return isSecretValue(key, value) ? MARK : value;
  if (Array.isArray(value)) return value.map((item) => hideAll(key, item, rule));
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, hideAll(key, member, rule)]));
}

/** What a reporter gets. An edit in it has lost its `content`: reporters show, they do not perform. */
export function redactEvent(event: RunEvent, rule: SecretRule): RunEvent {
  return redactValue(event, rule) as RunEvent;
}
