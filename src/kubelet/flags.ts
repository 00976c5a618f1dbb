/**
 * A kubelet's command line read by spf13/pflag's rules, as the kubelet configures it (kubelet.md 2.3). Knows arity and
 * syntax only; never judges whether a flag exists or whether a value fits it, except for booleans.
 */
import { BOOLEAN_FLAGS } from './boolean-flags.js';

export interface FlagUse {
  /** Without dashes, `_` replaced by `-`. A shorthand goes by its long name (`h` is `help`; `v` has no other). */
  readonly name: string;
  readonly value: string;
  /** Index in argv of the word with the flag's name. */
  readonly at: number;
  /** 2 when the value is the next word. */
  readonly words: 1 | 2;
}

export interface ParsedFlags {
  readonly flags: readonly FlagUse[];
  readonly positional: readonly string[];
  /** Why the kubelet would exit at once; the flags before that point are still listed. */
  readonly error?: string;
}

type Step = { readonly uses: readonly FlagUse[]; readonly next: number } | { readonly uses: readonly FlagUse[]; readonly error: string };

/** What pflag's `strconv.ParseBool` takes. */
const BOOLEAN_VALUES = new Set(['1', 't', 'T', 'TRUE', 'true', 'True', '0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Reads `argv` without argv[0]. Stops at the first error, as pflag does. */
export function parseFlags(argv: readonly string[]): ParsedFlags {
  const flags: FlagUse[] = [];
  const positional: string[] = [];
  for (let at = 0; at < argv.length; ) {
    const word = argv[at] ?? '';
    if (word === '--') {
      positional.push(...argv.slice(at + 1));
      break;
    }
    if (!word.startsWith('-') || word === '-') {
      positional.push(word);
      at += 1;
      continue;
    }
    const step = word.startsWith('--') ? readLong(argv, at, word) : readShort(argv, at, word);
    flags.push(...step.uses);
    if ('error' in step) return { flags, positional, error: step.error };
    at = step.next;
  }
  const [command] = positional;
  return command === undefined ? { flags, positional } : { flags, positional, error: `unknown command ${command}` };
}

/** Every use of a flag, in order; either spelling of the name (`-` or `_`). */
export function flagUses(parsed: ParsedFlags, name: string): readonly FlagUse[] {
  const wanted = normalise(name);
  return parsed.flags.filter((use) => use.name === wanted);
}

/** The use that counts: the last one. Right for plain values; lists and maps add up instead. */
export function lastFlag(parsed: ParsedFlags, name: string): FlagUse | undefined {
  return flagUses(parsed, name).at(-1);
}

function readLong(argv: readonly string[], at: number, word: string): Step {
  const [written = '', ...rest] = word.slice(2).split('=');
  if (written === '' || written.startsWith('-')) return { uses: [], error: `bad flag syntax: ${word}` };
  const name = normalise(written);
  if (rest.length > 0) return checked({ name, value: rest.join('='), at, words: 1 });
  if (BOOLEAN_FLAGS.has(name)) return checked({ name, value: 'true', at, words: 1 });
  const value = argv[at + 1];
  if (value === undefined) return { uses: [], error: `flag needs an argument: --${written}` };
  return checked({ name, value, at, words: 2 });
}

/** `-v2`, `-v=2`, `-v 2`, `-h`, and bundles such as `-hv2`. The kubelet has no other shorthands. */
function readShort(argv: readonly string[], at: number, word: string): Step {
  const uses: FlagUse[] = [];
  for (let rest = word.slice(1); rest !== ''; ) {
    if (rest.startsWith('h')) {
      const equals = rest.length > 2 && rest[1] === '=';
      const step = checked({ name: 'help', value: equals ? rest.slice(2) : 'true', at, words: 1 });
      if ('error' in step) return { uses, error: step.error };
      uses.push(...step.uses);
      rest = equals ? '' : rest.slice(1);
    } else if (rest.startsWith('v')) {
      return withVerbosity(argv, at, rest, uses);
    } else {
      return { uses, error: `unknown shorthand flag: '${[...rest][0] ?? ''}' in -${rest}` };
    }
  }
  return { uses, next: at + 1 };
}

function withVerbosity(argv: readonly string[], at: number, rest: string, before: readonly FlagUse[]): Step {
  if (rest.length > 1) {
    const value = rest.length > 2 && rest[1] === '=' ? rest.slice(2) : rest.slice(1);
    return { uses: [...before, { name: 'v', value, at, words: 1 }], next: at + 1 };
  }
  const value = argv[at + 1];
  if (value === undefined) return { uses: before, error: `flag needs an argument: 'v' in -${rest}` };
  return { uses: [...before, { name: 'v', value, at, words: 2 }], next: at + 2 };
}

function checked(use: FlagUse): Step {
  const bad = BOOLEAN_FLAGS.has(use.name) && use.name !== 'version' && !BOOLEAN_VALUES.has(use.value);
  if (bad) return { uses: [], error: `invalid argument "${use.value}" for "--${use.name}" flag: not a boolean` };
  return { uses: [use], next: use.at + use.words };
}

function normalise(name: string): string {
  return name.replaceAll('_', '-');
}
