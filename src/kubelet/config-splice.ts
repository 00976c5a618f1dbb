/** Pure text splices: replace a few ranges of a text and leave every other character where it was. */

/** Half-open range; an empty range inserts. Splices of one edit do not overlap and are in order. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Several ways to make one edit, best first (the caller takes the first that proves right), or why there is none. */
export type Ways = { readonly ok: true; readonly ways: readonly (readonly Splice[])[] } | { readonly ok: false; readonly reason: string };

/** Where a new member goes in `{...}`. */
export interface FlowPlace {
  readonly lastKeyStart: number;
  readonly lastValueEnd: number;
  /** Offset of a comma after the last member. */
  readonly trailingComma?: number;
  /** End of a comment on the line where the last member ends: the new member goes below it. */
  readonly commentEnd?: number;
}

export function applySplices(text: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const splice of splices) {
    result += text.slice(at, splice.start) + splice.text;
    at = splice.end;
  }
  return result + text.slice(at);
}

/** A new last member of `{...}`, laid out as the one before it. */
export function insertIntoFlow(text: string, place: FlowPlace, member: string): readonly Splice[] {
  const { lastValueEnd, trailingComma, commentEnd } = place;
  const layout = gapBefore(text, place.lastKeyStart);
  const gap = commentEnd === undefined || layout.includes('\n') ? layout : `${endOfLine(text)}  `;
  const afterComma = trailingComma === undefined ? lastValueEnd : trailingComma + 1;
  const at = commentEnd ?? afterComma;
  // Right behind an empty value's colon a comma would become part of the key.
  const comma = text[lastValueEnd - 1] === ':' ? ' ,' : ',';
  if (trailingComma !== undefined) return [insertion(at, `${gap}${member},`)];
  if (commentEnd === undefined) return [insertion(at, `${comma}${gap}${member}`)];
  return [insertion(lastValueEnd, comma), insertion(at, `${gap}${member}`)];
}

export function insertion(at: number, text: string): Splice {
  return { start: at, end: at, text };
}

/** The line end this text uses: the first one counts. */
export function endOfLine(text: string): string {
  return /\r\n|\n|\r/.exec(text)?.[0] ?? '\n';
}

/** The indentation of the line on which `offset` lies. */
export function indentAt(text: string, offset: number): string {
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  return /^\ufeff?([ \t]*)/.exec(text.slice(lineStart, offset))?.[1] ?? '';
}

/** A string that JSON and YAML both read back as `value`. */
export function quoted(value: string): string {
  return JSON.stringify(value).replace(/[\x7f-\xa0\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The white space in front of a key: with its line break when the key is the first on its line. */
function gapBefore(text: string, keyStart: number): string {
  const blanks = /[ \t]*$/.exec(text.slice(0, keyStart))?.[0] ?? '';
  const before = keyStart - blanks.length;
  return text[before - 1] === '\n' ? `${endOfLine(text)}${blanks}` : blanks;
}
