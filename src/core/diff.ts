/** An edit as a unified diff for people. Never used to decide anything. */
import { createTwoFilesPatch } from 'diff';
import { readableText, toByteText } from './bytes.js';

export function diffOf(path: string, before: Uint8Array | 'absent', after: Uint8Array | 'absent'): string {
  const from = before === 'absent' ? '/dev/null' : path;
  const to = after === 'absent' ? '/dev/null' : path;
  const patch = createTwoFilesPatch(from, to, textOf(before), textOf(after), undefined, undefined, { context: 3 });
  // The library puts a heading of its own first; a unified diff starts at ---.
  return patch.slice(Math.max(patch.indexOf('--- '), 0));
}

function textOf(bytes: Uint8Array | 'absent'): string {
  return bytes === 'absent' ? '' : readableText(toByteText(bytes));
}
