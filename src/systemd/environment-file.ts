/** The grammar of the files named by `EnvironmentFile=`, which is not that of unit files. No expansion of any kind. */
import type { ByteText } from '../core/bytes.js';
import type { EnvironmentAssignment } from './environment.js';
import { isVariableName } from './environment.js';
import { buildLocated, isBlank, isCleanUtf8, locate, sliceLocated, trimLocated } from './located-text.js';
import type { LocatedText, LocatedTextBuilder } from './located-text.js';
import type { LineNote } from './unit-file.js';

export interface EnvironmentFile {
  /** In file order; of a name that stands twice the last one counts. */
  readonly assignments: readonly EnvironmentAssignment[];
  readonly ignored: readonly LineNote[];
  /** Why systemd refuses the whole file; then there are no assignments. */
  readonly refused?: string;
}

interface Entry {
  readonly key: string;
  readonly value: LocatedText;
  readonly at: number;
}

interface Cursor {
  readonly text: ByteText;
  at: number;
}

const isNewline = (char: string): boolean => char === '\n' || char === '\r';

/** To the line end; before systemd 254 a backslash at the end of a comment continues the comment. */
function skipComment(cursor: Cursor): boolean {
  const { text } = cursor;
  let continued = false;
  for (; cursor.at < text.length; cursor.at += 1) {
    const char = text.charAt(cursor.at);
    if (isNewline(char)) break;
    if (char !== '\\') continue;
    cursor.at += 1;
    if (isNewline(text.charAt(cursor.at))) continued = true;
  }
  return continued;
}

/** The first character belongs to the name even when it is '='. `undefined`: the line has no '=' behind it. */
function takeKey(cursor: Cursor): string | undefined {
  const { text } = cursor;
  const start = cursor.at;
  cursor.at += 1;
  while (cursor.at < text.length && !isNewline(text.charAt(cursor.at))) {
    if (text.charAt(cursor.at) === '=') return trimLocated(locate(text, start, cursor.at)).text;
    cursor.at += 1;
  }
  return undefined;
}

function takeSingleQuoted(cursor: Cursor, out: LocatedTextBuilder): void {
  for (cursor.at += 1; cursor.at < cursor.text.length; cursor.at += 1) {
    const char = cursor.text.charAt(cursor.at);
    if (char === "'") break;
    out.put(char, cursor.at, cursor.at + 1);
  }
  cursor.at += 1;
}

function takeDoubleQuoted(cursor: Cursor, out: LocatedTextBuilder): void {
  for (cursor.at += 1; cursor.at < cursor.text.length; cursor.at += 1) {
    const { text, at } = cursor;
    const char = text.charAt(at);
    if (char === '"') break;
    if (char !== '\\') {
      out.put(char, at, at + 1);
      continue;
    }
    cursor.at += 1;
    const escaped = text.charAt(cursor.at);
    if (escaped === '') break;
    if ('"\\`$'.includes(escaped)) out.put(escaped, at, at + 2);
    else if (escaped !== '\n') {
      out.put('\\', at, at + 1);
      out.put(escaped, at + 1, at + 2);
    }
  }
  cursor.at += 1;
}

/** From the first unquoted character to the line end; quotes are literal here. Blanks at the end are not kept. */
function takeUnquoted(cursor: Cursor, out: LocatedTextBuilder): number {
  const { text } = cursor;
  let kept = out.length;
  for (; cursor.at < text.length; cursor.at += 1) {
    const { at } = cursor;
    const char = text.charAt(at);
    if (isNewline(char)) break;
    if (char !== '\\') {
      out.put(char, at, at + 1);
      if (!isBlank(char)) kept = out.length;
      continue;
    }
    kept = out.length;
    cursor.at += 1;
    const escaped = text.charAt(cursor.at);
    if (escaped === '' || isNewline(escaped)) continue;
    out.put(escaped, at, at + 2);
    kept = out.length;
  }
  return kept;
}

function takeValue(cursor: Cursor): LocatedText {
  const out = buildLocated();
  const { text } = cursor;
  while (cursor.at < text.length) {
    const char = text.charAt(cursor.at);
    if (isNewline(char)) break;
    if (char === "'") takeSingleQuoted(cursor, out);
    else if (char === '"') takeDoubleQuoted(cursor, out);
    else if (isBlank(char)) cursor.at += 1;
    else {
      const kept = takeUnquoted(cursor, out);
      return sliceLocated(out.done(), 0, kept);
    }
  }
  return out.done();
}

function readEntries(text: ByteText, note: (at: number, reason: string) => void): Entry[] {
  const entries: Entry[] = [];
  const cursor: Cursor = { text, at: 0 };
  while (cursor.at < text.length) {
    const start = cursor.at;
    const char = text.charAt(start);
    if (isBlank(char)) {
      cursor.at += 1;
    } else if (char === '#' || char === ';') {
      if (skipComment(cursor)) note(start, 'a backslash at the end of this comment swallows the next line (systemd before 254)');
    } else {
      const key = takeKey(cursor);
      if (key === undefined) {
        note(start, "no '='");
        continue;
      }
      cursor.at += 1;
      entries.push({ key, value: takeValue(cursor), at: start });
    }
  }
  return entries;
}

interface PlacedNote {
  readonly at: number;
  readonly reason: string;
}

/** Notes in file order, with line numbers instead of offsets. */
function withLines(text: ByteText, notes: readonly PlacedNote[]): LineNote[] {
  let line = 1;
  let counted = 0;
  return [...notes].sort((a, b) => a.at - b.at).map(({ at, reason }) => {
    for (; counted < at; counted += 1) if (text.charAt(counted) === '\n') line += 1;
    return { line, reason };
  });
}

/** Reads an environment file as systemd 252 does (kubelet.md 4.4). */
export function parseEnvironmentFile(text: ByteText): EnvironmentFile {
  if (text.includes('\0')) return { assignments: [], ignored: [], refused: 'it contains a NUL byte' };
  const notes: PlacedNote[] = [];
  const note = (at: number, reason: string): void => {
    notes.push({ at, reason });
  };
  const assignments: EnvironmentAssignment[] = [];
  for (const { key, value, at } of readEntries(text, note)) {
    if (!isCleanUtf8(key) || !isCleanUtf8(value.text)) return { assignments: [], ignored: withLines(text, notes), refused: 'it is not valid UTF-8' };
    if (isVariableName(key)) assignments.push({ name: key, value });
    else note(at, `${key} is not a variable name`);
  }
  return { assignments, ignored: withLines(text, notes) };
}
