/** One edit of a file as the kubelet steps make it: with the digest it had, and only where an edit lasts. Not a step kind. */
import { digestOf, toBase64 } from '../core/bytes.js';
import { cleanText } from '../core/clean-text.js';
import type { Edit } from '../core/effect.js';
import type { Failure } from '../core/failure.js';
import { generatedBy } from '../kubelet/generated.js';
import type { FileReading } from '../core/query.js';
import type { RunningKubelet } from '../kubelet/survey-types.js';

export type FileEdit =
  | { readonly ok: true; readonly edit: Edit; readonly notes: readonly string[] }
  | { readonly ok: false; readonly failure: Failure };

/** `path` as it was asked for; the edit names the real file behind it. `change` gives the new bytes or why there are none. */
export function editFile(
  survey: RunningKubelet,
  path: string,
  reading: FileReading | undefined,
  change: (bytes: Uint8Array) => { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly reason: string },
): FileEdit {
  if (reading?.ok !== true || !reading.value.exists || reading.value.kind !== 'file') {
    return { ok: false, failure: { kind: 'denied', summary: `${path} could not be read` } };
  }
  const { realPath, bytes } = reading.value;
  const notes: string[] = [];
  for (const place of new Set([path, realPath])) {
    const generator = generatedBy(place, survey);
    if (generator === undefined) continue;
    const { persistentPlace } = generator;
    // It may quote the file.
    const summary = cleanText(`${place} is written by ${generator.generator}`);
    if (generator.severity === 'refuse') {
      return { ok: false, failure: { kind: 'generated', summary, next: `change it where it comes from: ${persistentPlace}` } };
    }
    notes.push(`${summary}; for the change to last, this has to follow: ${persistentPlace}`);
  }
  const after = change(bytes);
  if (!after.ok) return { ok: false, failure: { kind: 'unsupported', summary: `${realPath}: ${after.reason}`, next: 'edit this file by hand' } };
  const edit: Edit = { do: 'write', path: realPath, before: digestOf(bytes), after: digestOf(after.bytes), content: toBase64(after.bytes) };
  return { ok: true, edit, notes };
}
