/** What a hostile node's unit files can cost: every product and every sum has a bound, and beyond it nothing is said of the command line. */
import { expect, it } from 'vitest';
import { Known } from '../../src/core/gather.js';
import type { FileReading, UnitAnswer } from '../../src/core/query.js';
import { predictCommandLine, removeWords } from '../../src/systemd/index.js';
import { readUnitStart, unitFileQueries } from '../../src/systemd/unit-sources.js';
import { sourcesFrom } from './case-files.js';

const KIB = 1024;
const FRAGMENT = '/etc/systemd/system/kubelet.service';
const DROP_INS = '/etc/systemd/system/kubelet.service.d';

/** A value of `size` characters, in a drop-in. */
const bigVariable = (size: number, char = 'x'): string => `[Service]\nEnvironment="A=${char.repeat(size)}"\n`;

it.each<[string, string, string]>([
  ['one word that repeats a variable', `/k ${'${A}'.repeat(30_000)}`, bigVariable(120 * KIB)],
  ['many words that repeat a variable', `/k${' ${A}'.repeat(20_000)}`, bigVariable(120 * KIB)],
  ['many words that split a variable', `/k${' $A'.repeat(30_000)}`, bigVariable(120 * KIB)],
  ['many words that split a variable of blanks, which gives no word at all', `/k${' $A'.repeat(30_000)}`, bigVariable(120 * KIB, ' ')],
  ['many words that split a variable of many words', `/k${' $A'.repeat(30_000)}`, `[Service]\nEnvironment="A=${'a '.repeat(60 * KIB)}"\n`],
  ['many words that split a variable of empty words', `/k${' $A'.repeat(30_000)}`, `[Service]\nEnvironment="A=${"'' ".repeat(40 * KIB)}"\n`],
  ['a variable that is just too long in sum', '/k ${A}${A}${A}', bigVariable(100 * KIB)],
])('nothing is said of a command line that variables blow up: %s', (_, command, dropIn) => {
  const { words, unbounded } = predictCommandLine(sourcesFrom({ fragment: `[Service]\nExecStart=${command}\n`, dropIns: { 'a.conf': dropIn } }));
  expect(unbounded).toContain('too long to be predicted');
  expect(words).toEqual([]);
});

it('a long variable that stays below the bound is predicted in full', () => {
  const { words, unbounded } = predictCommandLine(sourcesFrom({ fragment: '[Service]\nExecStart=/k ${A}${A}\n', dropIns: { 'a.conf': bigVariable(120 * KIB) } }));
  expect(unbounded).toBeUndefined();
  expect(words.map(({ value }) => value.length)).toEqual([2, 240 * KIB]);
});

it('variables are never taken up by each other, so that nothing grows by repetition', () => {
  const chain = Array.from({ length: 30 }, (_, index) => `Environment="V${index + 1}=\${V${index}}\${V${index}}"\n`).join('');
  const { words } = predictCommandLine(sourcesFrom({ fragment: `[Service]\nEnvironment=V0=x\n${chain}ExecStart=/k \${V30}\n` }));
  expect(words.map(({ value }) => value)).toEqual(['/k', '${V29}${V29}']);
});

it('as many passed names as used ones are told apart', () => {
  const names = Array.from({ length: 14_000 }, (_, index) => `N${index}`);
  const { ignored } = predictCommandLine(sourcesFrom({
    fragment: `[Service]\nExecStart=/k ${names.map((name) => `$${name}`).join(' ')}\n`,
    dropIns: { 'a.conf': `[Service]\nPassEnvironment=${names.join(' ')}\n` },
  }));
  expect(ignored).toHaveLength(names.length);
});

it('a flag that stands there thousands of times is left to a person', () => {
  const sources = sourcesFrom({ fragment: `[Service]\nExecStart=/k${' --bad=0'.repeat(3000)}\n` });
  const all = Array.from({ length: 3000 }, (_, index) => index + 1);
  expect(removeWords(sources, all)).toMatchObject({ ok: false, reason: expect.stringContaining('3000 words') as string });
  expect(removeWords(sources, all.slice(0, 20))).toMatchObject({ ok: true });
});

/** What would start, of a node with these files; drop-ins by name. */
function startOf(fragment: string, dropIns: Readonly<Record<string, string>>, files: Readonly<Record<string, string>>) {
  const inDropIns = Object.entries(dropIns).map(([name, text]): [string, string] => [`${DROP_INS}/${name}`, text]);
  const contents = new Map<string, string>([[FRAGMENT, fragment], ...inDropIns, ...Object.entries(files)]);
  const unit: UnitAnswer = {
    properties: { FragmentPath: FRAGMENT, DropInPaths: inDropIns.map(([path]) => path).join(' '), NeedDaemonReload: 'no' },
    monotonicUs: 0,
  };
  const known = new Known();
  let asked = 0;
  for (let left = 10; left > 0; left -= 1) {
    const missing = unitFileQueries('kubelet.service', unit, known).filter((query) => !known.has(query));
    asked += missing.length;
    for (const query of missing) known.remember(query, readingOf(query.ask === 'file' ? contents.get(query.path) : undefined));
  }
  return { start: readUnitStart('kubelet.service', unit, known), asked };
}

function readingOf(text: string | undefined): FileReading {
  if (text === undefined) return { ok: true, ask: 'file', value: { exists: false } };
  const bytes = Buffer.from(text);
  const facts = { exists: true, kind: 'file', realPath: '/x', viaLink: false, mode: 0o644, uid: 0, gid: 0, size: bytes.length, links: 1, inode: '1', modifiedAt: 0 } as const;
  return { ok: true, ask: 'file', value: { ...facts, bytes } };
}

const comment = (size: number): string => `${'#'.repeat(size - 1)}\n`;
const numbered = (count: number, text: string): Record<string, string> => Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.conf`, text]));

it.each<[string, Parameters<typeof startOf>, string | undefined]>([
  ['an environment file of 128 KiB', ['[Service]\nEnvironmentFile=/e\nExecStart=/k\n', {}, { '/e': comment(128 * KIB) }], undefined],
  ['an environment file of more', ['[Service]\nEnvironmentFile=/e\nExecStart=/k\n', {}, { '/e': comment(128 * KIB + 1) }], '/e is larger than 128 KiB'],
  ['an optional one of more', ['[Service]\nEnvironmentFile=-/e\nExecStart=/k\n', {}, { '/e': comment(128 * KIB + 1) }], '/e is larger than 128 KiB'],
  ['seven drop-ins of 128 KiB', ['[Service]\nExecStart=/k\n', numbered(7, comment(128 * KIB)), {}], undefined],
  ['eight of them', ['[Service]\nExecStart=/k\n', numbered(8, comment(128 * KIB)), {}], 'the unit files and environment files of kubelet.service are together larger than 1024 KiB'],
  [
    'drop-ins and environment files that are too large only together',
    ['[Service]\nEnvironmentFile=/e\nEnvironmentFile=/f\nExecStart=/k\n', numbered(6, comment(128 * KIB)), { '/e': comment(128 * KIB), '/f': comment(128 * KIB) }],
    'together larger than 1024 KiB',
  ],
  ['one environment file named again and again', [`[Service]\n${'EnvironmentFile=/e\n'.repeat(9)}ExecStart=/k\n`, {}, { '/e': comment(128 * KIB) }], 'together larger than 1024 KiB'],
  ['a command line that variables blow up', [`[Service]\nExecStart=/k ${'${A}'.repeat(9)}\n`, { 'a.conf': bigVariable(100 * KIB) }, {}], 'too long to be predicted'],
])('the sources of a service have a limit each and in sum: %s', (_, files, reason) => {
  const { start } = startOf(...files);
  if (reason === undefined) expect(start).toMatchObject({ ok: true });
  else expect(start).toEqual({ ok: false, reason: expect.stringContaining(reason) as string });
});

it('thousands of environment files are not asked for', () => {
  const lines = Array.from({ length: 4000 }, (_, index) => `EnvironmentFile=-/e${index}\n`).join('');
  const { start, asked } = startOf(`[Service]\n${lines}ExecStart=/k\n`, {}, {});
  expect(start).toEqual({ ok: false, reason: 'kubelet.service names more than 100 environment files' });
  expect(asked).toBe(1);
});
