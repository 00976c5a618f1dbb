/**
 * The parameters of a playbook: their values after `--set`, and the places that refer to them. `${timeout}` stands
 * for a value only as a whole scalar. Never builds text out of pieces: a playbook is data, not a template.
 */
import { describeValue, quoteText, suggestWord } from '../core/input-error.js';
import { isSecretName } from '../core/secret-names.js';
import { parseDuration } from '../kubelet/duration.js';
import type { Checker } from './check-values.js';
import { isParameterName, MAX_PARAMETER_CHARACTERS, type Parameter, PARAMETER_NAME_EXPECTED, parameterSchema } from './playbook-schema.js';
import { isMapping, type ValuePath } from './yaml-document.js';

/** What `--set NAME=VALUE` gave. */
export type Overrides = Readonly<Record<string, string>>;

export interface ParameterValues {
  /** Only what was right. */
  readonly values: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  /** What must not be shown: defaults and settings of parameters marked `secret`, right or not. */
  readonly secrets: readonly string[];
  readonly used: Set<string>;
}

/** A value with every reference replaced; `complete` is false when one of them could not be. */
export interface Resolved {
  readonly value: unknown;
  readonly complete: boolean;
}

export function readParameters(checker: Checker, value: unknown, overrides: Overrides): ParameterValues {
  const declared = value === undefined ? {} : value;
  if (!isMapping(declared)) checker.refuse(['parameters'], 'a mapping of parameters', describeValue(declared));
  const parameters = isMapping(declared) ? declared : {};
  const names = Object.keys(parameters);
  const values: Record<string, string> = {};
  const secrets: string[] = [];
  for (const name of names) {
    const path = ['parameters', name];
    if (!isParameterName(name)) checker.refuse(path, PARAMETER_NAME_EXPECTED, quoteText(name), 'key');
    const parameter = checker.check(parameterSchema, parameters[name], path);
    if (parameter?.secret === true) {
      const own = [parameter.default, ...(Object.hasOwn(overrides, name) ? [overrides[name] ?? ''] : [])].filter((secret) => secret !== '');
      secrets.push(...own);
      checker.hide(own);
    }
    const chosen = parameter === undefined ? undefined : chooseValue(checker, parameter, name, overrides);
    if (chosen !== undefined) values[name] = chosen;
  }
  refuseUnknownOverrides(checker, names, overrides, secrets);
  return { values, names, secrets, used: new Set() };
}

function chooseValue(checker: Checker, parameter: Parameter, name: string, overrides: Overrides): string | undefined {
  const fault = faultOf(parameter, parameter.default);
  if (fault !== undefined) checker.refuse(['parameters', name, 'default'], fault, quoteText(parameter.default));
  if (!Object.hasOwn(overrides, name)) return fault === undefined ? parameter.default : undefined;
  const given = overrides[name] ?? '';
  const expected = faultOf(parameter, given);
  if (expected !== undefined) checker.refuseElsewhere({ file: `--set ${name}=${parameter.secret === true ? HIDDEN : shorten(given)}`, path: '', expected, got: quoteText(given) });
  return expected === undefined ? given : undefined;
}

/** What was expected of a value that is not right. */
function faultOf(parameter: Parameter, value: string): string | undefined {
  switch (parameter.type) {
    case 'goDuration': {
      const parsed = value.length <= MAX_PARAMETER_CHARACTERS ? parseDuration(value) : undefined;
      if (parsed?.ok === true && (parameter.nonZero !== true || parsed.ns > 0n)) return undefined;
      return `a Go duration${parameter.nonZero === true ? ' above zero' : ''} such as 4h0m0s`;
    }
  }
}

const HIDDEN = '[redacted]';

/** A name that is mistyped may have been that of a secret. */
function refuseUnknownOverrides(checker: Checker, names: readonly string[], overrides: Overrides, secrets: readonly string[]): void {
  const expected = names.length === 0 ? 'no --set: this playbook has no parameters' : `one of the parameters ${names.join(', ')}`;
  for (const [name, given] of Object.entries(overrides)) {
    if (names.includes(name)) continue;
    const shown = secrets.length > 0 || isSecretName(name) ? HIDDEN : shorten(given);
    checker.refuseElsewhere({ file: `--set ${shorten(name)}=${shown}`, path: '', expected, got: `${quoteText(name)}${suggestWord(name, names)}` });
  }
}

/** Replaces references in a copy. An error for each that names no parameter, and for each `${` that is not a whole scalar. */
export function resolveReferences(checker: Checker, parameters: ParameterValues, value: unknown, path: ValuePath): Resolved {
  if (typeof value === 'string') return resolveText(checker, parameters, value, path);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => resolveReferences(checker, parameters, item, [...path, index]));
    return { value: items.map((item) => item.value), complete: items.every((item) => item.complete) };
  }
  if (!isMapping(value)) return { value, complete: true };
  const entries = Object.entries(value).map(([key, item]) => {
    const isPlain = !key.includes('${');
    if (!isPlain) checker.refuse([...path, key], 'a key without ${', quoteText(key), 'key');
    const resolved = resolveReferences(checker, parameters, item, [...path, key]);
    return { key, value: resolved.value, complete: isPlain && resolved.complete };
  });
  return { value: Object.fromEntries(entries.map((entry) => [entry.key, entry.value])), complete: entries.every((entry) => entry.complete) };
}

function resolveText(checker: Checker, parameters: ParameterValues, text: string, path: ValuePath): Resolved {
  if (!text.includes('${')) return { value: text, complete: true };
  const unresolved: Resolved = { value: text, complete: false };
  const name = /^\$\{([^${}]*)\}$/u.exec(text)?.[1];
  if (name === undefined) {
    checker.refuse(path, 'a parameter as the whole value, such as "${timeout}"', quoteText(text));
    return unresolved;
  }
  if (!parameters.names.includes(name)) {
    const known = parameters.names;
    const expected = known.length === 0 ? 'no ${...}: this playbook has no parameters' : `one of the parameters ${known.join(', ')}`;
    checker.refuse(path, expected, `${quoteText(text)}${suggestWord(name, known)}`);
    return unresolved;
  }
  parameters.used.add(name);
  return Object.hasOwn(parameters.values, name) ? { value: parameters.values[name], complete: true } : unresolved;
}

/** A parameter that nothing refers to would let `--set` succeed without any effect. */
export function refuseUnused(checker: Checker, parameters: ParameterValues): void {
  for (const name of parameters.names) {
    if (!parameters.used.has(name)) checker.refuse(['parameters', name], `a \${${name}} in audit or steps that uses this parameter`, 'none', 'key');
  }
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text;
}
