/**
 * Bytes as they came from a node: digests and the two ways to read them as text.
 * Never decodes with loss: a caller that cannot live with raw bytes is told so by `undefined`.
 */
import { createHash } from 'node:crypto';

/** Lower-case hex SHA-256 of a file's bytes. */
export type Digest = string;

export function digestOf(bytes: Uint8Array): Digest {
  return createHash('sha256').update(bytes).digest('hex');
}

/**
 * One character (U+0000..U+00FF) per byte. systemd's files are edited in this form, so that every
 * byte that is not edited comes back as it was, whatever its encoding.
 */
export type ByteText = string;

export function toByteText(bytes: Uint8Array): ByteText {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function fromByteText(text: ByteText): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** For people and for comparing with a command line: the byte text read as UTF-8 (bad bytes become U+FFFD). */
export function readableText(text: ByteText): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Strict UTF-8; `undefined` when the bytes are not valid UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function fromBase64(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}

/** Splits /proc/PID/cmdline at NUL; empty arguments in the middle stay (kubelet.md 1, item 11). */
export function splitCommandLine(cmdline: Uint8Array): string[] {
  if (cmdline.length === 0) return [];
  const text = Buffer.from(cmdline.buffer, cmdline.byteOffset, cmdline.byteLength).toString('utf8');
  return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0');
}
