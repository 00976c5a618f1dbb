/** A password that servers repeat in every text of theirs stands in nothing that is written: no journal, no plan, no record, no screen. Not six characters of it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { zeroInJson } from '../fake/layouts.js';
import { ECHOED_VARIABLE, echoEnemies } from './enemies-echo.js';
import { startEnemyFleet, type EnemyFleet } from './enemy-fleet.js';
import { PLAYBOOK, runCli, type CliEnd } from './run-cli.js';

const SECRET = 'Zq7Kp2 Wm9Xv4-ä8';
const REPEATED = `${SECRET} `.repeat(1_100);
/** Once, and so often that each limit cuts one in two, in more than one place. */
const TEXTS: readonly string[] = [`You said ${SECRET}!`, REPEATED, `12345 ${REPEATED}`];
const ENEMIES = TEXTS.flatMap((said, index) => echoEnemies(SECRET, said, String(index)));
/** What nobody would learn anything from is shown nowhere. */
const UNQUOTED = /^(?:banner|goodbye-in-the-shell)-/;
let directory: string;
let fleet: EnemyFleet;
let ends: readonly CliEnd[];
let written: ReadonlyMap<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-echo-'));
  vi.stubEnv(ECHOED_VARIABLE, SECRET);
  fleet = await startEnemyFleet(directory, [{ name: 'healthy', pool: 'healthy', spec: zeroInJson }], ENEMIES);
  const playbook = join(directory, 'playbook.yaml');
  const text = await readFile(PLAYBOOK, 'utf8');
  const inOneGo = `rollout: { waves: [100%], canary: none, budget: ${ENEMIES.length + 1}, soak: 1s }\n`;
  await writeFile(playbook, text.replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$11s').replace(/^rollout:\n(?: .*\n)+/m, inOneGo));
  const plan = await runCli(['plan', playbook, '-o', join(directory, 'all.plan'), '--output', 'json'], directory, fleet);
  const apply = await runCli(['apply', playbook, '--yes'], directory, fleet);
  const [run = ''] = await readdir(join(directory, 'fleetmend/runs')).catch(() => []);
  ends = [plan, apply, await runCli(['show', run], directory)];
  const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  written = new Map([...files.map((file) => [file, readFileSync(file, 'utf8')] as const), ...ends.flatMap(({ out, err }, index) => [[`stdout of ${index}`, out], [`stderr of ${index}`, err]] as const)]);
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await fleet.stop();
  await rm(directory, { recursive: true, force: true });
});

it('every enemy was met and quoted', () => {
  const { hosts } = JSON.parse(ends[0]?.out ?? '') as { readonly hosts: readonly { readonly host: string; readonly failure?: unknown }[] };
  const quoted = hosts.filter((host) => JSON.stringify(host).includes('[redacted]')).map(({ host }) => host);
  expect(ENEMIES.map(({ name }) => name).filter((name) => !quoted.includes(name))).toEqual(ENEMIES.map(({ name }) => name).filter((name) => UNQUOTED.test(name)));
  const [journal = ''] = [...written].filter(([file]) => file.endsWith('journal.ndjson')).map(([, text]) => text);
  expect(journal).toContain('[redacted]');
  expect(written.get(join(directory, 'all.plan'))).toContain('[redacted]');
});

it('the password stands nowhere, nor six characters of it', () => {
  const characters = [...SECRET];
  const pieces = Array.from({ length: characters.length - 5 }, (_, at) => characters.slice(at, at + 6).join(''));
  const found = [...written].flatMap(([file, text]) => pieces.filter((piece) => text.includes(piece)).map((piece) => `${file}: ${piece} in ${text.slice(Math.max(0, text.indexOf(piece) - 150), text.indexOf(piece) + 30)}`));
  expect(found).toEqual([]);
});
