/** Nodes that lie, in a plan and in a run: what they say goes into saved plans, journals, diffs and reports, and acts nowhere. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { zeroInJson } from '../fake/layouts.js';
import { controlCodeIn, filesWithControlCodes } from './control-codes.js';
import { NODE_ENEMIES } from './enemies-node.js';
import { startEnemyFleet, type EnemyFleet } from './enemy-fleet.js';
import { PLAYBOOK, runCli, type CliEnd } from './run-cli.js';

let directory: string;
let fleet: EnemyFleet;
let ends: readonly CliEnd[];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-liars-'));
  fleet = await startEnemyFleet(directory, [{ name: 'healthy', pool: 'healthy', spec: zeroInJson }], NODE_ENEMIES);
  const playbook = join(directory, 'playbook.yaml');
  const text = await readFile(PLAYBOOK, 'utf8');
  const inOneGo = `rollout: { waves: [100%], canary: none, budget: ${NODE_ENEMIES.length + 1}, soak: 1s }\n`;
  await writeFile(playbook, text.replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$11s').replace(/^rollout:\n(?: .*\n)+/m, inOneGo));
  const plan = await runCli(['plan', playbook, '-o', join(directory, 'all.plan')], directory, fleet);
  const apply = await runCli(['apply', playbook, '--yes', '--limit', 'healthy', '--limit', 'config-*'], directory, fleet);
  const [run = ''] = await readdir(join(directory, 'fleetmend/runs')).catch(() => []);
  ends = [plan, apply, await runCli(['show', run], directory), await runCli(['runs'], directory)];
});
afterAll(async () => {
  await fleet.stop();
  await rm(directory, { recursive: true, force: true });
});

it('the healthy node beside them is mended', () => {
  expect(ends[1]?.out).toMatch(/changed/);
  expect(fleet.hosts[0]?.node.systemd.counts.restart).toBe(1);
});

it('each command ends by itself, and says nothing of a bug', () => {
  expect(ends.map(({ code }) => code)).toEqual([4, expect.any(Number), expect.any(Number), 0]);
  for (const { out, err } of ends) expect(out + err).not.toContain('unexpected error');
});

it('no control code reaches an output, a saved plan, a journal or a log', () => {
  for (const { out, err } of ends) expect([controlCodeIn(out), controlCodeIn(err)]).toEqual([undefined, undefined]);
  expect(filesWithControlCodes(directory)).toEqual({});
});

it('no name of a node became a name here', async () => {
  const names = await readdir(directory);
  expect(names.filter((name) => !['all.plan', 'fleetmend', 'inventory.yaml', 'playbook.yaml', 'ssh', '.ssh', '.cache'].includes(name))).toEqual([]);
});

it('memory stays flat', () => {
  for (const { peakMiB } of ends) expect(peakMiB).toBeLessThan(450);
});
