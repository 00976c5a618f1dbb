/**
 * Where an apply takes its work from, over real SSH to nodes in this process: a saved plan, and the rest of a past run. What is
 * claimed is compared with the nodes.
 */
import { chmod, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostsToRerun } from '../../src/cli/rerun.js';
import type { HostResult } from '../../src/core/report.js';
import { type EmbeddedFleet, startEmbeddedFleet } from '../demo/embedded-fleet.js';
import { compliantAl2023, diesWithNewValue, eksAl2023, zeroInJson } from '../fake/layouts.js';
import { sampleRecord } from '../journals/sample-run.js';
import type { Ended } from './run-command-line.js';
import { run } from './run-command-line.js';

const SHIPPED = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url);
const OTHER_PLAN = '0123456789abcdef'.repeat(2);
const CONFIG = '/etc/kubernetes/kubelet/kubelet-config.json';
const REAL_STATE = process.env['XDG_STATE_HOME'];
let directory: string;
let fleet: EmbeddedFleet;
let playbook: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-apply-'));
  await chmod(directory, 0o700);
  process.env['XDG_STATE_HOME'] = join(directory, 'state');
  const specs = [zeroInJson, zeroInJson, diesWithNewValue, zeroInJson, compliantAl2023];
  fleet = await startEmbeddedFleet(directory, specs.map((spec, index) => ({ name: `node-${index + 1}`, pool: 'a', spec })));
  playbook = join(directory, 'playbook.yaml');
  const text = (await readFile(SHIPPED, 'utf8')).replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$12s').replace(/^rollout:\n(?: .*\n)+/m, 'rollout: { waves: [100%], canary: none, budget: none }\n');
  await writeFile(playbook, text);
});
afterEach(async () => {
  if (REAL_STATE === undefined) delete process.env['XDG_STATE_HOME'];
  else process.env['XDG_STATE_HOME'] = REAL_STATE;
  await fleet.stop();
  await rm(directory, { recursive: true, force: true });
});

const reached = (): string[] => ['-i', fleet.inventoryPath, '--known-hosts', fleet.knownHostsPath];
const outcomes = ({ out }: Ended): Record<string, string> => Object.fromEntries((JSON.parse(out) as { hosts: HostResult[] }).hosts.map(({ host, outcome }) => [host, outcome]));
const restarts = (): number[] => fleet.hosts.map(({ node }) => node.systemd.counts.restart);
const runs = async (): Promise<string[]> => (await readdir(join(directory, 'state/fleetmend/runs')).catch(() => [])).sort();

async function savePlan(): Promise<{ file: string; digest: string }> {
  const file = join(directory, 'rollout.plan');
  expect((await run('plan', playbook, ...reached(), '-o', file)).code).toBe(4);
  const [header = ''] = (await readFile(file, 'utf8')).split('\n');
  return { file, digest: (JSON.parse(header) as { digest: string }).digest };
}

describe('apply FILE.plan', () => {
  it('is reached with the key that is named now, and as fast as is said now; which plan it was and who approved it stands in the run', async () => {
    const { file, digest } = await savePlan();
    const key = join(directory, 'moved-key');
    await rename(fleet.identityFile, key);
    const approval = join(directory, 'yes');
    await writeFile(approval, JSON.stringify({ digest, by: 'bob@desk', at: '2026-01-02T03:04:05.000Z' }));
    const ended = await run('apply', file, '--known-hosts', fleet.knownHostsPath, '--identity-file', key, '--starts-per-second', '50', '--approval-file', approval, '--yes', '--output', 'json');
    expect([outcomes(ended)['node-1'], outcomes(ended)['node-5']]).toEqual(['changed', 'compliant']);
    const [name = ''] = await runs();
    expect((JSON.parse((await run('show', name, '-o', 'json')).out) as { plan: unknown }).plan).toEqual({ digest, file, approvedBy: 'bob@desk', approvedAt: '2026-01-02T03:04:05.000Z' });
    expect((await run('show', name)).out).toContain(`plan      ${digest} of ${file}, approved by bob@desk at 2026-01-02T03:04:05Z`);
  });
  it('that others can read is used, and said so', async () => {
    const { file } = await savePlan();
    await fleet.stop();
    await chmod(file, 0o644);
    const ended = await run('apply', file, '--yes', '--output', 'json', '--known-hosts', fleet.knownHostsPath);
    expect(ended.err).toContain(`${file} holds the contents of files, and others can read it (mode 0644): chmod 0600`);
    expect((await run('show', file)).err).toContain('others can read it (mode 0644)');
    await chmod(file, 0o600);
    expect((await run('show', file)).err).toBe('');
  });
  it('does exactly what was planned; a host that moved is refused and named, a compliant one is looked at again', async () => {
    const { file, digest } = await savePlan();
    fleet.hosts[1]?.node.files.overwrite(CONFIG, '{ "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1", "streamingConnectionIdleTimeout": "0s", "maxPods": 7 }');
    fleet.hosts[4]?.node.files.overwrite(eksAl2023.configPath, '{ not json');
    const ended = await run('apply', file, '--known-hosts', fleet.knownHostsPath, '--approve', digest, '--output', 'json');
    expect([outcomes(ended), ended.code]).toEqual([{ 'node-1': 'changed', 'node-2': 'refused', 'node-3': 'restored', 'node-4': 'changed', 'node-5': 'refused' }, 2]);
    expect(restarts()[1]).toBe(0);
    expect(ended.out).toContain(CONFIG);
  });
  it('tells that the playbook was changed since, and goes by its own', async () => {
    const { file, digest } = await savePlan();
    await writeFile(playbook, (await readFile(playbook, 'utf8')).replaceAll('4h0m0s', '2h0m0s'));
    const ended = await run('apply', file, '--known-hosts', fleet.knownHostsPath, '--approve', digest, '--output', 'json');
    expect(ended.err).toContain('was changed since this plan was made');
    expect(Buffer.from(fleet.hosts[0]?.node.files.read(CONFIG) ?? []).toString()).toContain('4h0m0s');
  });
  it.each<[string[], RegExp]>([
    [['--approve', OTHER_PLAN], /is a yes to another plan/],
    [['--approve', OTHER_PLAN, '--yes'], /is a yes to another plan/],
    [['--approve', '0123456789abcdef', '--yes'], /--approve: expected a digest .*, 32 to 64 characters/],
    [['--approval-file', '/nowhere.approval', '--yes'], /no such file/],
    [['--yes', '--concurrency', '2'], /--concurrency does not go with this: a saved plan/],
    [['--yes', '--host-keys', 'accept-new'], /--host-keys does not go with this: a saved plan/],
    [['--yes', '--limit', 'node-1'], /--limit does not go with this: a saved plan has its own hosts/],
    [['--yes', '--budget', '7'], /--budget does not go with this/],
    [['--yes', '--guard', 'none'], /--guard does not go with this/],
    [['--yes', '--inventory', 'x.yaml'], /--inventory does not go with this/],
  ])('with %j is refused before a host is reached', async (more, expected) => {
    const { file } = await savePlan();
    await fleet.stop();
    const ended = await run('apply', file, '--output', 'json', ...more);
    expect([ended.code, ended.err]).toEqual([1, expect.stringMatching(expected)]);
    expect(await runs()).toEqual([]);
  });
});

describe('apply --rerun', () => {
  it('with a yes to another plan is refused, with --yes too', async () => {
    await run('apply', playbook, ...reached(), '--yes', '--output', 'json', '--limit', 'node-3');
    const before = restarts();
    const [name = ''] = await runs();
    const again = await run('apply', '--rerun', 'failed', name, '--known-hosts', fleet.knownHostsPath, '--yes', '--approve', OTHER_PLAN, '--output', 'json');
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('is a yes to another plan')]);
    expect([restarts(), await runs()]).toEqual([before, [name]]);
  });
  it('tells that the playbook was changed since, and how to go by the new one', async () => {
    await run('apply', playbook, ...reached(), '--yes', '--output', 'json', '--limit', 'node-3');
    const [name = ''] = await runs();
    const rerun = (): Promise<Ended> => run('apply', '--rerun', 'failed', name, '--known-hosts', fleet.knownHostsPath, '--yes', '--output', 'json');
    expect((await rerun()).err).not.toContain('was changed');
    await writeFile(playbook, (await readFile(playbook, 'utf8')).replaceAll('4h0m0s', '2h0m0s'));
    expect((await rerun()).err).toContain(`the playbook ${playbook} was changed since run ${name} was made; the rerun goes by the playbook of that time; to go by the file as it is now: fleetmend apply ${playbook} -i INVENTORY --limit node-3`);
  });
  it('takes exactly the failed and the skipped ones of a run, with its playbook and a fresh plan', async () => {
    const first = await run('apply', playbook, ...reached(), '--yes', '--output', 'json', '--waves', '1,100%', '--canary', 'pool', '--order', 'reverse', '--limit', '!node-4', '--budget', '1');
    expect(first.code).toBe(2);
    const ended = outcomes(first);
    expect(ended).toMatchObject({ 'node-3': 'restored', 'node-5': 'compliant' });
    const rest = Object.keys(ended).filter((host) => ended[host] !== 'compliant' && ended[host] !== 'changed');
    const [name = ''] = await runs();
    const again = await run('apply', '--rerun', 'failed,skipped', name, '--known-hosts', fleet.knownHostsPath, '--yes', '--output', 'json', '--waves', '100%', '--canary', 'none', '--budget', 'none');
    expect(Object.keys(outcomes(again)).sort()).toEqual(rest.sort());
    expect(outcomes(again)).toMatchObject({ 'node-1': 'changed', 'node-2': 'changed', 'node-3': 'restored' });
    expect(restarts()[3]).toBe(0);
    expect(await runs()).toHaveLength(2);
  });
  it('of a run without such hosts says so', async () => {
    await run('apply', playbook, ...reached(), '--yes', '--output', 'json', '--limit', 'node-1');
    const [name = ''] = await runs();
    const again = await run('apply', '--rerun', 'failed', name, '--yes', '--output', 'json');
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('has no host that is failed')]);
  });
  it('knows its words', () => {
    const results: HostResult[] = [
      { host: 'node-1', outcome: 'restored' }, { host: 'node-2', outcome: 'restored', undone: true }, { host: 'node-3', outcome: 'changed', failure: { kind: 'unhealthy', summary: 'x' } },
      { host: 'node-4', outcome: 'skipped' }, { host: 'node-5', outcome: 'changed' }, { host: 'node-6', outcome: 'stuck' }, { host: 'node-7', outcome: 'unreachable' }, { host: 'node-8', outcome: 'compliant' },
    ];
    const past = { record: sampleRecord(undefined, results.map(({ host }) => host)), results };
    const named = (spec: string): string => hostsToRerun(past, spec).map(({ name }) => name.slice(5)).join('');
    expect([named('failed'), named('skipped'), named('failed, skipped'), named('undone'), named('stuck'), named('restored')]).toEqual(['1367', '4', '13467', '2', '6', '12']);
    expect(() => named('faild')).toThrow(/did you mean "?failed/);
  });
});

describe('apply PLAYBOOK', () => {
  it('takes an inventory', async () => {
    expect((await run('apply', playbook, '--yes')).err).toContain('takes an inventory');
  });
  it('with --approve does the plan of that digest and no other', async () => {
    const planned = await run('plan', playbook, ...reached(), '-o', 'json');
    const { digest } = JSON.parse(planned.out) as { digest: string };
    for (const more of [[], ['--yes']]) {
      const other = await run('apply', playbook, ...reached(), '--approve', OTHER_PLAN, '--output', 'json', ...more);
      expect([other.code, other.err]).toEqual([1, expect.stringContaining('is a yes to another plan')]);
    }
    expect(restarts()).toEqual([0, 0, 0, 0, 0]);
    const ended = await run('apply', playbook, ...reached(), '--approve', digest, '--output', 'json');
    expect([ended.code, outcomes(ended)['node-1']]).toEqual([2, 'changed']);
    const [name = ''] = await runs();
    expect(JSON.parse((await run('show', name, '-o', 'json')).out)).toMatchObject({ plan: { digest, approvedBy: expect.stringMatching(/^\S+@\S+$/) as string } });
  });
  it('asks nothing and begins nothing when hosts that cannot be reached have used the budget up', async () => {
    await fleet.stop();
    const ended = await run('apply', playbook, ...reached(), '--approve', '0'.repeat(32), '--output', 'json');
    expect(ended.code).toBe(1);
    const yes = await run('apply', playbook, ...reached(), '--yes', '--output', 'json', '--budget', '1');
    expect([yes.code, new Set(Object.values(outcomes(yes)))]).toEqual([2, new Set(['unreachable'])]);
  });
});
