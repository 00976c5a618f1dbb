/**
 * How resume, undo and clean reach the hosts of a run: by ssh_config as it is now, and only those with something left. Over real SSH to
 * nodes in this process; what is claimed is compared with the nodes.
 */
import { mkdirSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HostResult } from '../../src/core/report.js';
import type { RunRecord } from '../../src/core/run-record.js';
import { createRunFolder } from '../../src/journals/index.js';
import { type EmbeddedFleet, startEmbeddedFleet } from '../demo/embedded-fleet.js';
import { zeroInJson } from '../fake/layouts.js';
import { sampleRecord } from '../journals/sample-run.js';
import { startBastion } from '../ssh/bastion.js';
import ssh2 from '../../src/ssh/ssh2.js';
import { createScratch } from '../ssh/scratch.js';
import type { Scratch, TestKey } from '../ssh/scratch.js';
import type { Ended } from './run-command-line.js';
import { run } from './run-command-line.js';

const SHIPPED = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url);
const RUN = '20260102T030405-abcdef';
const AT = '2026-01-02T03:04:05.000Z';
let scratch: Scratch;

function keyOf(privateText: string): TestKey {
  const key = ssh2.utils.parseKey(privateText);
  if (key instanceof Error) throw key;
  return { privateText, publicText: '', blob: key.getPublicSSH() };
}

beforeEach(() => {
  scratch = createScratch();
  mkdirSync(scratch.path('.ssh'));
  vi.stubEnv('HOME', scratch.directory);
  vi.stubEnv('XDG_STATE_HOME', scratch.path('state'));
  vi.stubEnv('SSH_AUTH_SOCK', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  scratch.remove();
});

/** Of hosts that were found compliant, and `due` that were not begun. */
async function record(hosts: RunRecord['hosts'], ended = hosts.map(({ name }) => name)): Promise<void> {
  const folder = await createRunFolder(scratch.path('state/fleetmend/runs'), { ...sampleRecord(RUN), hosts }, []);
  const journal = await folder.openJournal();
  for (const host of ended) await journal.append({ type: 'finished', outcome: 'compliant', run: RUN, host, seq: 1, at: AT });
  await journal.close();
}

describe('a run with nothing left', () => {
  const [host] = sampleRecord(RUN, ['node-1']).hosts;
  if (host === undefined) throw new Error('no host');
  it.each<[string, RunRecord['hosts']]>([
    ['two of its hosts lead to one machine by now', [host, { ...host, name: 'node-2' }]],
    ['a variable with a password is not set', [{ ...host, becoming: { password: { from: 'env', name: 'NOT_SET_HERE' } } }]],
    ['a password would have to be typed', [{ ...host, becoming: { password: { from: 'prompt' } } }]],
    ['a way leads in a circle', [{ ...host, ssh: { proxyJump: ['ops@192.0.2.1'] } }]],
  ])('is resumed, undone and cleaned although %s', async (_, hosts) => {
    await record(hosts);
    for (const words of [['resume', RUN], ['undo', RUN, '--yes'], ['clean', RUN, '--yes']]) {
      const { code, err } = await run(...words, '-o', 'json');
      expect({ code, said: err.split('\n').filter((line) => /^fleetmend: (?!run )/.test(line)) }).toEqual({ code: 0, said: [] });
    }
  });
});

describe('a run that was cut', () => {
  let fleet: EmbeddedFleet;
  let file: string;
  const names = ['node-1', 'node-2'];
  const portOf = (name: string): number => fleet.hosts[names.indexOf(name)]?.port ?? 0;
  const restarts = (): number[] => fleet.hosts.map(({ node }) => node.systemd.counts.restart);
  const outcomes = ({ out, err }: Ended): Record<string, string> => { if (out === '') throw new Error(err); return Object.fromEntries((JSON.parse(out) as { hosts: HostResult[] }).hosts.map(({ host, outcome }) => [host, outcome])); };
  const lead = async (ports: Record<string, number>, more = ''): Promise<void> => {
    const blocks = Object.entries(ports).map(([name, port]) => `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n`);
    await writeFile(scratch.path('.ssh/config'), `${more}${blocks.join('')}Host *\n  IdentityFile ${fleet.identityFile}\n  UserKnownHostsFile ${fleet.knownHostsPath}\n`, { mode: 0o600 });
  };
  const right = (): Record<string, number> => Object.fromEntries(names.map((name) => [name, portOf(name)]));
  const onlyRun = async (): Promise<string> => (await readdir(scratch.path('state/fleetmend/runs')))[0] ?? '';

  beforeEach(async () => {
    fleet = await startEmbeddedFleet(scratch.directory, names.map((name) => ({ name, pool: 'a', spec: zeroInJson })));
    scratch.write('inventory.yaml', 'groups: { a: { user: root, hosts: [node-1, node-2] } }');
    const text = (await readFile(SHIPPED, 'utf8')).replace(/^(\s*(?:-\s*)?for:\s*)\S+/gm, '$11s').replace(/^rollout:\n(?: .*\n)+/m, 'rollout: { waves: [100%], canary: none, budget: none }\n');
    const playbook = scratch.write('playbook.yaml', text);
    file = scratch.path('rollout.plan');
    await lead(right());
    const planned = await run('plan', playbook, '-i', scratch.path('inventory.yaml'), '-o', file);
    expect({ code: planned.code, err: planned.err }).toMatchObject({ code: 4 });
    // The second one is not there when its turn comes.
    await lead({ ...right(), 'node-2': 1 });
    expect(outcomes(await run('apply', file, '--yes', '-o', 'json'))).toEqual({ 'node-1': 'changed', 'node-2': 'unreachable' });
  }, 60_000);
  afterEach(async () => { await fleet.stop(); });

  it('is resumed, and undone, by the ports and jump hosts that ssh_config says by then', async () => {
    const id = await onlyRun();
    const bastion = await startBastion({ authorized: [keyOf(await readFile(fleet.identityFile, 'utf8'))] });
    try {
      await writeFile(fleet.knownHostsPath, `${await readFile(fleet.knownHostsPath, 'utf8')}[127.0.0.1]:${bastion.port} ${bastion.hostKey.publicText}\n`);
      await lead({ ...right(), 'node-1': 1 }, `Host node-2\n  ProxyJump 127.0.0.1:${bastion.port}\n`);
      expect(outcomes(await run('resume', id, '-o', 'json'))).toEqual({ 'node-1': 'changed', 'node-2': 'changed' });
      expect(bastion.logins).toBe(1);
    } finally {
      await bastion.close();
    }
    expect(restarts()).toEqual([1, 1]);
    await lead({ ...right(), 'node-1': 1 });
    expect(outcomes(await run('undo', id, '--yes', '-o', 'json'))).toEqual({ 'node-1': 'unreachable', 'node-2': 'restored' });
    await lead({ ...right(), 'node-2': 1 });
    expect(outcomes(await run('undo', id, '--yes', '-o', 'json'))).toMatchObject({ 'node-1': 'restored' });
    expect(restarts()).toEqual([2, 2]);
  }, 60_000);
  it('goes on with the host that is left although two names lead to one machine, and lets no host in under the name of another', async () => {
    const id = await onlyRun();
    await lead({ 'node-1': portOf('node-2'), 'node-2': portOf('node-2') });
    const resumed = await run('resume', id, '-o', 'json');
    expect(outcomes(resumed)).toEqual({ 'node-1': 'changed', 'node-2': 'changed' });
    expect(resumed.err).toContain(`one machine has several names: node-1, node-2 all lead to 127.0.0.1 port ${portOf('node-2')}; each is let in only with the host key that its plan was made with`);
    await lead({ 'node-1': portOf('node-1'), 'node-2': portOf('node-1') });
    const undone = await run('undo', id, '--yes', '-o', 'json');
    expect(outcomes(undone)).toEqual({ 'node-1': 'restored', 'node-2': 'unreachable' });
    expect(undone.out).toContain('node-2 leads to the machine of another host of this run');
    expect(restarts()).toEqual([2, 1]);
  }, 60_000);
  it('goes on with the host whose way can be made where another one has none', async () => {
    const id = await onlyRun();
    await lead(right(), 'Host node-1\n  ProxyJump node-1b\nHost node-1b\n  ProxyJump node-1c\nHost node-1c\n  ProxyJump node-1b\n');
    expect(await run('undo', id, '--yes', '-o', 'json')).toMatchObject({ code: 1, out: '', err: expect.stringContaining('its jump hosts lead in a circle') as unknown });
    expect(outcomes(await run('resume', id, '-o', 'json'))).toEqual({ 'node-1': 'changed', 'node-2': 'changed' });
    const undone = await run('undo', id, '--yes', '-o', 'json');
    expect(outcomes(undone)).toMatchObject({ 'node-2': 'restored' });
    expect(undone.err).toMatch(/^fleetmend: node-1: its jump hosts lead in a circle: .*; it cannot be reached, and the others go on$/m);
    expect(restarts()).toEqual([1, 2]);
  }, 60_000);
});
