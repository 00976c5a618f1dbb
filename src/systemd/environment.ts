/** The value of one `Environment=` line: assignments with the place of every character. It keeps no state across lines. */
import { isCleanUtf8, sliceLocated } from './located-text.js';
import type { LocatedText } from './located-text.js';
import { takeWord } from './quoted-words.js';
import { expandSpecifiers } from './specifiers.js';

export interface EnvironmentAssignment {
  readonly name: string;
  readonly value: LocatedText;
}

export interface EnvironmentLine {
  /** True for an empty assignment, which forgets all earlier ones. */
  readonly reset: boolean;
  readonly assignments: readonly EnvironmentAssignment[];
  /** What systemd ignores of this line, in words. */
  readonly ignored: readonly string[];
}

export function isVariableName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name);
}

/** Splits `NAME=value`; `undefined` when systemd would not take it as an assignment. */
export function splitAssignment(text: LocatedText): EnvironmentAssignment | undefined {
  const equals = text.text.indexOf('=');
  const name = text.text.slice(0, Math.max(equals, 0));
  if (!isVariableName(name)) return undefined;
  const value = sliceLocated(text, equals + 1);
  return isCleanUtf8(value.text) ? { name, value } : undefined;
}

/**
 * Reads one line as systemd 252 does (kubelet.md 4.3): quotes anywhere in a word, C escapes, specifiers.
 * A bad word is dropped; from an open quote or an unknown escape on, the rest of the line is dropped.
 */
export function parseEnvironment(line: LocatedText, unit: string): EnvironmentLine {
  const assignments: EnvironmentAssignment[] = [];
  const ignored: string[] = [];
  if (line.text === '') return { reset: true, assignments, ignored };
  let at = 0;
  for (;;) {
    const reading = takeWord(line, at, 'strict');
    if (reading.kind === 'end') break;
    if (reading.kind === 'invalid') {
      ignored.push(`open quote or unknown escape, dropped: ${line.text.slice(at)}`);
      break;
    }
    at = reading.next;
    const { text, unknown, invalid } = expandSpecifiers(reading.word.text, unit);
    if (invalid !== undefined) {
      ignored.push(`${invalid} is no specifier, dropped: ${reading.word.text.text}`);
      continue;
    }
    for (const specifier of unknown) ignored.push(`${specifier} depends on the machine, kept as written`);
    const assignment = splitAssignment(text);
    if (assignment === undefined) ignored.push(`not a NAME=value assignment, dropped: ${text.text}`);
    else assignments.push(assignment);
  }
  return { reset: false, assignments, ignored };
}
