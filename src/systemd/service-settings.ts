/** What fragment and drop-ins together set for the command line: a fold over their lines in load order. Reads no file. */
import { readableText } from '../core/bytes.js';
import { parseEnvironment, isVariableName, splitAssignment } from './environment.js';
import { parseExecStart } from './exec-start.js';
import type { ExecCommand } from './exec-start.js';
import type { LocatedText } from './located-text.js';
import { takeWords } from './quoted-words.js';
import type { UnitSourceFile } from './sources.js';
import { expandSpecifiers } from './specifiers.js';
import { parseUnitFile } from './unit-file.js';
import type { UnitAssignment } from './unit-file.js';
import type { Variable } from './variables.js';

export interface LoadedCommand extends ExecCommand {
  readonly path: string;
  /** The whole value of the line that holds the command. */
  readonly line: LocatedText;
}

export interface EnvironmentFileReference {
  readonly path: string;
  readonly optional: boolean;
}

export interface ServiceSettings {
  readonly commands: readonly LoadedCommand[];
  readonly variables: ReadonlyMap<string, Variable>;
  readonly environmentFiles: readonly EnvironmentFileReference[];
  readonly type: string;
  /** Names that the service takes from the manager. */
  readonly passed: readonly string[];
  /** Names, or NAME=value pairs, that are taken away last. */
  readonly unset: readonly string[];
  readonly ignored: readonly string[];
  /** Why systemd does not load the unit. */
  readonly refused?: string;
}

interface Accumulator {
  readonly unit: string;
  commands: LoadedCommand[];
  variables: Map<string, Variable>;
  environmentFiles: EnvironmentFileReference[];
  type: string;
  passed: string[];
  unset: string[];
  ignored: string[];
}

/** One directive's effect; a returned text is why systemd stops reading the file there. */
type Directive = (settings: Accumulator, value: LocatedText, path: string, ignore: (reason: string) => void) => string | undefined;

const TYPES = new Set(['simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle']);

const environment: Directive = (settings, value, path, ignore) => {
  const line = parseEnvironment(value, settings.unit);
  if (line.reset) settings.variables.clear();
  for (const reason of line.ignored) ignore(reason);
  for (const assignment of line.assignments) settings.variables.set(assignment.name, { ...assignment, path, directive: 'Environment' });
  return undefined;
};

function simplifyPath(path: string): string {
  const simple = path.replace(/\/(?:\.?\/)+/g, '/').replace(/\/\.$/, '/');
  return simple.length > 1 ? simple.replace(/\/$/, '') : simple;
}

const environmentFile: Directive = (settings, value, _path, ignore) => {
  if (value.text === '') {
    settings.environmentFiles = [];
    return undefined;
  }
  const { text, unknown, invalid } = expandSpecifiers(value, settings.unit);
  if (invalid !== undefined) {
    ignore(`${invalid} is no specifier, dropped: ${value.text}`);
    return undefined;
  }
  for (const specifier of unknown) ignore(`${specifier} depends on the machine, kept as written`);
  const optional = text.text.startsWith('-');
  const path = optional ? text.text.slice(1) : text.text;
  if (!path.startsWith('/')) ignore(`the path is not absolute, dropped: ${path}`);
  else if (path.split('/').includes('..')) ignore(`the path has '..' in it, dropped: ${path}`);
  else settings.environmentFiles.push({ path: simplifyPath(path), optional });
  return undefined;
};

const execStart: Directive = (settings, value, path, ignore) => {
  const line = parseExecStart(value, settings.unit);
  if (line.reset) settings.commands = [];
  for (const reason of line.ignored) ignore(reason);
  for (const command of line.commands) settings.commands.push({ ...command, path, line: value });
  return line.invalid;
};

const type: Directive = (settings, value, _path, ignore) => {
  if (TYPES.has(value.text)) settings.type = value.text;
  else ignore(`not a service type, dropped: ${value.text}`);
  return undefined;
};

const passEnvironment: Directive = (settings, value, _path, ignore) => {
  if (value.text === '') settings.passed = [];
  for (const word of takeWords(value, 'plain').words) {
    const name = expandSpecifiers(word.text, settings.unit).text.text;
    if (!isVariableName(name)) ignore(`not a variable name, dropped: ${name}`);
    else settings.passed.push(name);
  }
  return undefined;
};

const unsetEnvironment: Directive = (settings, value, _path, ignore) => {
  if (value.text === '') settings.unset = [];
  for (const word of takeWords(value, 'strict').words) {
    const { text } = expandSpecifiers(word.text, settings.unit);
    if (isVariableName(text.text) || splitAssignment(text) !== undefined) settings.unset.push(text.text);
    else ignore(`neither a name nor NAME=value, dropped: ${text.text}`);
  }
  return undefined;
};

const DIRECTIVES: ReadonlyMap<string, Directive> = new Map([
  ['Environment', environment],
  ['EnvironmentFile', environmentFile],
  ['ExecStart', execStart],
  ['Type', type],
  ['PassEnvironment', passEnvironment],
  ['UnsetEnvironment', unsetEnvironment],
]);
const SPELLINGS: ReadonlyMap<string, string> = new Map([...DIRECTIVES.keys()].map((key) => [key.toLowerCase(), key]));

function reasonForNoEffect({ section, key }: UnitAssignment): string | undefined {
  const spelling = SPELLINGS.get(key.toLowerCase());
  if (spelling === undefined) return undefined;
  if (spelling !== key) return `${key}= is not known; it is spelled ${spelling}=`;
  return section === 'Service' ? undefined : `${key}= has no effect in [${section}]`;
}

/** Applies one file; gives the reason when systemd stops reading it. */
function applyFile(settings: Accumulator, file: UnitSourceFile): string | undefined {
  const parsed = parseUnitFile(file.text);
  const noteAt = (line: number) => (reason: string) => settings.ignored.push(`${file.path}:${line}: ${readableText(reason)}`);
  for (const { line, reason } of parsed.ignored) noteAt(line)(reason);
  for (const assignment of parsed.assignments) {
    const ignore = noteAt(assignment.line);
    const noEffect = reasonForNoEffect(assignment);
    if (noEffect !== undefined) {
      ignore(noEffect);
      continue;
    }
    const stop = DIRECTIVES.get(assignment.key)?.(settings, assignment.value, file.path, ignore);
    if (stop !== undefined) return `${file.path}:${assignment.line}: ${readableText(stop)}`;
  }
  if (parsed.broken === undefined) return undefined;
  return `${file.path}:${parsed.broken.line}: ${readableText(parsed.broken.reason)}`;
}

function refusalOf({ commands, type }: Accumulator): string | undefined {
  if (commands.length === 0) return 'no ExecStart=';
  if (commands.length > 1 && type !== 'oneshot') return `more than one ExecStart=, which only Type=oneshot may have`;
  return undefined;
}

/** Folds fragment and drop-ins in load order. A fault in the fragment refuses the unit, one in a drop-in loses its rest. */
export function readServiceSettings(unit: string, fragment: UnitSourceFile, dropIns: readonly UnitSourceFile[]): ServiceSettings {
  const settings: Accumulator = {
    unit, commands: [], variables: new Map(), environmentFiles: [], type: 'simple', passed: [], unset: [], ignored: [],
  };
  const fault = applyFile(settings, fragment);
  if (fault !== undefined) return { ...settings, refused: fault };
  for (const dropIn of dropIns) {
    const stop = applyFile(settings, dropIn);
    if (stop !== undefined) settings.ignored.push(`${stop}; the rest of this file is lost`);
  }
  const refused = refusalOf(settings);
  return refused === undefined ? settings : { ...settings, refused };
}
