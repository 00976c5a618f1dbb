/**
 * The grammar of unit files and drop-ins: lines, continuations, sections, assignments.
 * It knows no directive, decodes no quotes, and never fails: what systemd ignores or chokes on is reported.
 */
import type { ByteText } from '../core/bytes.js';
import { buildLocated, isBlank, isCleanUtf8, locate, sliceLocated, trimLocated } from './located-text.js';
import type { LocatedText } from './located-text.js';

export interface UnitAssignment {
  readonly section: string;
  readonly key: string;
  /** Continuations are spaces, blanks at both ends are gone, quotes and escapes are as written. */
  readonly value: LocatedText;
  /** Of the first physical line, from 1. */
  readonly line: number;
}

export interface LineNote {
  readonly line: number;
  readonly reason: string;
}

export interface UnitFile {
  /** Up to the place where the file is broken, if it is. */
  readonly assignments: readonly UnitAssignment[];
  readonly ignored: readonly LineNote[];
  /** systemd stops reading the file here: a fragment is refused, of a drop-in the rest is lost. */
  readonly broken?: LineNote;
}

interface PhysicalLine {
  readonly number: number;
  readonly start: number;
  /** End of the content, before the line end. */
  readonly end: number;
  /** Start of the next line. */
  readonly next: number;
}

interface LogicalLine {
  readonly line: number;
  readonly content: LocatedText;
}

const SECTIONS = new Set(['Unit', 'Service', 'Install']);
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf';

/** A line ends at LF, CR or NUL, each at most once and in any order: CRLF is one end, LF LF are two. */
function endOfLine(text: ByteText, from: number): number {
  const seen = new Set<string>();
  let at = from;
  while (at < text.length) {
    const char = text.charAt(at);
    if (char !== '\n' && char !== '\r' && char !== '\0') break;
    if (seen.has(char) || seen.has('\0')) break;
    seen.add(char);
    at += 1;
  }
  return at;
}

function* physicalLines(text: ByteText): Generator<PhysicalLine> {
  let start = 0;
  let number = 1;
  const ending = /[\n\r\0]/g;
  while (start < text.length) {
    ending.lastIndex = start;
    const end = ending.exec(text)?.index ?? text.length;
    const next = endOfLine(text, end);
    yield { number, start, end, next };
    start = next;
    number += 1;
  }
}

function isCommentLine(text: ByteText, { start, end }: PhysicalLine): boolean {
  let at = start;
  while (at < end && isBlank(text.charAt(at))) at += 1;
  return at < end && (text.charAt(at) === '#' || text.charAt(at) === ';');
}

function endsWithOpenBackslash(content: string): boolean {
  let at = content.length;
  while (at > 0 && content.charAt(at - 1) === '\\') at -= 1;
  return (content.length - at) % 2 === 1;
}

/** Joins continued lines. The space that stands for a continuation covers the backslash and the line end only. */
function* logicalLines(text: ByteText): Generator<LogicalLine> {
  let open = buildLocated();
  let firstLine = 0;
  let markSeen = false;
  for (const line of physicalLines(text)) {
    if (isCommentLine(text, line)) continue;
    let start = line.start;
    if (!markSeen && text.startsWith(BYTE_ORDER_MARK, start)) {
      markSeen = true;
      start += BYTE_ORDER_MARK.length;
    }
    if (firstLine === 0) firstLine = line.number;
    if (endsWithOpenBackslash(text.slice(start, line.end))) {
      open.append(locate(text, start, line.end - 1));
      open.put(' ', line.end - 1, line.next);
      continue;
    }
    open.append(locate(text, start, line.end));
    yield { line: firstLine, content: open.done() };
    open = buildLocated();
    firstLine = 0;
  }
  if (firstLine !== 0) yield { line: firstLine, content: open.done() };
}

type Reading =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'section'; readonly name: string }
  | { readonly kind: 'assignment'; readonly key: string; readonly value: LocatedText }
  | { readonly kind: 'ignored' | 'broken'; readonly reason: string };

function readLine(content: LocatedText, inSection: boolean): Reading {
  const { text } = content;
  if (text === '') return { kind: 'nothing' };
  if (!isCleanUtf8(text)) return { kind: 'broken', reason: 'not valid UTF-8' };
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) return { kind: 'broken', reason: `invalid section header ${text}` };
    return { kind: 'section', name: text.slice(1, -1) };
  }
  if (!inSection) return { kind: 'ignored', reason: 'before any section' };
  const equals = text.indexOf('=');
  if (equals < 0) return { kind: 'ignored', reason: "no '='" };
  if (equals === 0) return { kind: 'ignored', reason: "no name before '='" };
  const key = trimLocated(sliceLocated(content, 0, equals)).text;
  return { kind: 'assignment', key, value: trimLocated(sliceLocated(content, equals + 1)) };
}

/** Reads a unit file or drop-in as systemd 252 does (kubelet.md 4.2, 4.3). */
export function parseUnitFile(text: ByteText): UnitFile {
  const assignments: UnitAssignment[] = [];
  const ignored: LineNote[] = [];
  let section: string | undefined;
  for (const { line, content } of logicalLines(text)) {
    const reading = readLine(trimLocated(content), section !== undefined);
    switch (reading.kind) {
      case 'nothing':
        break;
      case 'section':
        section = reading.name;
        if (!SECTIONS.has(section) && !section.startsWith('X-')) ignored.push({ line, reason: `unknown section [${section}]` });
        break;
      case 'assignment':
        assignments.push({ section: section ?? '', key: reading.key, value: reading.value, line });
        break;
      case 'ignored':
        ignored.push({ line, reason: reading.reason });
        break;
      case 'broken':
        return { assignments, ignored, broken: { line, reason: reading.reason } };
    }
  }
  return { assignments, ignored };
}
