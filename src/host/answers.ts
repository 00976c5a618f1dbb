/**
 * Answers of the host protocol, both directions (the fake node encodes them). Pure. An answer is
 * `ok` and the fields of its kind, or `no REASON` and a detail; `file` answers travel in batches.
 */
import type { EffectRefusal, EffectResult } from '../core/effect.js';
import type { Answer, AnswerTo, DirectoryEntry, Query, UnansweredReason, WritableAnswer } from '../core/query.js';
import { cleanText, cutText } from '../core/clean-text.js';
import { encodeFiles, takeFiles, type TakenFile } from './file-fields.js';
import { takeHttp } from './http-fields.js';
import { encodeProcess, encodeUnit, takeProcess, takeUnit } from './process-fields.js';
import { encodeGuard, encodeLock, takeGuard, takeLock } from './state-fields.js';
import { joinFields, malformed, splitFields } from './words.js';

export type TakenAnswer = Answer | TakenFile;

const REASONS: readonly string[] = ['denied', 'missingTool', 'timeout', 'tooLarge', 'changing', 'failed'] satisfies UnansweredReason[];

/** In the order of `queries`, which must be the order of the request line. Throws `protocol`. */
export function decodeAnswers(nonce: string, queries: readonly Query[], stream: Uint8Array): TakenAnswer[] {
  const fields = splitFields(nonce, stream);
  const answers: TakenAnswer[] = [];
  while (answers.length < queries.length) {
    const query = queries[answers.length];
    if (!query) break;
    const batch = fileBatch(queries, answers.length);
    const head = fields.shift()?.toString('latin1') ?? '';
    if (head === 'ok') answers.push(...(batch.length > 0 ? takeFiles(fields, batch) : [takeAnswer(query, fields)]));
    else answers.push(takeRefusal(query, head, fields));
  }
  if (fields.length > 0) throw malformed('it answers more than was asked');
  return answers;
}

/** Of a visit without a root shell: the command that sudo did not allow, which stands behind all answers. Throws `protocol`. */
export function refusedCommand(nonce: string, stream: Uint8Array): string | undefined {
  const [head, command] = splitFields(nonce, stream).slice(-2);
  return head?.toString('latin1') === 'no refused' ? command?.toString('utf8') : undefined;
}

function fileBatch(queries: readonly Query[], from: number): string[] {
  const paths: string[] = [];
  for (const query of queries.slice(from)) {
    if (query.ask !== 'file') break;
    paths.push(query.path);
  }
  return paths;
}

function takeRefusal(query: Query, head: string, fields: Buffer[]): Answer {
  const reason = head.startsWith('no ') ? head.slice(3) : '';
  if (!REASONS.includes(reason) || query.ask === 'file') throw malformed(`it begins with "${cutText(cleanText(head), 40)}"`);
  return { ok: false, ask: query.ask, reason: reason as UnansweredReason, detail: detailOf(fields) };
}

/** What a node adds in its own words goes into journals and onto screens: clean, and not longer than anybody reads. */
function detailOf(fields: Buffer[]): string {
  return cleanText(cutText(text(fields), MAX_DETAIL_CHARACTERS).trim());
}

const MAX_DETAIL_CHARACTERS = 4_096;
/** The node's own limit (fm_do_status). */
const MAX_STATUS_CHARACTERS = 65_536;

function text(fields: Buffer[]): string {
  const field = fields.shift();
  if (!field) throw malformed('a field is missing');
  return field.toString('utf8');
}

/** What is no plain number would go on as NaN and end in places where nobody looks for it. */
function count(digits: string): number {
  if (!/^[0-9]{1,15}$/.test(digits)) throw malformed('a number is none');
  return Number(digits);
}

function takeAnswer(query: Query, fields: Buffer[]): Answer {
  switch (query.ask) {
    case 'capability':
      return { ok: true, ask: 'capability', value: takeCapability(fields) };
    case 'unit':
      return { ok: true, ask: 'unit', value: takeUnit(fields) };
    case 'process': {
      const process = takeProcess(fields);
      return { ok: true, ask: 'process', value: process ? { process } : {} };
    }
    case 'processes':
      return { ok: true, ask: 'processes', value: { pids: takePids(text(fields)), unreadable: count(text(fields)) } };
    case 'directory':
      return takeDirectory(fields);
    case 'writable':
      return { ok: true, ask: 'writable', value: takeWritable(fields) };
    case 'http':
      return takeHttp(fields);
    case 'version':
      return { ok: true, ask: 'version', value: { text: cutText(text(fields), MAX_DETAIL_CHARACTERS).trimEnd() } };
    case 'status':
      return { ok: true, ask: 'status', value: { exit: count(text(fields)), text: cutText(text(fields), MAX_STATUS_CHARACTERS) } };
    case 'lock':
      return { ok: true, ask: 'lock', value: takeLock(text(fields)) };
    case 'guard':
      return { ok: true, ask: 'guard', value: takeGuard(text(fields), text(fields)) };
    case 'file':
      throw malformed('a file stands alone');
  }
}

function takeCapability(fields: Buffer[]): Extract<Answer, { ok: true; ask: 'capability' }>['value'] {
  const [uid, kernel, bootId, systemd, hostname] = text(fields).split('\n');
  return {
    uid: count(uid ?? ''), kernel: kernel ?? '', bootId: bootId ?? '', hostname: hostname ?? '',
    ...(systemd ? { systemd: count(systemd) } : {}),
    tools: text(fields).split(' ').filter((tool) => tool !== ''),
  };
}

const KINDS: Readonly<Record<string, DirectoryEntry['kind']>> = { f: 'file', d: 'directory', l: 'link', o: 'other' };
const TARGETS: Readonly<Record<string, NonNullable<DirectoryEntry['target']>>> = { f: 'file', d: 'directory', m: 'missing', o: 'other' };

/** The node's own limit (fm_walk): one that lists more did not run our text. */
const ENTRIES_LIMIT = 20_000;
/** Programs with one name; as many as nobody runs. */
const PIDS_LIMIT = 10_000;

function takePids(list: string): number[] {
  const pids = list.split(' ', PIDS_LIMIT + 2).filter((pid) => pid !== '');
  if (pids.length > PIDS_LIMIT) throw malformed(`it lists more than ${PIDS_LIMIT} processes`);
  return pids.map(count);
}

function takeDirectory(fields: Buffer[]): AnswerTo<{ ask: 'directory'; path: string }> {
  const [head, list, trouble] = [text(fields), text(fields), text(fields)];
  if (trouble !== '') {
    const reason = trouble.startsWith('tooLarge ') ? 'tooLarge' : 'denied';
    return { ok: false, ask: 'directory', reason, detail: cleanText(cutText(trouble.slice(reason.length + 1), MAX_DETAIL_CHARACTERS)) };
  }
  if (head[0] === '-') return { ok: true, ask: 'directory', value: { exists: false } };
  const listed = list.split('\0', ENTRIES_LIMIT + 2);
  if (listed.length > ENTRIES_LIMIT + 1) throw malformed(`it lists more than ${ENTRIES_LIMIT} entries`);
  const entries = listed.slice(0, -1).map((entry): DirectoryEntry => {
    const target = TARGETS[entry[1] ?? ''];
    return { path: entry.slice(2), kind: KINDS[entry[0] ?? ''] ?? 'other', ...(target ? { target } : {}) };
  });
  return { ok: true, ask: 'directory', value: { exists: true, isDirectory: head[0] === 'd', isLink: head[1] === 'l', entries } };
}

const HINDRANCES: readonly string[] = ['readOnlyMount', 'immutable', 'mountPoint', 'noSpace', 'notRegular', 'notRoot', 'missingDirectory'] satisfies Extract<WritableAnswer, { writable: false }>['reason'][];

function takeWritable(fields: Buffer[]): WritableAnswer {
  const head = text(fields);
  const detail = detailOf(fields);
  const yes = /^yes ([0-9]+) ([0-9]+)$/.exec(head);
  if (yes) return { writable: true, links: Number(yes[1]), freeBytes: Number(yes[2]) };
  if (!HINDRANCES.includes(head)) throw malformed('it gives an unknown reason against writing');
  return { writable: false, reason: head as Extract<WritableAnswer, { writable: false }>['reason'], detail };
}

/** For a node's side: `answers[i]` answers `queries[i]` of the decoded request. */
export function encodeAnswers(nonce: string, queries: readonly Query[], answers: readonly Answer[]): Uint8Array {
  const fields: (string | Uint8Array)[] = [];
  for (let index = 0; index < queries.length; ) {
    const batch = fileBatch(queries, index).length;
    const answer = answers[index];
    if (!answer) throw new RangeError(`no answer ${index}`);
    if (batch > 0) {
      const files = answers.slice(index, index + batch).filter((one): one is AnswerTo<{ ask: 'file'; path: string }> => one.ask === 'file');
      fields.push('ok', ...encodeFiles(files));
    } else if (answer.ok) fields.push('ok', ...encodeAnswer(answer));
    else fields.push(`no ${answer.reason}`, answer.detail);
    index += Math.max(1, batch);
  }
  return joinFields(nonce, fields);
}

function encodeAnswer(answer: Extract<Answer, { ok: true }>): (string | Uint8Array)[] {
  switch (answer.ask) {
    case 'capability': {
      const { uid, kernel, bootId, systemd, hostname, tools } = answer.value;
      return [[uid, kernel, bootId, systemd ?? '', hostname].join('\n'), tools.join(' ')];
    }
    case 'unit':
      return encodeUnit(answer.value);
    case 'process':
      return encodeProcess(answer.value.process);
    case 'processes':
      return [answer.value.pids.join(' '), String(answer.value.unreadable)];
    case 'directory': {
      if (!answer.value.exists) return ['--', '', ''];
      const { isDirectory, isLink, entries } = answer.value;
      return [`${isDirectory ? 'd' : 'o'}${isLink ? 'l' : '-'}`, entries.map((entry) => `${entry.kind[0]}${entry.target?.[0] ?? '-'}${entry.path}\0`).join(''), ''];
    }
    case 'writable':
      return answer.value.writable ? [`yes ${answer.value.links} ${answer.value.freeBytes}`, ''] : [answer.value.reason, answer.value.detail];
    case 'http':
      return [`HTTP/1.1 ${answer.value.status} Status\r\n\r\n${answer.value.body}`];
    case 'version':
      return [answer.value.text];
    case 'status':
      return [String(answer.value.exit), answer.value.text];
    case 'lock':
      return [encodeLock(answer.value)];
    case 'guard':
      return encodeGuard(answer.value);
    case 'file':
      return encodeFiles([answer]);
  }
}

const EFFECT_REASONS: readonly string[] = [
  'drift', 'readOnly', 'immutable', 'noSpace', 'denied', 'missingTool', 'missingCopy', 'timeout', 'exit', 'locked', 'notLocked', 'superseded', 'guardFired',
] satisfies EffectRefusal[];

/** Throws `protocol`: what happened to the node is then unknown. */
export function decodeResult(nonce: string, stream: Uint8Array): EffectResult {
  const fields = splitFields(nonce, stream);
  const [head, how, effect, reason, exit] = text(fields).split(' ');
  const detail = detailOf(fields);
  if (head !== 'effect' || fields.length > 0) throw malformed('it is not the result of an effect');
  if (how === 'now' || how === 'already') return { ok: true, happened: how, ...(detail === '' ? {} : { detail }) };
  if ((effect !== 'none' && effect !== 'unknown') || !reason || !EFFECT_REASONS.includes(reason)) throw malformed('it is not a known result');
  return { ok: false, effect, reason: reason as EffectRefusal, detail, ...(exit ? { exit: count(exit) } : {}) };
}

/** For a node's side. */
export function encodeResult(nonce: string, result: EffectResult): Uint8Array {
  if (result.ok) return joinFields(nonce, [`effect ${result.happened}`, result.detail ?? '']);
  return joinFields(nonce, [`effect failed ${result.effect} ${result.reason} ${result.exit ?? ''}`, result.detail]);
}
