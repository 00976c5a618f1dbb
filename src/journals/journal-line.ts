/**
 * One line of a journal file, so made that a reader can always tell a whole entry, a piece that a crash left, and damage
 * apart. Pure. The head has a fixed shape and says how long the entry is, so that a cut line is shorter than it says.
 */
import { createHash } from 'node:crypto';
import { escapeControls } from '../core/clean-text.js';
import type { JournalEntry } from '../core/journal.js';
import { shapeOfFact } from './fact-shape.js';

const JOURNAL_VERSION = 2;
/** `#` stands for a hexadecimal digit. */
const HEAD = `{"v":${JOURNAL_VERSION},"writer":"################","sha256":"################","bytes":"########","entry":`;
const HEAD_BYTES = HEAD.length;
const WRITER = fieldOf('"writer":"', 16);
const DIGEST = fieldOf('"sha256":"', 16);
const BYTES = fieldOf('"bytes":"', 8);

export type Line =
  | { readonly kind: 'entry'; readonly entry: JournalEntry; readonly writer: string }
  | { readonly kind: 'blank' }
  /** The start of a line whose writer was stopped: never acknowledged, never missed. */
  | { readonly kind: 'torn' }
  | { readonly kind: 'otherVersion'; readonly version: string }
  | { readonly kind: 'corrupt'; readonly why: string };

/** `writer`: 16 hexadecimal digits that name the process's journal. Without line end. */
export function lineOf(entry: JournalEntry, writer: string): string {
  const text = escapeControls(JSON.stringify(entry));
  const bytes = Buffer.byteLength(text).toString(16).padStart(8, '0');
  return `{"v":${JOURNAL_VERSION},"writer":"${writer}","sha256":"${shortDigest(text)}","bytes":"${bytes}","entry":${text}}`;
}

/**
 * What stands between two line ends. A whole entry counts even when what closes its line is missing: nothing can be added to
 * it, because every batch begins with a line end. NUL bytes at its end are blocks of a file that never reached the disk.
 */
export function parseLine(raw: Buffer): Line {
  const line = withoutTrailingZeros(raw);
  if (line.length === 0) return { kind: raw.length === 0 ? 'blank' : 'torn' };
  const head = line.toString('latin1', 0, HEAD_BYTES);
  const version = /^\{"v":(\d+),/.exec(head)?.[1];
  if (version !== undefined && version !== String(JOURNAL_VERSION)) return { kind: 'otherVersion', version };
  if (!followsHead(head)) return { kind: 'corrupt', why: 'this is no start of a journal line' };
  if (head.length < HEAD_BYTES) return { kind: 'torn' };
  const end = HEAD_BYTES + Number.parseInt(head.slice(...BYTES), 16);
  const digest = head.slice(...DIGEST);
  const text = line.subarray(HEAD_BYTES, end);
  const rest = line.toString('latin1', end);
  if (shortDigest(text) === digest && (rest === '' || rest === '}')) return entryOf(text.toString('utf8'), head.slice(...WRITER));
  if (line.length > end + 1) return { kind: 'corrupt', why: 'longer than it says' };
  if (line.length === end + 1) return { kind: 'corrupt', why: 'the digest does not fit' };
  // A whole text under a damaged length would look like a cut one.
  return shortDigest(line.subarray(HEAD_BYTES, -1)) === digest ? { kind: 'corrupt', why: 'shorter than it says' } : { kind: 'torn' };
}

function entryOf(text: string, writer: string): Line {
  try {
    const entry = JSON.parse(text) as Partial<JournalEntry> | null;
    const placed = typeof entry?.at === 'string' && Number.isSafeInteger(entry.seq) && (entry.seq ?? 0) >= 1;
    if (placed && typeof entry.run === 'string' && typeof entry.host === 'string') {
      switch (shapeOfFact(entry.host, String(entry.type), entry)) {
        case 'right':
          return { kind: 'entry', entry: entry as JournalEntry, writer };
        case 'wrong':
          return { kind: 'corrupt', why: `not the shape of an entry "${String(entry.type)}"` };
        case 'unknown':
          return { kind: 'corrupt', why: 'an entry of an unknown kind (of a later fleetmend?)' };
      }
    }
  } catch {
    // Told below.
  }
  return { kind: 'corrupt', why: 'not an entry' };
}

function fieldOf(name: string, digits: number): [number, number] {
  const start = HEAD.indexOf(name) + name.length;
  return [start, start + digits];
}

function followsHead(head: string): boolean {
  return [...head].every((char, index) => (HEAD[index] === '#' ? /[0-9a-f]/.test(char) : HEAD[index] === char));
}

function withoutTrailingZeros(raw: Buffer): Buffer {
  let end = raw.length;
  while (end > 0 && raw[end - 1] === 0) end--;
  return raw.subarray(0, end);
}

function shortDigest(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
