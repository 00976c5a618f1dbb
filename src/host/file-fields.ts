/**
 * The fields of a batch of files in an answer, both directions. Pure. One batch costs the node one
 * `stat` and one `cat`; that the sizes add up is what proves that no file changed in between.
 *
 * Fields: one character a path (`+` exists, `-` does not, `!` may not be seen); stat lines of those that
 * exist; for each of them a flag and its real path (empty when it is real itself), ended by NUL; the
 * bytes of the files flagged `f`, one after the other.
 */
import type { AnswerTo, FileAnswer } from '../core/query.js';
import { malformed } from './words.js';

type FileQuery = { readonly ask: 'file'; readonly path: string };

/** `again`: this file must be asked for once more, alone. */
export type TakenFile = AnswerTo<FileQuery> | { readonly again: true; readonly why: 'changing' | 'skipped' };

/** The node's own limit (fm_mark_file): one that sends more did not run our text. */
const FILE_LIMIT_BYTES = 1024 * 1024;

const TYPE_MASK = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;

/** f: bytes follow; o: not a regular file; r: not readable; L: too large; S: left out of this batch. */
type Flag = 'f' | 'o' | 'r' | 'L' | 'S';

export function takeFiles(fields: Buffer[], paths: readonly string[]): TakenFile[] {
  const [seen, stats, entries, bytes] = fields.splice(0, 4);
  if (!seen || !stats || !entries || !bytes || seen.length !== paths.length) throw malformed('files are incomplete');
  const marks = seen.toString('latin1');
  const present = pairUp(stats.toString('latin1'), entries.toString('utf8'));
  const length = present.reduce((sum, one) => sum + (one.flag === 'f' ? one.stat?.size ?? 0 : 0), 0);
  const consistent = present.length === marks.replace(/[^+]/g, '').length && present.every((one) => one.stat) && length === bytes.length;
  let taken = 0;
  let bytesAt = 0;
  return paths.map((path, index): TakenFile => {
    if (marks[index] === '-') return { ok: true, ask: 'file', value: { exists: false } };
    if (marks[index] === '!') return refused('denied', `${path}: a directory on the way may not be entered`);
    const { stat, flag, realPath } = present[taken++] ?? {};
    if (!consistent || !stat || realPath === undefined) return { again: true, why: 'changing' };
    if (flag === 'S') return { again: true, why: 'skipped' };
    if (flag === 'r') return refused('denied', `${path}: may not be read`);
    if (flag === 'L') return refused('tooLarge', `${path}: ${stat.size} bytes`);
    if (flag === 'f' && stat.size > FILE_LIMIT_BYTES) throw malformed('a file is larger than was asked for');
    const from = bytesAt;
    if (flag === 'f') bytesAt += stat.size;
    return { ok: true, ask: 'file', value: toAnswer(path, realPath, stat, Uint8Array.from(bytes.subarray(from, bytesAt))) };
  });
}

interface Present {
  readonly flag: string;
  readonly realPath: string;
  /** Absent when the file went away before stat saw it. */
  readonly stat: Stat | undefined;
}

function pairUp(stats: string, entries: string): Present[] {
  const lines = stats.split('\n').filter((line) => line !== '').map(readStat);
  const marked = entries.split('\0').slice(0, -1);
  const whole = lines.length === marked.length;
  return marked.map((entry, index) => ({ flag: entry.slice(0, 1), realPath: entry.slice(1), stat: whole ? lines[index] : undefined }));
}

function refused(reason: 'denied' | 'tooLarge', detail: string): TakenFile {
  return { ok: false, ask: 'file', reason, detail };
}

interface Stat {
  readonly size: number;
  readonly rawMode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly inode: string;
  readonly modifiedAt: number;
}

/** `%s %f %u %g %h %i %.9Y` of GNU stat; busybox prints whole seconds. */
function readStat(line: string): Stat {
  const match = /^([0-9]+) ([0-9a-f]+) ([0-9]+) ([0-9]+) ([0-9]+) ([0-9]+) (-?[0-9]+(?:\.[0-9]+)?)$/.exec(line);
  if (!match) throw malformed('a stat line is malformed');
  const [, size, rawMode, uid, gid, links, inode, modifiedAt] = match;
  return {
    size: Number(size), rawMode: Number.parseInt(rawMode ?? '', 16), uid: Number(uid), gid: Number(gid),
    links: Number(links), inode: inode ?? '', modifiedAt: Number(modifiedAt),
  };
}

function toAnswer(path: string, realPath: string, stat: Stat, bytes: Uint8Array): FileAnswer {
  const type = stat.rawMode & TYPE_MASK;
  return {
    exists: true,
    kind: type === REGULAR ? 'file' : type === DIRECTORY ? 'directory' : 'other',
    realPath: realPath === '' ? path : realPath,
    viaLink: realPath !== '',
    mode: stat.rawMode & 0o7777,
    uid: stat.uid, gid: stat.gid, size: stat.size, links: stat.links, inode: stat.inode, modifiedAt: stat.modifiedAt,
    bytes,
  };
}

/** For a node's side: the fields of neighbouring `file` answers. */
export function encodeFiles(answers: readonly AnswerTo<FileQuery>[]): (string | Uint8Array)[] {
  const present = answers.flatMap((answer): { flag: Flag; value?: Existing }[] => {
    if (!answer.ok) return answer.reason === 'denied' ? [] : [{ flag: answer.reason === 'tooLarge' ? 'L' : 'S' }];
    return answer.value.exists ? [{ flag: answer.value.kind === 'file' ? 'f' : 'o', value: answer.value }] : [];
  });
  return [
    answers.map((answer) => (answer.ok ? (answer.value.exists ? '+' : '-') : answer.reason === 'denied' ? '!' : '+')).join(''),
    present.map(({ value }) => `${value ? encodeStat(value) : `${2 ** 30} 8000 0 0 1 1 0`}\n`).join(''),
    present.map(({ flag, value }) => `${flag}${value?.viaLink ? value.realPath : ''}\0`).join(''),
    Buffer.concat(present.flatMap(({ value }) => (value?.kind === 'file' ? [value.bytes] : []))),
  ];
}

type Existing = Extract<FileAnswer, { exists: true }>;

function encodeStat(value: Existing): string {
  const type = value.kind === 'file' ? REGULAR : value.kind === 'directory' ? DIRECTORY : 0o010000;
  const mode = (type | value.mode).toString(16);
  return `${value.size} ${mode} ${value.uid} ${value.gid} ${value.links} ${value.inode} ${value.modifiedAt.toFixed(9)}`;
}
