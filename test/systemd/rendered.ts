/** Random words, and random legal ways to write them into the files of a service. For property tests only. */
import fc from 'fast-check';
import type { ServiceTexts } from './case-files.js';

export interface RenderedService {
  readonly texts: ServiceTexts;
  /** The words behind the program's name, in order. */
  readonly words: readonly string[];
}

/** How characters and gaps are written: drawn from the property's random source. */
type Draw = (choices: number) => number;

const wordArbitrary = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('--x=0', '--streaming-connection-idle-timeout', '0', '--v=2', '') },
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom(...'ab-=0/,ü \t"\'\\%$;#{}:'), maxLength: 8 }) },
);

const startsAsComment = (text: string): boolean => /^[#;]/.test(text);

/** As the value of `$VAR` needs it: a backslash takes the next character, quotes group. */
function writeForSplitting(word: string, draw: Draw): string {
  const escaped = (text: string, special: RegExp): string => text.replace(special, '\\$&');
  const style = word === '' || startsAsComment(word) ? 1 + draw(2) : draw(4);
  if (style === 1) return `"${escaped(word, /["\\]/g)}"`;
  if (style === 2) return `'${escaped(word, /['\\]/g)}'`;
  if (style === 3 && word.length > 1) {
    const cut = 1 + draw(word.length - 1);
    return `${escaped(word.slice(0, cut), /[\s"'\\]/g)}"${escaped(word.slice(cut), /["\\]/g)}"`;
  }
  return escaped(word, /[\s"'\\]/g);
}

function escapeForUnit(char: string, quote: string, draw: Draw): string {
  if (char === '%') return '%%';
  const escapes: Readonly<Record<string, readonly string[]>> = {
    '\\': ['\\\\', '\\x5c', '\\134'], '"': ['\\"', '\\x22'], "'": ["\\'", '\\u0027'], ' ': ['\\x20', '\\s'], '\t': ['\\t', '\\011'], 'ü': ['ü', '\\u00fc', '\\xc3\\xbc'],
  };
  const must = char === '\\' || char === quote || (quote === '' && ' \t"\''.includes(char));
  const ways = escapes[char] ?? [];
  const way = ways[draw(Math.max(ways.length, 1))];
  return way !== undefined && (must || draw(6) === 0) ? way : char;
}

const writeChars = (text: string, quote: string, draw: Draw): string => [...text].map((char) => escapeForUnit(char, quote, draw)).join('');

/** A blank between words, now and then one that goes over a line end or around a comment. */
function writeGap(draw: Draw): string {
  return [' ', ' ', ' ', '  ', '\t', ' \\\n  ', ' \\\n', '\\\n  ', ' \\\n# a "note\n  '][draw(9)] ?? ' ';
}

function writeEnvironmentLine(name: string, words: readonly string[], draw: Draw): string {
  const quote = ['"', "'", ''][draw(3)] ?? '';
  const gap = (): string => (quote === '' ? ['\\x20', '\\s', '" "'][draw(3)] ?? '' : writeGap(draw));
  const value = words.map((word, i) => (i === 0 ? '' : gap()) + writeChars(writeForSplitting(word, draw), quote, draw)).join('');
  const other = ['', '', ' OTHER=1', ' "OTHER=1 2"'][draw(4)] ?? '';
  return `Environment=${quote}${name}=${value}${quote}${other}\n`;
}

function writeEnvironmentFile(name: string, words: readonly string[], draw: Draw): string {
  const written = words.map((word) => writeForSplitting(word, draw));
  // Unquoted, a quote that opens a word would be read by the file's own grammar, and blanks at the end would be trimmed.
  const style = written.some((text) => /^["']/.test(text)) || /\s$/.test(written.at(-1) ?? '') ? 1 : draw(3);
  const single = style === 2 && !written.some((text) => text.includes("'"));
  const gaps = style === 0 ? [' ', '  ', '\t', ' \\\n', ' \\\n  ', '\\\n '] : [' ', '\t', '\n', '\n  ', ...(single ? [] : [' \\\n'])];
  const escape = (text: string): string => (style === 0 ? text.replace(/\\/g, '\\\\') : single ? text : text.replace(/[\\"`$]/g, '\\$&'));
  const value = written.map((text, i) => (i === 0 ? '' : (gaps[draw(gaps.length)] ?? ' ')) + escape(text)).join('');
  const quote = style === 0 ? '' : single ? "'" : '"';
  return `# head\nOTHER=1\n${name}=${quote}${value}${quote}\nLAST='2'\n`;
}

function writeExecWord(word: string, draw: Draw): string {
  const text = word.replaceAll('$', '$$$$');
  const quote = word === '' || startsAsComment(word) ? '"' : (['"', "'", ''][draw(3)] ?? '');
  return `${quote}${writeChars(text, quote, draw)}${quote}`;
}

const wordsArbitrary = fc.array(wordArbitrary, { maxLength: 5 });

/** Words in ExecStart= itself, in a drop-in's variable and in an environment file's variable. */
export const renderedService: fc.Arbitrary<RenderedService> = fc
  .tuple(wordsArbitrary, wordsArbitrary, wordsArbitrary, fc.infiniteStream(fc.nat(9999)), fc.boolean())
  .map(([inLine, inDropIn, inFile, numbers, crlf]) => {
    const draw: Draw = (choices) => (numbers.next().value ?? 0) % choices;
    const line = inLine.map((word) => writeGap(draw) + writeExecWord(word, draw)).join('');
    const end = (text: string): string => (crlf ? text.replaceAll('\n', '\r\n') : text);
    return {
      words: [...inLine, ...inDropIn, ...inFile],
      texts: {
        fragment: end(`[Unit]\nDescription=k\n[Service]\nEnvironmentFile=/etc/e\nExecStart=/k${line} $A${writeGap(draw)}$B\nRestart=no\n`),
        dropIns: { '10-a.conf': end(`# note\n[Service]\n${writeEnvironmentLine('A', inDropIn, draw)}Environment=C=1\n`) },
        files: { '/etc/e': writeEnvironmentFile('B', inFile, draw) },
      },
    };
  });
