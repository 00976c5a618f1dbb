/** Finds what no output, log or report may hold: control codes, and marks that reorder what a reader sees. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/** The first one with what stands around it; `undefined`: there is none. */
export function controlCodeIn(text: string): string | undefined {
  const at = FORBIDDEN.exec(text)?.index;
  return at === undefined ? undefined : JSON.stringify(text.slice(Math.max(0, at - 60), at + 40));
}

/** Every file below a directory that holds one, by path. */
export function filesWithControlCodes(directory: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const code = controlCodeIn(readFileSync(path, 'utf8'));
    if (code !== undefined) found[path] = code;
  }
  return found;
}
