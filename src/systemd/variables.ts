/** How the words of a command take up variables: `$VAR` alone is split, `${VAR}` is filled in. Reads no file. */
import type { ByteText } from '../core/bytes.js';
import type { ExecCommand } from './exec-start.js';
import type { LocatedText } from './located-text.js';
import { takeWords } from './quoted-words.js';
import type { QuotedWord } from './quoted-words.js';
import type { WordOrigin } from './sources.js';

export interface Variable {
  readonly name: string;
  readonly value: LocatedText;
  readonly path: string;
  readonly directive: Exclude<WordOrigin['directive'], 'ExecStart'>;
}

export type Variables = ReadonlyMap<string, Variable>;

/** A word of the final argv, and where it stands: in the line, in a variable's value, or in several places. */
export type ExpandedWord =
  | { readonly kind: 'line'; readonly value: ByteText; readonly word: QuotedWord }
  | { readonly kind: 'variable'; readonly value: ByteText; readonly word: QuotedWord; readonly variable: Variable }
  | { readonly kind: 'composed'; readonly value: ByteText; readonly names: readonly string[] };

/**
 * `${NAME}` and `$$` inside a word; `$NAME`, `${NAME:x}` and an open `${` inside a word stay as they are (kubelet.md 4.5).
 * A name goes to the next `}` or `:`, whatever stands between.
 */
function fillIn(text: ByteText, variables: Variables): { readonly value: ByteText; readonly names: readonly string[] } {
  const names: string[] = [];
  let value = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return { value: value + text.slice(at), names };
    value += text.slice(at, dollar);
    const next = text.charAt(dollar + 1);
    at = dollar + 2;
    if (next !== '{') {
      value += next === '$' ? '$' : `$${next}`;
      continue;
    }
    const length = text.slice(at).search(/[:}]/);
    if (length < 0) return { value: value + text.slice(dollar), names };
    const name = text.slice(at, at + length);
    at += length + 1;
    if (text.charAt(at - 1) === ':') {
      value += `\${${name}:`;
      continue;
    }
    names.push(name);
    value += variables.get(name)?.value.text ?? '';
    // Longer than allowed already: the caller sees it by the length, and the rest would only cost more.
    if (value.length > MAX_EXPANSION) return { value, names };
  }
}

/** `$NAME` alone in a word. */
function isSplit({ text: { text } }: QuotedWord): boolean {
  return text.startsWith('$') && !text.startsWith('${') && !text.startsWith('$$');
}

function splitValue(word: QuotedWord, variables: Variables): Variable | undefined {
  return isSplit(word) ? variables.get(word.text.text.slice(1)) : undefined;
}

function expandWord(word: QuotedWord, variables: Variables): ExpandedWord[] {
  const { text } = word.text;
  if (isSplit(word)) {
    const variable = splitValue(word, variables);
    if (variable === undefined) return [];
    const { words } = takeWords(variable.value, 'variable');
    return words.map((part) => ({ kind: 'variable', value: part.text.text, word: part, variable }));
  }
  const { value, names } = fillIn(text, variables);
  return [names.length === 0 ? { kind: 'line', value, word } : { kind: 'composed', value, names }];
}

/** What all references of a command may bring in, in characters. Real command lines have a few KiB, and a product of two files has no bound of its own. */
const MAX_EXPANSION = 256 * 1024;
/** A word costs more than its characters: its place among the others. */
const WORD_CHARACTERS = 8;

/** `undefined`: references bring in more than `MAX_EXPANSION` characters. */
export function expandCommand(command: ExecCommand, variables: Variables): readonly ExpandedWord[] | undefined {
  if (!command.expandsVariables) return command.argv.map((word) => ({ kind: 'line', value: word.text.text, word }));
  const words: ExpandedWord[] = [];
  let broughtIn = 0;
  for (const word of command.argv) {
    broughtIn += splitValue(word, variables)?.value.text.length ?? 0;
    if (broughtIn > MAX_EXPANSION) return undefined;
    for (const expanded of expandWord(word, variables)) {
      if (expanded.kind === 'composed') broughtIn += expanded.value.length;
      if (expanded.kind !== 'line') broughtIn += WORD_CHARACTERS;
      words.push(expanded);
    }
    if (broughtIn > MAX_EXPANSION) return undefined;
  }
  return words;
}

/** Names that the command takes up in any form. */
export function namesUsed(command: ExecCommand): readonly string[] {
  if (!command.expandsVariables) return [];
  return command.argv.flatMap(({ text: { text } }) =>
    /^\$[^{$]/.test(text) ? [text.slice(1)] : [...fillIn(text, new Map()).names],
  );
}
