/** The command line that systemd would start the service with, word by word with its origin. Changes nothing, runs nothing. */
import { readableText } from '../core/bytes.js';
import type { ByteText } from '../core/bytes.js';
import { parseEnvironmentFile } from './environment-file.js';
import { rangeOf } from './located-text.js';
import type { LocatedText } from './located-text.js';
import { readServiceSettings } from './service-settings.js';
import type { LoadedCommand, ServiceSettings } from './service-settings.js';
import type { Prediction, PredictedWord, UnitSources, WordOrigin } from './sources.js';
import { expandCommand, namesUsed } from './variables.js';
import type { ExpandedWord, Variable } from './variables.js';

/** A word that stands in one place, with the text around it. */
export interface PlacedWord {
  readonly predicted: PredictedWord;
  readonly place?: { readonly around: LocatedText; readonly from: number; readonly to: number };
}

export interface PlacedPrediction {
  readonly words: readonly PlacedWord[];
  readonly commandCount: number;
  readonly wouldNotStart?: string;
  readonly unbounded?: string;
  readonly ignored: readonly string[];
}

/** Set by systemd itself for most services: a reference to one of these cannot be predicted from the files. */
const SET_BY_SYSTEMD = new Set([
  'PATH', 'LANG', 'INVOCATION_ID', 'JOURNAL_STREAM', 'SYSTEMD_EXEC_PID', 'MANAGERPID', 'NOTIFY_SOCKET', 'HOME', 'USER', 'LOGNAME',
  'SHELL', 'TERM', 'WATCHDOG_PID', 'WATCHDOG_USEC', 'LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES', 'RUNTIME_DIRECTORY',
  'STATE_DIRECTORY', 'CACHE_DIRECTORY', 'LOGS_DIRECTORY', 'CONFIGURATION_DIRECTORY', 'CREDENTIALS_DIRECTORY',
]);

type FileVariables = { readonly variables: ReadonlyMap<string, Variable>; readonly ignored: readonly string[] } | string;

function readEnvironmentFiles(settings: ServiceSettings, files: ReadonlyMap<string, ByteText | undefined>): FileVariables {
  const variables = new Map<string, Variable>();
  const ignored: string[] = [];
  for (const { path, optional } of settings.environmentFiles) {
    const text = files.get(path);
    if (text === undefined && /[*?[]/.test(path)) return `EnvironmentFile=${path} names files by a pattern, which cannot be predicted`;
    if (text === undefined && !optional) return `EnvironmentFile=${path} does not exist`;
    if (text === undefined) continue;
    const parsed = parseEnvironmentFile(text);
    for (const { line, reason } of parsed.ignored) ignored.push(`${path}:${line}: ${readableText(reason)}`);
    if (parsed.refused !== undefined && !optional) return `EnvironmentFile=${path} cannot be read: ${parsed.refused}`;
    if (parsed.refused !== undefined) ignored.push(`${path}:1: the whole file, because ${parsed.refused}`);
    for (const { name, value } of parsed.assignments) variables.set(name, { name, value, path, directive: 'EnvironmentFile' });
  }
  return { variables, ignored };
}

function withoutUnset(variables: ReadonlyMap<string, Variable>, unset: readonly string[]): Map<string, Variable> {
  const gone = new Set(unset);
  return new Map([...variables].filter(([name, { value }]) => !gone.has(name) && !gone.has(`${name}=${value.text}`)));
}

function warnOfForeignNames(command: LoadedCommand, variables: ReadonlyMap<string, Variable>, settings: ServiceSettings): string[] {
  const warnings: string[] = [];
  const passed = new Set(settings.passed);
  for (const name of new Set(namesUsed(command))) {
    if (variables.has(name)) continue;
    if (passed.has(name)) warnings.push(`${command.path}: PassEnvironment=${name} has a value that only the manager knows, taken as unset`);
    else if (SET_BY_SYSTEMD.has(name)) warnings.push(`${command.path}: $${name} is set by systemd itself, taken as unset`);
  }
  return warnings;
}

function originOf(word: ExpandedWord, command: LoadedCommand): WordOrigin {
  switch (word.kind) {
    case 'line':
      return { path: command.path, directive: 'ExecStart', range: rangeOf(command.line, word.word.from, word.word.to) };
    case 'variable': {
      const { name, value, path, directive } = word.variable;
      return { path, directive, variable: name, range: rangeOf(value, word.word.from, word.word.to) };
    }
    case 'composed': {
      const [name] = word.names;
      return { path: command.path, directive: 'ExecStart', ...(name === undefined ? {} : { variable: name }) };
    }
  }
}

function placeWord(word: ExpandedWord, command: LoadedCommand): PlacedWord {
  const predicted = { value: readableText(word.value), origin: originOf(word, command) };
  if (word.kind === 'composed') return { predicted };
  const around = word.kind === 'line' ? command.line : word.variable.value;
  return { predicted, place: { around, from: word.word.from, to: word.word.to } };
}

export function predictPlaced(sources: UnitSources): PlacedPrediction {
  const settings = readServiceSettings(sources.unit, sources.fragment, sources.dropIns);
  const commandCount = settings.commands.length;
  const { ignored } = settings;
  if (settings.refused !== undefined) return { words: [], commandCount, wouldNotStart: settings.refused, ignored };
  const fromFiles = readEnvironmentFiles(settings, sources.environmentFiles);
  if (typeof fromFiles === 'string') return { words: [], commandCount, wouldNotStart: fromFiles, ignored };
  const variables = withoutUnset(new Map([...settings.variables, ...fromFiles.variables]), settings.unset);
  const [command] = settings.commands;
  if (command === undefined) return { words: [], commandCount, wouldNotStart: 'no ExecStart=', ignored };
  const expanded = expandCommand(command, variables);
  if (expanded === undefined) return { words: [], commandCount, unbounded: `${command.path}: the variables of ExecStart= make its command line too long to be predicted`, ignored };
  const words = expanded.map((word) => placeWord(word, command));
  const warnings = warnOfForeignNames(command, variables, settings);
  if (commandCount > 1) warnings.push(`${command.path}: ${commandCount} commands, only the first is predicted`);
  return { words, commandCount, ignored: [...ignored, ...fromFiles.ignored, ...warnings] };
}

/**
 * Predicts argv as systemd 252 builds it from these files (kubelet.md 4.2 to 4.5): drop-ins in the given order, the last
 * assignment of a variable counts, EnvironmentFile= beats Environment=. A file missing from `environmentFiles` counts as
 * not existing. Values that only the machine knows (PassEnvironment=, `%H`, `$PATH`) are named in `ignored`.
 */
export function predictCommandLine(sources: UnitSources): Prediction {
  const { words, wouldNotStart, unbounded, ignored } = predictPlaced(sources);
  return {
    words: words.map(({ predicted }) => predicted),
    ignored,
    ...(wouldNotStart === undefined ? {} : { wouldNotStart }),
    ...(unbounded === undefined ? {} : { unbounded }),
  };
}
