/**
 * One walk over all files for one name: which lines count, and the first value of every option. A second walk follows where
 * `Match final` or CanonicalizeHostname asks for it, with the name that the first one found. Pure.
 */
import type { InputError } from '../core/input-error.js';
import { quoteText, suggestWord } from '../core/input-error.js';
import { canonicalAddress } from './canonical-address.js';
import { expandText } from './expand-text.js';
import { judgeCriteria } from './match-criteria.js';
import { matchPatterns, matchWildcards } from './match-pattern.js';
import { optionNames } from './options.js';
import type { ConfigLine, LoadedConfig, Place, RawKey, RawValues, SetDirective } from './parsed-config.js';
import type { AskedFor, ConfigRemarks, OptionRemark } from './ssh-config.js';

/** OpenSSH's own limit, for keys and for certificates. */
const MAX_FILES = 100;

export interface Placed<T> {
  readonly value: T;
  /** Absent: the name or user that was asked for. */
  readonly place?: Place;
}

export interface SettledConfig {
  readonly get: <K extends RawKey>(key: K) => Placed<RawValues[K]> | undefined;
  /** All that were named, each once. */
  readonly identityFiles: readonly Placed<string>[];
  readonly certificateFiles: readonly Placed<string>[];
  readonly hostName: string;
  readonly remarks: ConfigRemarks;
  readonly errors: readonly InputError[];
}

interface Walk {
  readonly asked: AskedFor;
  readonly values: Map<RawKey, Placed<unknown>>;
  readonly identityFiles: Placed<string>[];
  readonly certificateFiles: Placed<string>[];
  /** By place, so that the second walk says nothing twice. */
  readonly errors: Map<string, InputError>;
  readonly unsupported: Map<string, OptionRemark>;
  readonly meaningless: Map<string, OptionRemark>;
  readonly notRun: Map<string, Place>;
  /** What Host and Match host compare with. */
  host: string;
  isFinal: boolean;
  wantsFinal: boolean;
}

export function walkConfig(files: readonly LoadedConfig[], asked: AskedFor): SettledConfig {
  const walk: Walk = {
    asked, values: new Map(), identityFiles: [], certificateFiles: [], errors: new Map(), unsupported: new Map(), meaningless: new Map(),
    notRun: new Map(), host: asked.name, isFinal: false, wantsFinal: false,
  };
  if (asked.user !== undefined) walk.values.set('user', { value: asked.user });
  if (asked.port !== undefined) walk.values.set('port', { value: asked.port });
  for (const file of files) walkFile(walk, file, { active: true, never: false });
  walk.host = canonicalAddress(currentHost(walk), get(walk, 'addressFamily')?.value) ?? currentHost(walk).toLowerCase();
  if (walk.wantsFinal || get(walk, 'canonicalizeHostname')?.value === true) {
    walk.isFinal = true;
    for (const file of files) walkFile(walk, file, { active: true, never: false });
  }
  return {
    get: (key) => get(walk, key),
    identityFiles: walk.identityFiles, certificateFiles: walk.certificateFiles, hostName: walk.host, errors: [...walk.errors.values()],
    remarks: { unsupported: [...walk.unsupported.values()], meaningless: [...walk.meaningless.values()], notRun: [...walk.notRun.values()] },
  };
}

/** `never`: a file that was included where nothing applies; it is read for its errors. */
function walkFile(walk: Walk, file: LoadedConfig, { active, never }: { active: boolean; never: boolean }): void {
  let applies = active;
  for (const line of file.lines) {
    const { directive, place } = line;
    switch (directive.does) {
      case 'host':
        applies = !never && matchesHost(directive.patterns, walk.host);
        break;
      case 'match':
        applies = judgeMatch(walk, line, never);
        break;
      case 'include':
        if (applies) remarkTokens(walk, directive.patterns, place);
        for (const included of file.included.get(place.line) ?? []) walkFile(walk, included, { active: applies, never: never || !applies });
        break;
      case 'set':
        if (directive.key === 'identityAgent') checkVariables(walk, directive.value, place);
        if (applies) settle(walk, directive, place);
        break;
      case 'nothing':
        if (applies && !directive.off) remark(walk, directive.option, directive.use, place, file.scope === 'system');
        break;
      case 'unknown':
        if (!isIgnored(walk, directive.option)) {
          const expected = `an option of ssh_config${suggestWord(directive.option, optionNames())}`;
          addError(walk, { file: place.file, line: place.line, column: directive.column, path: '', expected, got: quoteText(directive.option) });
        }
    }
  }
}

function settle(walk: Walk, directive: SetDirective, place: Place): void {
  switch (directive.key) {
    case 'identityFile':
      return addFile(walk, walk.identityFiles, directive.value, place);
    case 'certificateFile':
      return addFile(walk, walk.certificateFiles, directive.value, place);
    case 'proxyJump':
    case 'proxyCommand': {
      // Of the two, the one that stands first counts; but `ProxyJump none` leaves room for a command.
      const hasJump = (get(walk, 'proxyJump')?.value ?? 'none') !== 'none' || (directive.key === 'proxyJump' && walk.values.has('proxyJump'));
      if (!hasJump && !walk.values.has('proxyCommand')) walk.values.set(directive.key, { value: directive.value, place });
      return;
    }
    default:
      if (!walk.values.has(directive.key)) walk.values.set(directive.key, { value: directive.value, place });
  }
}

/** OpenSSH wants every variable of an IdentityAgent to be set, also where the line does not count. */
function checkVariables(walk: Walk, text: string, place: Place): void {
  const expanded = expandText(text.replaceAll('%', '%%'), { tokens: {}, env: walk.asked.env });
  if (!expanded.ok) addError(walk, { ...place, path: 'identityAgent', expected: expanded.expected, got: expanded.got });
}

function addFile(walk: Walk, files: Placed<string>[], value: string, place: Place): void {
  if (files.some((file) => file.value === value)) return;
  if (files.length < MAX_FILES) files.push({ value, place });
  else addError(walk, { ...place, path: '', expected: `at most ${MAX_FILES} files`, got: 'one more' });
}

/** The first negated pattern that matches ends the search. */
function matchesHost(patterns: readonly string[], host: string): boolean {
  let matched = false;
  for (const pattern of patterns) {
    const isNegated = pattern.startsWith('!');
    if (!matchWildcards(isNegated ? pattern.slice(1) : pattern, host)) continue;
    if (isNegated) return false;
    matched = true;
  }
  return matched;
}

function judgeMatch(walk: Walk, { directive, place }: ConfigLine, never: boolean): boolean {
  if (directive.does !== 'match') return false;
  if (directive.criteria.some(({ attribute }) => attribute === 'final')) walk.wantsFinal = true;
  const result = judgeCriteria(directive.criteria, {
    host: currentHost(walk, place), originalHost: walk.asked.name, isFinal: walk.isFinal, localUser: walk.asked.localUser,
    user: get(walk, 'user')?.value ?? walk.asked.localUser, tag: get(walk, 'tag')?.value ?? '',
  });
  if (never) return false;
  if (result === 'exec') walk.notRun.set(keyOf(place), place);
  if (result === 'notJudged') {
    const attributes = directive.criteria.filter(({ attribute }) => ['localnetwork', 'command', 'sessiontype', 'version'].includes(attribute));
    walk.unsupported.set(keyOf(place), { option: `Match ${attributes.map(({ attribute }) => attribute).join(' ')}`, place });
  }
  return result === 'applies';
}

/** The name with HostName in force. Only %h and %% stand in a HostName. */
function currentHost(walk: Walk, usedAt?: Place): string {
  const hostName = get(walk, 'hostName');
  if (walk.isFinal || hostName === undefined) return walk.host;
  const expanded = expandText(hostName.value, { tokens: { h: walk.asked.name } });
  if (expanded.ok) return expanded.text;
  const place = hostName.place ?? usedAt;
  addError(walk, { file: place?.file ?? 'ssh_config', ...(place ? { line: place.line } : {}), path: 'HostName', expected: expanded.expected, got: expanded.got });
  return walk.asked.name;
}

function get<K extends RawKey>(walk: Walk, key: K): Placed<RawValues[K]> | undefined {
  // The map holds under each key what a SetDirective of that key had.
  return walk.values.get(key) as Placed<RawValues[K]> | undefined;
}

function isIgnored(walk: Walk, option: string): boolean {
  const list = get(walk, 'ignoreUnknown')?.value;
  return list !== undefined && matchPatterns(list.toLowerCase().split(','), option) === 'match';
}

/** Debian, Ubuntu and Fedora switch GSSAPI on for everybody; a person is told of it only where a person asked for it. */
function remark(walk: Walk, option: string, use: 'unsupported' | 'meaningless', place: Place, isSystem: boolean): void {
  const isDistribution = isSystem && option === 'GSSAPIAuthentication';
  const remarks = use === 'unsupported' && !isDistribution ? walk.unsupported : walk.meaningless;
  remarks.set(keyOf(place), { option, place });
}

/** OpenSSH 9.9 and later replace ${NAME} and tokens in an Include; here they stand for themselves, as before. */
function remarkTokens(walk: Walk, patterns: readonly string[], place: Place): void {
  if (patterns.some((pattern) => /\$\{|%/.test(pattern))) walk.unsupported.set(keyOf(place), { option: 'Include with ${NAME} or tokens', place });
}

function addError(walk: Walk, error: InputError): void {
  walk.errors.set(`${error.file}:${error.line ?? ''}:${error.column ?? ''}:${error.path}`, error);
}

function keyOf({ file, line }: Place): string {
  return `${file}:${line}`;
}
