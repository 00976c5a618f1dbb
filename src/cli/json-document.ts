/** Results as one JSON document. Bytes of evidence become digests, or base64 when asked for; secrets are hidden, in bytes too. Pure. */
import { digestOf, fromByteText, toBase64, toByteText } from '../core/bytes.js';
import { escapeControls } from '../core/clean-text.js';
import type { Evidence } from '../core/finding.js';
import type { SecretRule } from '../core/redact.js';
import { redactVersions } from '../core/redact.js';
import { redactValue } from '../core/redact-value.js';
import { isSecretName } from '../core/secret-names.js';
import { findSecrets } from '../kubelet/find-secrets.js';

export interface DocumentOptions {
  readonly withBytes: boolean;
}

/** To be printed: no text before it went through the outlet. */
export interface JsonDocument {
  readonly value: unknown;
  readonly options: DocumentOptions;
}

export function jsonDocument(value: unknown, options: DocumentOptions): JsonDocument {
  return { value, options };
}

export function renderDocument({ value, options }: JsonDocument, secrets: SecretRule): string {
  const shown = redactValue(value, secrets);
  const text = JSON.stringify(shown, (_, member: unknown) => (member instanceof Uint8Array ? bytesAsJson(member, options, secrets) : member), 2);
  return `${escapeControls(text)}\n`;
}

/** The digest is that of the real bytes. */
function bytesAsJson(bytes: Uint8Array, { withBytes }: DocumentOptions, secrets: SecretRule): Record<string, unknown> {
  const told = { sha256: digestOf(bytes), length: bytes.length };
  if (!withBytes) return told;
  const text = toByteText(bytes);
  const [shown = ''] = redactVersions([text], secrets, [findSecrets(text, (name) => isSecretName(name, secrets.names))]);
  return { ...told, ...(shown === text ? {} : { redacted: true }), base64: toBase64(fromByteText(shown)) };
}

/** Buffers carry a toJSON of their own, which runs before a replacer sees them. */
export function plainEvidence(evidence: readonly Evidence[]): unknown {
  return evidence.map(({ askedAt, query, answer }) => ({ askedAt, query, answer: plainBytes(answer) }));
}

function plainBytes(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return new Uint8Array(value);
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plainBytes);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plainBytes(member)]));
}
