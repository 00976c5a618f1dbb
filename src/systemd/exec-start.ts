/** The value of one `ExecStart=` line: prefixes, words, commands, and how a command's words expand. Runs nothing. */
import type { ByteText } from '../core/bytes.js';
import { isBlank, rangeOf, sliceLocated } from './located-text.js';
import type { LocatedText } from './located-text.js';
import { skipBlanks, takeWord } from './quoted-words.js';
import type { QuotedWord } from './quoted-words.js';
import { expandSpecifiers } from './specifiers.js';

export interface ExecCommand {
  /** argv before variables are filled in; indexes count in the line's own text. */
  readonly argv: readonly QuotedWord[];
  /** False after the prefix `:`. */
  readonly expandsVariables: boolean;
}

export interface ExecLine {
  /** True for an empty assignment, which forgets all earlier commands. */
  readonly reset: boolean;
  readonly commands: readonly ExecCommand[];
  readonly ignored: readonly string[];
  /** systemd rejects the line; after a `-` prefix it only drops it (then the reason is in `ignored`). */
  readonly invalid?: string;
}

interface Program {
  readonly path: QuotedWord;
  readonly setsFirstArgument: boolean;
  readonly mayFail: boolean;
  readonly expandsVariables: boolean;
  readonly fault?: string;
}

/** Each prefix counts once, `!` twice (`!!`), `+` excludes `!`; the first character that fits none starts the path. */
function takePrefixes(text: ByteText): { readonly length: number; readonly seen: ReadonlySet<string> } {
  const seen = new Set<string>();
  let length = 0;
  for (; length < text.length; length += 1) {
    const char = text.charAt(length);
    const privilege = seen.has('+') || seen.has('!!');
    if ('-@:'.includes(char) && !seen.has(char)) seen.add(char);
    else if (char === '+' && !privilege && !seen.has('!')) seen.add('+');
    else if (char === '!' && !privilege) seen.add(seen.has('!') ? '!!' : '!');
    else break;
  }
  return { length, seen };
}

function readProgram(word: QuotedWord, unit: string, ignored: string[]): Program {
  const { length, seen } = takePrefixes(word.text.text);
  const { text, unknown, invalid } = expandSpecifiers(sliceLocated(word.text, length), unit);
  const fault = invalid === undefined ? faultOfPath(text.text) : `${invalid} is no specifier`;
  for (const specifier of unknown) ignored.push(`${specifier} depends on the machine, kept as written`);
  return {
    path: { ...word, text },
    setsFirstArgument: seen.has('@'),
    mayFail: seen.has('-'),
    expandsVariables: !seen.has(':'),
    ...(fault === undefined ? {} : { fault }),
  };
}

function faultOfPath(path: ByteText): string | undefined {
  if (path === '') return 'empty path of the program';
  if (/[\x00-\x1f\x7f'"\\]/.test(path)) return `special characters in the path of the program: ${path}`;
  if (path.endsWith('/')) return `the program is a directory: ${path}`;
  if (!path.startsWith('/') && path.includes('/')) return `the path of the program is not absolute: ${path}`;
  if (path === '.' || path === '..') return `not a program: ${path}`;
  return undefined;
}

const isLone = (text: ByteText, at: number): boolean => at >= text.length || isBlank(text.charAt(at));

type Arguments = { readonly words: readonly QuotedWord[]; readonly next: number; readonly another: boolean } | string;

function takeArguments(line: LocatedText, from: number, unit: string, ignored: string[]): Arguments {
  const words: QuotedWord[] = [];
  const { text } = line;
  let at = from;
  while (at < text.length) {
    if (text.charAt(at) === ';' && isLone(text, at + 1)) return { words, next: skipBlanks(text, at + 1), another: true };
    if (text.startsWith('\\;', at) && isLone(text, at + 2)) {
      const [start, end] = rangeOf(line, at, at + 2);
      words.push({ text: { text: ';', starts: [start], ends: [end] }, from: at, to: at + 2 });
      at = skipBlanks(text, at + 2);
      continue;
    }
    const reading = takeWord(line, at, 'lenient');
    if (reading.kind === 'invalid') return `open quote: ${text.slice(at)}`;
    if (reading.kind === 'end') break;
    if (reading.keptBackslash) ignored.push(`unknown escape, kept as written: ${text.slice(reading.word.from, reading.word.to)}`);
    const expanded = expandSpecifiers(reading.word.text, unit);
    if (expanded.invalid !== undefined) return `${expanded.invalid} is no specifier: ${reading.word.text.text}`;
    for (const specifier of expanded.unknown) ignored.push(`${specifier} depends on the machine, kept as written`);
    words.push({ ...reading.word, text: expanded.text });
    at = reading.next;
  }
  return { words, next: text.length, another: false };
}

/** Reads one line as systemd 252 does (kubelet.md 4.5): several commands when a lone `;` separates them. */
export function parseExecStart(line: LocatedText, unit: string): ExecLine {
  const commands: ExecCommand[] = [];
  const ignored: string[] = [];
  if (line.text === '') return { reset: true, commands, ignored };
  let at = 0;
  for (;;) {
    const first = takeWord(line, at, 'lenient');
    if (first.kind === 'end') return { reset: false, commands, ignored };
    if (first.kind === 'invalid') {
      ignored.push(`open quote in the first word, line dropped: ${line.text}`);
      return { reset: false, commands, ignored };
    }
    at = first.next;
    if (first.word.text.text === ';') continue;
    const program = readProgram(first.word, unit, ignored);
    const rest = takeArguments(line, at, unit, ignored);
    const argv = typeof rest === 'string' ? [] : program.setsFirstArgument ? rest.words : [program.path, ...rest.words];
    const empty = argv.length === 0 ? 'no argument for the program name' : undefined;
    const fault = program.fault ?? (typeof rest === 'string' ? rest : empty);
    if (fault !== undefined) {
      if (!program.mayFail) return { reset: false, commands, ignored, invalid: fault };
      ignored.push(`${fault}; line dropped`);
      return { reset: false, commands, ignored };
    }
    commands.push({ argv, expandsVariables: program.expandsVariables });
    if (typeof rest === 'string' || !rest.another) return { reset: false, commands, ignored };
    at = rest.next;
  }
}
