/**
 * Enemies in a fleet, against the real command line tool as a process: each ends in one clear outcome, healthy nodes notice
 * nothing, memory stays flat, and no control code of theirs reaches an output, a log or a file.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FleetMember } from '../demo/embedded-fleet.js';
import { compliantAl2023, zeroFlagInDropIn, zeroInYaml } from '../fake/layouts.js';
import { controlCodeIn, filesWithControlCodes } from './control-codes.js';
import { NODE_ENEMIES } from './enemies-node.js';
import { SHELL_ENEMIES } from './enemies-shell.js';
import { SSH_ENEMIES } from './enemies-ssh.js';
import { TCP_ENEMIES } from './enemies-tcp.js';
import type { Enemy } from './enemy.js';
import { startEnemyFleet, type EnemyFleet } from './enemy-fleet.js';
import { PLAYBOOK, runCli, type CliEnd } from './run-cli.js';

const HEALTHY: readonly (FleetMember & { readonly verdict: string })[] = [
  { name: 'healthy-1', pool: 'healthy', spec: compliantAl2023, verdict: 'pass' },
  { name: 'healthy-2', pool: 'healthy', spec: zeroFlagInDropIn, verdict: 'fail' },
  { name: 'healthy-3', pool: 'healthy', spec: zeroInYaml, verdict: 'fail' },
  { name: 'healthy-4', pool: 'healthy', spec: compliantAl2023, verdict: 'pass' },
];

interface Audited {
  readonly host: string;
  readonly verdict: string;
  readonly failure?: { readonly kind: string; readonly summary: string };
}

/** What the process needs at most for itself and for so many hosts at once; each enemy has offered up to 10 GB. */
const MOST_MIB = 450;

describe.each<[string, readonly Enemy[]]>([
  ['before the login', TCP_ENEMIES],
  ['within SSH', SSH_ENEMIES],
  ['behind a good login', SHELL_ENEMIES],
  ['as nodes that lie', NODE_ENEMIES],
])('enemies %s', (_where, enemies) => {
  let directory: string;
  let fleet: EnemyFleet;
  let audit: CliEnd;
  let text: CliEnd;
  let hosts: readonly Audited[];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fleetmend-hostile-'));
    fleet = await startEnemyFleet(directory, HEALTHY, enemies);
    audit = await runCli(['audit', PLAYBOOK, '--output', 'json'], directory, fleet);
    text = await runCli(['audit', PLAYBOOK], directory, fleet);
    hosts = (JSON.parse(audit.out) as { readonly hosts: readonly Audited[] }).hosts;
    if (process.env['HOSTILE_FIGURES']) console.log(_where, enemies.length, Math.round(audit.tookMs), Math.round(audit.peakMiB), Math.round(text.tookMs), Math.round(text.peakMiB));
  });
  afterAll(async () => {
    await fleet.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it.each(enemies.map(({ name, ends }) => [name, ends] as const))('%s ends in one clear outcome', (name, ends) => {
    const host = hosts.find((one) => one.host === name);
    expect(ends).toContain(host?.failure?.kind ?? host?.verdict);
  });

  it('healthy nodes beside them are judged as ever', () => {
    expect(hosts.filter(({ host }) => host.startsWith('healthy-')).map(({ host, verdict }) => [host, verdict])).toEqual(HEALTHY.map(({ name, verdict }) => [name, verdict]));
  });

  it('the process ends by itself as it should, and says nothing of a bug', () => {
    expect([audit.code, text.code]).toEqual([4, 4]);
    expect(audit.out + audit.err + text.out + text.err).not.toMatch(/unexpected error|"kind": "bug"/);
  });

  it('the memory of the process stays flat', () => {
    expect(audit.peakMiB).toBeLessThan(MOST_MIB);
    expect(text.peakMiB).toBeLessThan(MOST_MIB);
  });

  it('no control code reaches an output or a file', () => {
    for (const { out, err } of [audit, text]) expect([controlCodeIn(out), controlCodeIn(err)]).toEqual([undefined, undefined]);
    expect(filesWithControlCodes(directory)).toEqual({});
  });

  it('the report is no longer than people read', () => {
    expect(text.out.length + text.err.length).toBeLessThan(enemies.length * 8_192);
  });
});
