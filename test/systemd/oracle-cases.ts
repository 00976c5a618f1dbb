/** Random services whose files are as odd as people and tools write them; made from a seed, so that a case can be had again. */
import fc from 'fast-check';
import { toByteText } from '../../src/core/bytes.js';
import type { ByteText } from '../../src/core/bytes.js';
import type { UnitSources } from '../../src/systemd/index.js';
import { environmentDir, programOf, unitDir } from './oracle.js';
import type { OracleCase } from './oracle.js';

const oneOf = (...texts: string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const often = (weight: number, arbitrary: fc.Arbitrary<string>): fc.WeightedArbitrary<string> => ({ weight, arbitrary });
const joined = (arbitrary: fc.Arbitrary<string>, minLength: number, maxLength: number, by = ''): fc.Arbitrary<string> =>
  fc.array(arbitrary, { minLength, maxLength, size: 'max' }).map((parts) => parts.join(by));

const names = ['A', 'B', 'C_1'] as const;
const plain = oneOf('a', 'b', '--x=1', '--y', '0', '4h0m0s', '=', ',', '/', 'ü', 'Ω', '-');
const continuation = oneOf('\\\n', ' \\\n  ', ' \\\n', '\\\n# note\n', ' \\\n  ; "note\n\t', ' \\\r\n ', '\\\n\\\n');
const quote = oneOf('"', "'");
const goodEscape = oneOf('\\"', "\\'", '\\\\', '\\x20', '\\x41', '\\t', '\\s', '\\101', '\\u00e9', '\\U0001F600', '\\n');
const badEscape = oneOf('\\k', '\\-', '\\ ', '\\$', '\\x4', '\\x00', '\\400', '\\ud800', '\\;', '\\#');
const specifier = oneOf('%n', '%%', '%i', '%p', '%N', '%j', '%f', '%E', '%t', '%u', '%-', '%_', '% ');
const badSpecifier = oneOf('%z', '%1');
const reference = fc.constantFrom(...names, ...names, 'NONE').chain((name) => oneOf(...Array.from({ length: 14 }, () => `$${name}`), `\${${name}}`, `\${${name}}`, `$$${name}`, `$${name}$${name}`, `\${${name}`, `\${${name}:-x}`, `$`, '$$', '${}', `\${${name}$$B:x}`, `\${A\${${name}}}`));

/** Text that stays inside a pair of quotes of its own. */
const quoted = fc.tuple(quote, joined(fc.oneof(often(6, plain), often(3, oneOf(' ', '  ', '\t')), often(1, goodEscape), often(1, specifier)), 0, 5)).map(([q, text]) => q + text + q);

const unitPiece = fc.oneof(
  often(12, plain), often(5, quoted), often(2, goodEscape), often(2, specifier), often(1, continuation), often(1, badEscape),
);
const wildPiece = fc.oneof(often(10, unitPiece), often(1, quote), often(1, badSpecifier), often(1, oneOf('\\', '#', ';', '[', '\u0001', '=')));
const blank = oneOf(' ', ' ', '  ', '\t', ' \\\n ');

const assignment = fc.tuple(
  fc.constantFrom<string>(...names, ...names, ...names, ...names, ...names, ...names, '1A', '', 'A-B'),
  joined(fc.oneof(often(8, unitPiece), often(4, fc.constant(' '))), 0, 8),
  fc.constantFrom('"', "'", '"', "'", '', 'middle'),
).map(([name, value, style]) => {
  if (style === '') return `${name}=${value.replaceAll(' ', '\\x20')}`;
  if (style === 'middle') return `${name}="${value.replaceAll('"', '')}"`;
  return `${style}${name}=${value.replaceAll(style, '')}${style}`;
});

const environmentLine = fc.tuple(
  oneOf('Environment=', 'Environment=', 'Environment=', 'Environment=', 'Environment=', 'Environment=', 'Environment =', '  Environment=\t', 'environment='),
  fc.oneof(often(12, joined(assignment, 1, 3, ' ')), often(1, joined(wildPiece, 0, 6)), often(1, fc.constant(''))),
).map((parts) => parts.join(''));

const argument = fc.oneof(
  often(8, joined(unitPiece, 1, 3)), often(12, reference), often(3, joined(fc.oneof(often(2, unitPiece), often(2, reference)), 1, 3)),
  often(1, joined(wildPiece, 1, 2)), often(1, oneOf('\\;', '"\\;"', '";"', ';x', '""', "''")),
);

const execLine = (program: string): fc.Arbitrary<string> =>
  fc.tuple(
    oneOf('ExecStart=', 'ExecStart=', 'ExecStart = ', ' ExecStart='),
    oneOf('', '', '', '', '', '-', ':', '-:', '+', '!', '!!'),
    fc.oneof(often(12, fc.constant(program)), often(1, fc.constant(`"${program}"`)), often(1, fc.constant(program.replaceAll('/', '//'))), often(1, oneOf('""', 'x/y', '/run/'))),
    fc.array(fc.tuple(blank, argument), { minLength: 1, maxLength: 9, size: 'max' }).map((words) => words.flat().join('')),
    oneOf('', '', '', '', '', '', '', '', ' ', ' ;', ' ; ', ` ; ${program} z`),
  ).map((parts) => parts.join(''));

const fileReference = (index: number): fc.Arbitrary<string> =>
  fc.tuple(oneOf('', '', '', '', '-', '-', '- '), oneOf(...Array.from({ length: 12 }, () => `${environmentDir}/e${index}`), `${environmentDir}//./e${index}/`, `${environmentDir}/none`, `"${environmentDir}/e${index}"`, `e${index}`, ''))
    .map(([dash, path]) => `EnvironmentFile=${dash}${path}`);

const noise = oneOf(
  '# comment', '; comment \\', '', '  ', 'Nonsense', '=x', 'Restart=no', 'X-Note=1', '[X-Other]\nEnvironment=A=wrong\n[Service]',
  '[Unit]\nEnvironment=A=wrong\n[Service]', '[Install]\n[Service]', 'UnsetEnvironment=B', 'UnsetEnvironment="A=a" C_1', 'UnsetEnvironment=', '[Strange]\n[Service]',
);
const rareNoise = oneOf('[Broken', 'Description=\u00ff\u00fe', 'Environment=A=\u00ff', '\u0000', 'Type=oneshot', 'Type=strange');

const asBytes = (text: string): ByteText => [...text].map((char) => (char.charCodeAt(0) < 256 && 'üé'.indexOf(char) < 0 ? char : toByteText(Buffer.from(char, 'utf8')))).join('');
const lineEnd = oneOf('\n', '\n', '\n', '\n', '\r\n');

function unitText(lines: readonly string[], eol: string, finalNewline: boolean, mark: boolean): ByteText {
  const text = lines.join('\n') + (finalNewline ? '\n' : '');
  const ended = eol === '\n' ? text : text.replace(/\r?\n/g, eol);
  return (mark ? '\u00ef\u00bb\u00bf' : '') + asBytes(ended);
}

const fileShape = fc.tuple(lineEnd, fc.boolean(), fc.integer({ min: 0, max: 9 }).map((n) => n === 0));

function unitFile(head: fc.Arbitrary<string>, lines: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<ByteText> {
  return fc.tuple(head, fc.array(lines, { minLength: maxLength - 3, maxLength, size: 'max' }), fileShape).map(([first, rest, [eol, final, mark]]) => unitText([first, ...rest], eol, final, mark));
}

const environmentPiece = fc.oneof(
  often(10, plain), often(6, oneOf(' ', '  ', '\t')), often(3, quoted), often(1, oneOf('\\\n', ' \\\n  ', '\\ ', '\\a', '\\"', '\\\\', '\\$')),
  often(1, oneOf('"', "'", '#', ';', '`', '$A', '%n')), often(1, fc.tuple(quote, quote).map(([a]) => `${a}x\ny \\\n\\$ z${a}`)),
);
const environmentEntry = fc.oneof(
  often(9, fc.tuple(oneOf(...names, ...names, ...names, ...names, ...names, ' A', 'A ', 'export A', '1A', ''), oneOf('=', '=', '= ', ' = '), joined(environmentPiece, 0, 7)).map((parts) => parts.join(''))),
  often(2, oneOf('# comment', '; comment', '# comment \\', '#a\\b', '', '   ', 'nothing', '\r')),
);
const environmentFile = fc.tuple(fc.array(environmentEntry, { minLength: 1, maxLength: 6, size: 'max' }), lineEnd, fc.boolean(), fc.integer({ min: 0, max: 39 })).map(([lines, eol, final, rare]) => {
  const text = asBytes(lines.join(eol) + (final ? eol : ''));
  return rare === 0 ? `${text}${eol}B=\u00ff${eol}` : rare === 1 ? `\u00ef\u00bb\u00bf${text}` : text;
});

function casesOf(index: number): fc.Arbitrary<OracleCase> {
  return fc.integer({ min: 0, max: 5 }).chain((kind) => {
    const fragmentName = kind === 0 ? `fmo-${index}@.service` : `fmo-${index}.service`;
    const unit = kind === 0 ? `fmo-${index}@in-s\\x2d.service` : fragmentName;
    const program = programOf(unit);
    const common = fc.oneof(often(9, environmentLine), often(6, fileReference(index)), often(3, noise));
    const rare = fc.oneof(often(40, common), often(1, rareNoise), often(1, execLine(program)));
    const start = execLine(program);
    return fc.record({
      fragment: unitFile(fc.constant('[Unit]\nDescription=x\n[Service]'), rare, 5).chain((text) => start.map((line) => insertStart(text, line))),
      dropIns: fc.array(unitFile(oneOf('[Service]', '[Service]', '[Service]', '[Service]', '[Service]', '[Service]', ' [Service] ', 'Environment=A=lost\n[Service]', '# only a comment'), fc.oneof(often(12, rare), often(1, start.map((line) => `ExecStart=\n${line}`))), 4), { maxLength: 2, size: 'max' }),
      environment: environmentFile,
    }).map(({ fragment, dropIns, environment }) => ({
      fragmentName, unit, fragment,
      dropIns: dropIns.map((text, i) => ({ name: `${i}0-x.conf`, text })),
      environmentFiles: [{ name: `e${index}`, text: environment }],
    }));
  });
}

/** Puts the ExecStart= line right below [Service]. */
function insertStart(fragment: ByteText, line: string): ByteText {
  return fragment.replace(/\[Service\](\r?\n|$)/, (_, eol: string) => `[Service]${eol === '' ? '\n' : eol}${asBytes(line)}${eol}`);
}

export function makeOracleCases(count: number, seed: number): readonly OracleCase[] {
  return Array.from({ length: count }, (_, index) => fc.sample(casesOf(index), { numRuns: 1, seed: seed + index, unbiased: true })).flat();
}

/** The same case as the code under test gets it. */
export function sourcesOf(test: OracleCase): UnitSources {
  const environmentFiles = new Map<string, ByteText | undefined>(test.environmentFiles.map(({ name, text }) => [`${environmentDir}/${name}`, text]));
  environmentFiles.set(`${environmentDir}/none`, undefined);
  return {
    unit: test.unit,
    fragment: { path: `${unitDir}/${test.fragmentName}`, text: test.fragment },
    dropIns: test.dropIns.map(({ name, text }) => ({ path: `${unitDir}/${test.unit}.d/${name}`, text })),
    environmentFiles,
  };
}
