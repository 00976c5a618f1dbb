/**
 * The part of a terminal that is drawn again and again: some lines at the head, what listr2 draws, one line at the foot. Keeps count
 * of its own lines, so that words in between stay, and so that nothing that others wrote is erased. Decides nothing about what stands there.
 */
import { cleanLine } from '../core/clean-text.js';

export interface Frame {
  /** What listr2 takes for its terminal. */
  readonly output: NodeJS.WriteStream;
  head(lines: readonly string[]): void;
  foot(line: string): void;
  /** Lines that stay, above what is drawn again. */
  say(lines: readonly string[]): void;
  /** Somebody else wrote here: what was drawn is left where it is. */
  forget(): void;
  /** From here on nothing is drawn any more. */
  freeze(): void;
}

export interface Terminal {
  readonly output: { write(text: string): unknown };
  readonly columns: () => number;
}

const ERASE = /^(?:\u001b\[2K|\u001b\[\d*A|\u001b\[G)+/;
const CURSOR = /^(?:\u001b\[\?25[lh])+$/;

export function createFrame({ output, columns }: Terminal): Frame {
  let head: readonly string[] = [];
  let body = '';
  let foot = '';
  let drawn = '';
  let isFrozen = false;
  const cut = (line: string): string => cutLine(line, columns() - 1);
  const draw = (): void => {
    if (isFrozen || body === '') return;
    const lines = [...head.map(cut), ...body.replace(/\n$/, '').split('\n'), ...(foot === '' ? [] : [cut(foot)])];
    const text = lines.map((line) => `${line}\n`).join('');
    if (text === drawn) return;
    output.write(eraseLines(countLines(drawn)) + text);
    drawn = text;
  };
  const write = (chunk: string | Uint8Array): boolean => {
    const text = String(chunk);
    if (CURSOR.test(text)) {
      output.write(text);
      return true;
    }
    body = text.replace(ERASE, '');
    draw();
    return true;
  };
  return {
    output: { write, rows: Infinity, get columns() { return columns(); }, isTTY: true } as unknown as NodeJS.WriteStream,
    head: (lines) => {
      head = lines;
      draw();
    },
    foot: (line) => {
      foot = line;
      draw();
    },
    say: (lines) => {
      const said = lines.map((line) => `${cleanLine(line)}\n`).join('');
      output.write(isFrozen ? said : eraseLines(countLines(drawn)) + said + drawn);
    },
    forget: () => { drawn = ''; },
    freeze: () => { isFrozen = true; },
  };
}

/** The cursor stands at the start of the line below them. */
function eraseLines(count: number): string {
  return count === 0 ? '' : `\r${'\u001b[1A\u001b[2K'.repeat(count)}`;
}

function countLines(text: string): number {
  return text.split('\n').length - 1;
}

/** To so many columns, with a mark where something is missing. Without escape sequences in it. */
export function cutLine(line: string, columns: number): string {
  let width = 0;
  const chars = [...line];
  const end = chars.findIndex((char) => (width += widthOf(char)) > Math.max(columns, 1));
  if (end === -1) return line;
  const kept = chars.slice(0, end);
  // The mark takes one column of what just fitted.
  return `${kept.slice(0, -1).join('')}\u2026`;
}

/** Generous: a character that is taken for two columns and has one only makes a line shorter. */
function widthOf(char: string): number {
  return (char.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1;
}
