/** Results as one JSON document. Bytes of evidence become digests, or base64 when asked for. Pure. */
import { digestOf, toBase64 } from '../core/bytes.js';
import { escapeControls } from '../core/clean-text.js';
import type { Evidence } from '../core/finding.js';

export interface DocumentOptions {
  readonly withBytes: boolean;
}

export function jsonDocument(value: unknown, options: DocumentOptions): string {
  const text = JSON.stringify(value, (_, member: unknown) => (member instanceof Uint8Array ? bytesAsJson(member, options) : member), 2);
  return `${escapeControls(text)}\n`;
}

function bytesAsJson(bytes: Uint8Array, options: DocumentOptions): Record<string, unknown> {
  return { sha256: digestOf(bytes), length: bytes.length, ...(options.withBytes ? { base64: toBase64(bytes) } : {}) };
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
