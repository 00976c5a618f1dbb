/** A configuration file of OpenSSH, text to directives. Pure: follows no Include, decides nothing that depends on a name. */
import type { InputError } from '../core/input-error.js';
import { badInput, quoteText } from '../core/input-error.js';
import { parseCriteria } from './match-criteria.js';
import type { OptionText, Problem } from './option-values.js';
import { findOption } from './options.js';
import type { ConfigLine, ConfigScope, Directive, ParsedConfig, Place } from './parsed-config.js';
import { splitLine, splitMatch, splitWords } from './split-line.js';

export interface IncludePattern {
  readonly place: Place;
  /** As written, in the order of the line: relative to ~/.ssh or /etc/ssh, with wildcards. */
  readonly patterns: readonly string[];
}

/** Throws all errors of the file at once (badInput). An option that is unknown is judged by resolveConfig: IgnoreUnknown may cover it. */
export function readConfigText(file: string, text: string, scope: ConfigScope = 'user'): ParsedConfig {
  const lines: ConfigLine[] = [];
  const errors: InputError[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const read = readLine(line, scope);
    if (read === undefined) continue;
    if ('does' in read) lines.push({ place: { file, line: index + 1 }, directive: read });
    else errors.push({ file, line: index + 1, path: '', ...read });
  }
  if (errors.length > 0) throw badInput(errors);
  return { file, scope, lines };
}

export function includesOf(parsed: ParsedConfig): readonly IncludePattern[] {
  return parsed.lines.flatMap(({ place, directive }) => (directive.does === 'include' ? [{ place, patterns: directive.patterns }] : []));
}

function readLine(line: string, scope: ConfigScope): Directive | Problem | undefined {
  const split = splitLine(line);
  if (split === undefined) return undefined;
  const { keyword, column, rest, restColumn } = split;
  if (rest === '') return { column, expected: `a value behind ${quoteText(keyword)}`, got: 'nothing' };
  const words = splitWords(rest, restColumn);
  if (words === undefined) return { column: restColumn, expected: 'a quote that is closed', got: quoteText(rest) };
  const text = { words, rest, restColumn };
  switch (keyword) {
    case 'host':
      return readList(text, (patterns) => ({ does: 'host', patterns }));
    case 'match': {
      const result = parseCriteria(splitMatch(rest, restColumn), restColumn);
      return 'problem' in result ? result.problem : { does: 'match', criteria: result.criteria };
    }
    case 'include': {
      const tilde = words.find((word) => word.text.startsWith('~'));
      if (scope === 'system' && tilde !== undefined) return { column: tilde.column, expected: 'no ~ in a file of the whole system', got: quoteText(tilde.text) };
      return readList(text, (patterns) => ({ does: 'include', patterns }));
    }
    default:
      return findOption(keyword)?.(text) ?? { does: 'unknown', option: keyword, column };
  }
}

function readList({ words }: OptionText, make: (texts: readonly string[]) => Directive): Directive | Problem {
  const empty = words.find((word) => word.text === '');
  return empty === undefined ? make(words.map((word) => word.text)) : { column: empty.column, expected: 'a value', got: 'nothing' };
}
