/**
 * The text of a playbook file as a checked playbook. The control's own text is kept as written; `${...}` means
 * something only in `audit` and `steps`. Never knows a step kind or an audit method by name: the catalogue does.
 */
import type { Catalogue, Phase } from '../core/catalogue.js';
import { badInput, describeValue, quoteText, suggestWord } from '../core/input-error.js';
import type { Playbook, PlaybookStep } from '../core/playbook.js';
import { normalName } from '../core/secret-names.js';
import { type Checker, makeChecker } from './check-values.js';
import { type Overrides, type ParameterValues, readParameters, refuseUnused, resolveReferences } from './playbook-parameters.js';
import { controlSchema, DEFAULT_GUARD_MARGIN_MS, guardSchema, playbookSchema, redactSchema } from './playbook-schema.js';
import { readTextFile } from './read-text-file.js';
import { readRollout } from './rollout.js';
import type { RolloutFlags } from './rollout-flags.js';
import { isMapping, parseYamlDocument, type ValuePath } from './yaml-document.js';

/** Reads and checks one file. Rejects with FleetmendError (badInput) that names every error of the file. */
export async function readPlaybook(file: string, catalogue: Catalogue, overrides: Overrides): Promise<Playbook> {
  return loadPlaybook(file, await readTextFile(file), catalogue, overrides);
}

/** `overrides` are the values of `--set`. Throws FleetmendError (badInput) that names every error of the text, of `--set` and of the flags. */
export function loadPlaybook(file: string, text: string, catalogue: Catalogue, overrides: Overrides, rolloutFlags: RolloutFlags = {}): Playbook {
  const parsed = parseYamlDocument(file, text);
  if (!parsed.ok) throw badInput(parsed.errors);
  const checker = makeChecker(parsed.document);
  const playbook = readDocument(checker, parsed.document.value, catalogue, overrides, rolloutFlags);
  if (playbook === undefined || checker.errors.length > 0) throw badInput(checker.errors);
  return playbook;
}

/** Undefined only after an error was collected. */
function readDocument(checker: Checker, value: unknown, catalogue: Catalogue, overrides: Overrides, rolloutFlags: RolloutFlags): Playbook | undefined {
  const checked = checker.check(playbookSchema, value, []);
  if (!isMapping(value)) return undefined;
  const control = checker.check(controlSchema, value['control'], ['control']);
  const parameters = readParameters(checker, value['parameters'], overrides);
  const audit = readCall(checker, parameters, value['audit'], ['audit'], { noun: 'probe', kinds: catalogue.probes });
  const steps = readSteps(checker, parameters, value['steps'], catalogue);
  const guard = readGuard(checker, value['guard']);
  const rollout = readRollout(checker, value['rollout'], rolloutFlags);
  const names = value['redact'] === undefined ? [] : (checker.check(redactSchema, value['redact'], ['redact']) ?? []);
  const secrets = { names: names.map(normalName), values: parameters.secrets };
  refuseUnused(checker, parameters);
  if (checked === undefined || control === undefined || audit === undefined) return undefined;
  return { name: checked.name, control, parameters: parameters.values, audit: { probe: audit.name, params: audit.params }, steps, guard, secrets, rollout };
}

function readGuard(checker: Checker, value: unknown): Playbook['guard'] {
  if (value === 'none') return value;
  const guard = value === undefined ? undefined : checker.check(guardSchema, value, ['guard']);
  return { marginMs: guard?.margin ?? DEFAULT_GUARD_MARGIN_MS };
}

function readSteps(checker: Checker, parameters: ParameterValues, value: unknown, catalogue: Catalogue): PlaybookStep[] {
  if (!Array.isArray(value) || value.length === 0) {
    checker.refuse(['steps'], 'a list with at least one step', describeValue(value));
    return [];
  }
  const steps: PlaybookStep[] = [];
  for (const [index, item] of value.entries()) {
    const call = readCall(checker, parameters, item, ['steps', index], { noun: 'step', kinds: catalogue.steps });
    if (call === undefined) continue;
    const step = { id: `${index + 1}-${call.name}`, kind: call.name, phase: call.kind.phase, params: call.params };
    refuseWrongPhase(checker, steps, step, index);
    steps.push(step);
  }
  return steps;
}

interface Kinds<K> {
  readonly noun: 'step' | 'probe';
  readonly kinds: Readonly<Record<string, K>>;
}

/** A mapping of one key: the name of a kind and its parameters. No parameters (`- daemonReload:`) are an empty mapping. */
function readCall<K extends Catalogue['steps'][string] | Catalogue['probes'][string]>(
  checker: Checker, parameters: ParameterValues, value: unknown, path: ValuePath, { noun, kinds }: Kinds<K>,
): { readonly name: string; readonly kind: K; readonly params: unknown } | undefined {
  const [entry, ...others] = isMapping(value) ? Object.entries(value) : [];
  if (entry === undefined || others.length > 0) {
    const got = others.length > 0 ? `${others.length + 1} keys` : describeValue(value);
    checker.refuse(path, `a mapping of exactly one ${noun}: its name and its parameters`, got);
    return undefined;
  }
  const [name, written] = entry;
  const resolved = resolveReferences(checker, parameters, written ?? {}, [...path, name]);
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind === undefined) {
    const known = Object.keys(kinds);
    checker.refuse([...path, name], `one of the ${noun}s ${known.join(', ')}`, `${quoteText(name)}${suggestWord(name, known)}`, 'key');
    return undefined;
  }
  const params = resolved.complete ? checker.check<unknown>(kind.params, resolved.value, [...path, name]) : undefined;
  return { name, kind, params };
}

const PHASE_ORDER: readonly Phase[] = ['change', 'activate', 'verify'];

/** Undo and the proof rest on this order: files first, then what makes them count, then the checks (design.md 4). */
function refuseWrongPhase(checker: Checker, earlier: readonly PlaybookStep[], step: PlaybookStep, index: number): void {
  const later = earlier.find((other) => PHASE_ORDER.indexOf(other.phase) > PHASE_ORDER.indexOf(step.phase));
  if (later === undefined) return;
  const number = later.id.split('-')[0] ?? '';
  const verb = step.phase === 'change' ? 'edits a file' : 'reloads or restarts';
  const got = `step ${index + 1} that ${verb} after the ${later.kind} in step ${number}; move it up or make a second playbook`;
  checker.refuse(['steps', index, step.kind], 'changes first, then reloads and restarts, then checks', got, 'key');
}
