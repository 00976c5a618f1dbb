/** run.json as text: what a run keeps of itself, with a schema version and the digest of the plans beside it. Pure. */
import { escapeControls } from '../core/clean-text.js';
import { isRunName } from '../core/run-name.js';
import type { Digest } from '../core/bytes.js';
import { FleetmendError } from '../core/failure.js';
import type { InputError } from '../core/input-error.js';
import { badInput } from '../core/input-error.js';
import type { RunRecord } from '../core/run-record.js';
import { anyText, eitherOf, field, lineText, listOf, literally, mapOf, mapping, noneOr, oneOf, optional, wholeNumber } from './fields.js';

const RECORD_VERSION = 1;
const MAX_TIMEOUT_MS = 86_400_000;

/** Which plans.ndjson belongs to the record. */
export interface PlansMark {
  readonly hosts: number;
  readonly sha256: Digest;
}

export const timeField = field('a time such as 2026-01-31T12:00:00.000Z', (value): value is string => {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) && !Number.isNaN(Date.parse(value));
});

const passwordField = eitherOf('from', {
  prompt: mapping({ from: oneOf('prompt') }),
  env: mapping({ from: oneOf('env'), name: lineText }),
  command: mapping({ from: oneOf('command'), argv: listOf(anyText) }),
});

const ownSsh = {
  config: optional(noneOr(mapping({ file: lineText }))), certificateFile: optional(lineText), hostKeyAlias: optional(lineText),
  password: optional(passwordField), legacyAlgorithms: optional(literally(true)), legacyJumps: optional(literally(true)),
};

const jumpHost = mapping({
  jump: lineText, name: lineText, identityFile: optional(lineText), connectTimeoutMs: optional(wholeNumber(1, MAX_TIMEOUT_MS)), 
  ssh: optional(mapping({ ...ownSsh, proxyJump: optional(oneOf('none')) })),
});

/** What the inventory left open is not there; earlier versions wrote port, user and connectTimeoutMs always. */
export const hostField = mapping({
  name: lineText, address: lineText, port: optional(wholeNumber(1, 65_535)), user: optional(lineText), identityFile: optional(lineText),
  become: oneOf('none', 'sudo', 'doas', 'su'),
  becoming: optional(mapping({ password: optional(passwordField), terminal: optional(oneOf('pty')), scope: optional(oneOf('commands')) })),
  connectTimeoutMs: optional(wholeNumber(1, MAX_TIMEOUT_MS)), transport: optional(oneOf('openssh')),
  ssh: optional(mapping({ ...ownSsh, proxyJump: optional(noneOr(listOf(lineText))), jumpHosts: optional(listOf(jumpHost)) })),
  labels: mapOf(lineText),
});

export const playbookField = mapping({
  name: lineText, file: lineText, text: anyText, settings: mapOf(anyText), guard: optional(oneOf('none')),
  rollout: optional(mapOf(lineText)), redact: optional(listOf(lineText)),
});

export const connectionField = mapping({
  hostKeys: optional(oneOf('strict', 'accept-new')), knownHosts: optional(listOf(lineText)), identityFile: optional(lineText),
  concurrency: wholeNumber(1, 1000), startsPerSecond: optional(wholeNumber(1, 1000)),
});

export const digestField = field('a SHA-256 digest', (value): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value));

const document = mapping({
  v: wholeNumber(RECORD_VERSION, RECORD_VERSION),
  record: mapping({
    run: field('the name of a run', (value): value is string => typeof value === 'string' && isRunName(value)),
    startedAt: timeField,
    by: lineText,
    playbook: playbookField,
    hosts: listOf(hostField),
    connection: connectionField,
    plan: optional(mapping({ digest: digestField, file: optional(lineText), approvedBy: optional(lineText), approvedAt: optional(timeField) })),
  }),
  plans: mapping({
    hosts: wholeNumber(0, Number.MAX_SAFE_INTEGER),
    sha256: digestField,
  }),
});

export function runRecordText(record: RunRecord, plans: PlansMark): string {
  return `${escapeControls(JSON.stringify({ v: RECORD_VERSION, record, plans }, null, 2))}\n`;
}

/** A document with more errors than this was never ours. */
const SHOWN_ERRORS = 20;

/** Throws FleetmendError (badInput) that names `file` and the first keys that are wrong. */
export function parseRunRecord(file: string, text: string): { readonly record: RunRecord; readonly plans: PlansMark } {
  const value = parseJson(file, text);
  const version = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  if (typeof version === 'number' && version !== RECORD_VERSION) {
    throw new FleetmendError({ kind: 'badInput', summary: `${file}: written in version ${version} of the format of runs; this fleetmend reads version ${RECORD_VERSION}` });
  }
  const errors: InputError[] = [];
  const checked = document(value, '', errors);
  if (checked !== undefined) refuseTwins(checked.record?.hosts, errors);
  if (checked === undefined || errors.length > 0) throw badInput(errors.slice(0, SHOWN_ERRORS).map((error) => ({ ...error, file })));
  return { record: checked.record, plans: checked.plans };
}

function refuseTwins(hosts: readonly ({ readonly name: string } | undefined)[] | undefined, errors: InputError[]): void {
  const seen = new Set<string>();
  for (const [index, one] of (hosts ?? []).entries()) {
    if (one === undefined) continue;
    if (seen.has(one.name)) errors.push({ file: '', path: `record/hosts/${index}/name`, expected: 'a name that no other host of the run has' });
    seen.add(one.name);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badInput([{ file, path: '', expected: 'a JSON document', got: text === '' ? 'an empty file' : 'something else' }]);
  }
}
