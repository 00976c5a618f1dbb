/** Durations and JSON as Go itself reads them. Where there is no Go, that is said: the cases of test/kubelet came from it too. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/kubelet/duration.js';
import { decodeJson } from '../../src/kubelet/json-config.js';
import { kubeletTargets } from './kubelet-targets.js';
import { mutate, pick, seededRandom } from './mutate.js';

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 5_000);
const hasGo = spawnSync('go', ['version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'fleetmend-go-'));
const program = join(folder, 'oracle');

interface Answer {
  readonly json: boolean;
  readonly ns?: string;
  readonly shown?: string;
}

function askGo(inputs: readonly Buffer[]): Answer[] {
  const { stdout } = spawnSync(program, { input: `${inputs.map((one) => one.toString('base64')).join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28 });
  return stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Answer);
}

function inputsFor(name: string, seed: number, isGood: (text: string) => boolean): Buffer[] {
  const target = kubeletTargets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no target ${name}`);
  const random = seededRandom(seed);
  const corpus: Buffer[] = target.seeds.map((one) => Buffer.from(one));
  return Array.from({ length: RUNS }, () => {
    const input = mutate(pick(corpus, random), corpus, target.dictionary, random);
    // Only what is still good is changed further: most changes of a bad text are just as bad.
    if (corpus.length < 2_000 && isGood(input.toString('utf8'))) corpus.push(input);
    return input;
  }).filter((input) => input.toString('utf8').length > 0 && Buffer.from(input.toString('utf8')).equals(input));
}

if (!hasGo) it('there is no Go on this machine: left out', () => expect(hasGo).toBe(false));

if (hasGo) describe('Go', () => {
  beforeAll(() => {
    copyFileSync(new URL('oracle.go.txt', import.meta.url), join(folder, 'oracle.go'));
    const built = spawnSync('go', ['build', '-o', program, 'oracle.go'], { cwd: folder, encoding: 'utf8' });
    if (built.status !== 0) throw new Error(built.stderr);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('reads the same durations, and shows them the same', () => {
    const inputs = inputsFor('Go durations', 1, (text) => parseDuration(text).ok);
    const ours = inputs.map((input) => {
      const parsed = parseDuration(input.toString('utf8'));
      return parsed.ok ? { ns: String(parsed.ns), shown: formatDuration(parsed.ns) } : {};
    });
    const theirs = askGo(inputs).map(({ ns, shown }) => (ns === undefined ? {} : { ns, shown }));
    const both = inputs.map((input, index) => ({ input: input.toString('utf8'), ours: ours[index], theirs: theirs[index] }));
    expect(both.filter((one) => JSON.stringify(one.ours) !== JSON.stringify(one.theirs))).toEqual([]);
    expect(theirs.filter((one) => 'ns' in one).length).toBeGreaterThan(RUNS / 50);
  });

  it('takes for JSON what we take for JSON', () => {
    const inputs = inputsFor('edits of JSON and YAML', 2, (text) => decodeJson(text).ok);
    const theirs = askGo(inputs).map(({ json }) => json);
    // Ours refuses more: what is no object, what is nested without end, a key twice. It never takes what Go refuses.
    const wrong = inputs.filter((input, index) => decodeJson(input.toString('utf8')).ok && theirs[index] === false);
    expect(wrong.map((input) => input.toString('utf8'))).toEqual([]);
    const alike = inputs.filter((input, index) => decodeJson(input.toString('utf8')).ok && theirs[index] === true);
    expect(alike.length).toBeGreaterThan(RUNS / 50);
  });
});
