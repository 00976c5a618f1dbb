/** Lays prediction and reality side by side. A disagreement is reported with all its files, ready to become a case. */
import { readableText } from '../../src/core/bytes.js';
import type { ByteText } from '../../src/core/bytes.js';
import { predictCommandLine, removeWords } from '../../src/systemd/index.js';
import type { SourceChange } from '../../src/systemd/index.js';
import type { ServiceTexts } from './case-files.js';
import { asByteText, loadCases } from './case-files.js';
import { sourcesOf } from './oracle-cases.js';
import { askOracle, environmentDir, programOf, unitDir } from './oracle.js';
import type { Exec, OracleCase } from './oracle.js';

export interface Disagreement {
  readonly test: OracleCase;
  /** Words behind argv[0]; absent: not started. */
  readonly real: readonly string[] | undefined;
  readonly predicted: readonly string[] | undefined;
}

export interface Comparison {
  readonly asked: number;
  readonly started: number;
  readonly words: number;
  readonly disagreements: readonly Disagreement[];
}

export async function compareWithOracle(exec: Exec, cases: readonly OracleCase[]): Promise<Comparison> {
  const answers = await askOracle(exec, cases);
  const disagreements: Disagreement[] = [];
  let started = 0;
  let words = 0;
  for (const test of cases) {
    const real = answers.get(test.unit)?.argv?.map(readableText);
    const prediction = predictCommandLine(sourcesOf(test));
    const predicted = prediction.wouldNotStart === undefined ? prediction.words.slice(1).map(({ value }) => value) : undefined;
    if (real !== undefined) started += 1;
    words += real?.length ?? 0;
    if (JSON.stringify(real) !== JSON.stringify(predicted)) disagreements.push({ test, real, predicted });
  }
  return { asked: cases.length, started, words, disagreements };
}

export interface EditedCase {
  readonly test: OracleCase;
  /** Words that the original has and the edited one must still have, behind argv[0]. */
  readonly left: readonly string[];
}

function applyChanges(test: OracleCase, changes: readonly SourceChange[]): OracleCase {
  const after = (path: string, text: ByteText): ByteText => changes.find((change) => change.path === path)?.after ?? text;
  return {
    ...test,
    fragment: after(`${unitDir}/${test.fragmentName}`, test.fragment),
    dropIns: test.dropIns.map(({ name, text }) => ({ name, text: after(`${unitDir}/${test.unit}.d/${name}`, text) })),
    environmentFiles: test.environmentFiles.map(({ name, text }) => ({ name, text: after(`${environmentDir}/${name}`, text) })),
  };
}

/** Takes every second word out of each case, as far as it can be taken out. */
export function editCases(cases: readonly OracleCase[]): readonly EditedCase[] {
  return cases.flatMap((test) => {
    const sources = sourcesOf(test);
    const { words } = predictCommandLine(sources);
    const chosen = words.flatMap(({ origin }, i) => (i % 2 === 1 && origin.range !== undefined ? [i] : []));
    const result = removeWords(sources, chosen);
    if (!result.ok || chosen.length === 0) return [];
    const left = words.flatMap(({ value }, i) => (i === 0 || chosen.includes(i) ? [] : [value]));
    return [{ test: applyChanges(test, result.changes), left }];
  });
}

/** Cases whose edited files a real systemd does not start with exactly the words that were to stay. */
export async function compareEdited(exec: Exec, edited: readonly EditedCase[]): Promise<readonly Disagreement[]> {
  const answers = await askOracle(exec, edited.map(({ test }) => test));
  return edited.flatMap(({ test, left }) => {
    const real = answers.get(test.unit)?.argv?.map(readableText);
    return JSON.stringify(real) === JSON.stringify(left) ? [] : [{ test, real, predicted: left }];
  });
}

interface TableRow extends ServiceTexts { lines?: string; line?: string; text?: string; variables?: Record<string, string> }

/** A row of a case file as a service of its own name, with a program and paths that the oracle's machine has. */
function toOracleCase(texts: ServiceTexts, index: number): OracleCase {
  const unit = `fmo-${index}.service`;
  const paths = Object.keys({ ...texts.files, ...texts.bytes }).filter((path) => path.startsWith('/'));
  const nameOf = (path: string): string => `t${index}_${path.replace(/\W/g, '_')}`;
  const move = (text: string): string =>
    paths.reduce((moved, path) => moved.replaceAll(path, `${environmentDir}/${nameOf(path)}`), text)
      .replace(/^(ExecStart=[-@:+!]*)(?:\/bin\/x|\/usr\/bin\/kubelet|\/opt\/bin\/kubelet|\/k)(?=\s|$)/gm, `$1${programOf(unit)}`);
  const contents = new Map(Object.entries(texts.bytes ?? {}));
  for (const [path, text] of Object.entries({ ...texts.dropIns, ...texts.files })) if (text !== null) contents.set(path, asByteText(text));
  return {
    fragmentName: unit, unit, fragment: move(asByteText(texts.fragment)),
    dropIns: [...contents].filter(([path]) => !path.startsWith('/')).map(([name, text]) => ({ name, text: move(text) })),
    environmentFiles: [...contents].filter(([path]) => path.startsWith('/')).map(([path, text]) => ({ name: nameOf(path), text })),
  };
}

/** Shows the variables A to F that a row sets as words of a command line. */
const showVariables = 'ExecStart=/bin/x "A=${A}" "B=${B}" "C=${C}" "D=${D}" "E=${E}" "F=${F}" "ok_2=${ok_2}" "K=${KUBELET_ARGS}" "N=${NODEADM_KUBELET_ARGS}"\n';

/** Rows of the case files, except those about what no file tells (the values of the manager and of the machine). */
export function tableCases(): readonly OracleCase[] {
  const unknowable = /only the machine knows|the manager passes|systemd sets itself|by a pattern|of an instance|only the first|second ExecStart= of a oneshot/;
  const rows = (name: string): readonly (TableRow & { name: string })[] => loadCases<TableRow & { name: string }>(name).filter((row) => !unknowable.test(row.name));
  const start = `[Service]\n${showVariables}`;
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('%', '%%')}'`;
  const texts: ServiceTexts[] = [
    ...rows('environment.yaml').map((row) => ({ fragment: start, dropIns: { 'x.conf': row.text ?? `[Service]\n${row.lines ?? ''}\n` } })),
    ...rows('environment-file.yaml').map((row) => ({ fragment: `[Service]\nEnvironmentFile=/etc/e\n${showVariables}`, files: { '/etc/e': row.text ?? '' } })),
    ...rows('exec-start.yaml').map((row) => ({
      fragment: `[Service]\n${Object.entries(row.variables ?? {}).map(([name, value]) => `Environment=${quote(`${name}=${value}`)}\n`).join('')}ExecStart=${row.line ?? ''}\n`,
    })),
    ...rows('services.yaml'),
    ...rows('removals.yaml'),
  ];
  return texts.map(toOracleCase);
}
