/**
 * Text that a node or a peer wrote, made harmless for a terminal and a log line.
 * Never translates, never shortens unless it is asked to, never touches normal Unicode.
 */

/** C0 except \n and \t, DEL, C1; the bidirectional controls that reorder what a reader sees. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** Half of a surrogate pair: not a character, and not valid UTF-8 when written out. */
const LONE_SURROGATES = /\p{Surrogate}/gu;

export function cleanText(text: string): string {
  return text.replace(CONTROLS, '').replace(LONE_SURROGATES, '');
}

/** The same on one line: a newline in a node's text must not look like a line of ours. */
export function cleanLine(text: string): string {
  // Each run of blanks is looked at once: a pattern with \n between two \s* costs the square of a long run.
  return cleanText(text).replaceAll(/\s+/g, (blanks) => (blanks.includes('\n') ? ' ' : blanks));
}

/** JSON text in which nothing can act on a terminal: what JSON itself leaves as it is, is escaped. The value stays the same. */
export function escapeControls(json: string): string {
  return json.replace(/[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Stands where the rest of a text was cut off. */
export const CUT_MARK = '...';

/** At most `limit` characters, and a mark where there were more: what stands before it may be the beginning of a secret (known-secrets.ts). */
export function cutText(text: string, limit: number): string {
  return text.length > limit ? markCut(text.slice(0, limit)) : text;
}

/** Of a text whose rest was cut off: half a character at its end goes too. */
export function markCut(text: string): string {
  return `${text.replace(/[\ufffd\ud800-\udbff]+$/, '')}${CUT_MARK}`;
}
