/**
 * `npm test`: everything that this machine allows, and in words what was left out and why. With CI=true
 * nothing may be left out and no test skipped. The last line is the sum, counted from vitest's own
 * reports; lint and type check count as one each. `--unit`: the unit tests and nothing else. Before the sum: how long each
 * part and its longest files took, and the names of the tests that failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORTS = mkdtempSync(join(tmpdir(), 'fleetmend-test-'));
process.on('exit', () => rmSync(REPORTS, { recursive: true, force: true }));

const strict = process.env.CI === 'true';
const onlyUnit = process.argv.includes('--unit');

const SLOWEST = 20;
const MESSAGE_LENGTH = 600;

const leftOut = [];
const failures = [];
try {
  setUp();
  if (!onlyUnit) leftOut.push(...(await reasonsAgainstRealNodes()));
} catch (error) {
  console.log(error.message);
  console.log(sentence(0, 1, 0));
  process.exit(1);
}
report(onlyUnit ? [unitTests()] : [...checks(), unitTests(), ...(leftOut.length === 0 ? [realTests()] : [])]);

function checks() {
  return [
    check('lint', 'node_modules/eslint/bin/eslint.js', ['--config', 'test/eslint.config.js', '--max-warnings', '0', 'src', 'test']),
    check('type check', 'node_modules/typescript/bin/tsc', ['--noEmit']),
  ];
}

function unitTests() {
  return vitest('unit tests', 'test/vitest.config.ts');
}

function realTests() {
  return vitest('tests on real nodes', 'test/vitest.real.config.ts');
}

/** Empty when they can run. */
async function reasonsAgainstRealNodes() {
  const { tsImport } = await import('tsx/esm/api');
  const { missingForLab } = await tsImport('./lab/machine.ts', import.meta.url);
  const missing = missingForLab();
  return missing.length === 0 ? [] : [`tests on real nodes (own systemd, own OpenSSH server): this machine has no ${missing.join(', ')}`];
}

function check(title, script, args) {
  const passed = node(title, [join(ROOT, script), ...args]) === 0;
  return { title, passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

/** A file that fails outside of its tests counts as one failure; so does a run without a report or without any test. */
function vitest(title, config) {
  const file = join(REPORTS, `${title.replaceAll(' ', '-')}.json`);
  const code = node(title, [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${file}`]);
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const passed = counts.numPassedTests ?? 0;
  failures.push(...failuresIn(title, counts.testResults ?? []));
  const brokenFiles = (counts.testResults ?? []).filter(({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'));
  const failedTests = (counts.numFailedTests ?? 0) + brokenFiles.length;
  const skipped = (counts.numPendingTests ?? 0) + (counts.numTodoTests ?? 0);
  const silent = passed + failedTests === 0;
  const failed = failedTests === 0 && (code !== 0 || silent) ? 1 : failedTests;
  if (silent) console.log(`${title}: no test ran`);
  return { title, passed, failed, skipped, took: durations(counts.testResults ?? []) };
}

/** What failed, by name, with the beginning of its message: all of it stands further up, perhaps too far. */
function failuresIn(title, files) {
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed').map((test) => [test.fullName, test.failureMessages?.[0]]);
    const found = failed.length === 0 && status === 'failed' ? [['outside of its tests', message]] : failed;
    return found.map(([test, why]) => `FAILED ${title}: ${relative(ROOT, name)}: ${test}\n  ${(why ?? '').slice(0, MESSAGE_LENGTH).replaceAll('\n', '\n  ')}`);
  });
}

/** The longest files of a run, each on a line. */
function durations(files) {
  const longest = files.map(({ name, startTime, endTime }) => ({ name: relative(ROOT, name), seconds: Math.round((endTime - startTime) / 1000) }));
  return longest.sort((left, right) => right.seconds - left.seconds).slice(0, SLOWEST).filter(({ seconds }) => seconds > 0).map(({ name, seconds }) => `${seconds} s ${name}`);
}

function node(title, args) {
  console.log(`\n== ${title}`);
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  return status ?? 1;
}

function report(parts) {
  console.log('');
  for (const { title, took } of parts) if (took?.length > 0) console.log(`${title}, longest files (from the first test on):\n  ${took.join('\n  ')}`);
  for (const failure of failures) console.log(failure);
  for (const { title, passed, failed, skipped } of parts) console.log(`${title}: ${sentence(passed, failed, skipped)}`);
  const pairsEvery = process.env.CRASH_PAIRS_EVERY;
  if (pairsEvery !== undefined) console.log(`made shorter by CRASH_PAIRS_EVERY=${pairsEvery}: the crash matrix tries one in ${pairsEvery} of its pairs of two deaths, and all single deaths`);
  for (const reason of leftOut) console.log(`left out: ${reason}`);
  const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
  const forbidden = strict ? leftOut.length + sum('skipped') : 0;
  if (forbidden > 0) console.log(`CI=true: nothing may be left out or skipped: ${forbidden} counted as failed`);
  const failed = sum('failed') + forbidden;
  console.log(sentence(sum('passed'), failed, sum('skipped')));
  process.exitCode = failed === 0 ? 0 : 1;
}

function sentence(passed, failed, skipped) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
