/** A plan in a file: whole or refused, its owner's alone, read and written one host at a time. */
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestOf } from '../../src/core/bytes.js';
import { planDigest } from '../../src/core/plan-digest.js';
import type { HostPlan } from '../../src/core/plan.js';
import type { PlanContent, SavedHost, SavedPlan } from '../../src/core/saved-plan.js';
import { isSavedPlan, readSavedPlan, writeSavedPlan } from '../../src/journals/index.js';
import { samplePlan } from '../core/sample-plan.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-plan-'));
  file = join(directory, 'rollout.plan');
});
afterEach(async () => { await rm(directory, { recursive: true }); });

const HEALTH = { check: 'healthy', unit: 'kubelet.service', argv: ['/usr/bin/kubelet'], forMs: 1, withinMs: 2 } as const;

function planOf(host: string, more: Partial<HostPlan> = {}): HostPlan {
  return {
    ...samplePlan(), host, baseline: { invocationId: 'aa', health: HEALTH }, disruption: { class: 'restart', units: ['kubelet.service'], along: [] },
    observed: {
      hostKey: 'SHA256:x', files: { '/etc/config.json': 'd'.repeat(32), '/etc/gone': 'absent' }, directories: { '/etc/k.d': 'e'.repeat(32) },
      units: { 'kubelet.service': 'loaded active running enabled, settings f' }, commandLines: { 'kubelet.service': ['/usr/bin/kubelet', '--a'] }, versions: { kernel: '6.1' },
    },
    ...more,
  };
}

function hostOf(name: string): SavedHost['host'] {
  return { name, address: '10.0.0.1', port: 22, user: 'root', become: 'sudo', connectTimeoutMs: 1000, labels: { zone: 'a' } };
}

const planned = (name: string, more: Partial<HostPlan> = {}): SavedHost => ({ host: hostOf(name), evidence: [], hostKey: 'SHA256:x', value: planOf(name, more) });

function content(hosts: readonly SavedHost[]): Omit<SavedPlan, 'digest'> {
  return {
    madeAt: '2026-01-31T12:00:00.000Z', by: 'alice@laptop',
    playbook: { name: 'p', file: '/p.yaml', text: 'id: x\n', settings: { timeout: '4h' }, rollout: { waves: '1,100%' } },
    inventory: { file: '/i.yaml', sha256: digestOf(Buffer.from('x')) }, connection: { hostKeys: 'strict', concurrency: 8 }, hosts,
  };
}

const unreachable: SavedHost = { host: hostOf('n3'), evidence: [], failure: { kind: 'dns', summary: 'no such name' } };
const SAMPLE = content([planned('n1'), planned('n2', { steps: [], refusal: { kind: 'drift', summary: 'it moved' } }), unreachable]);

describe('a saved plan', () => {
  it('is read as it was written, by its owner alone, and known by its first bytes', async () => {
    const written = await writeSavedPlan(file, SAMPLE);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readSavedPlan(file)).toEqual(written);
    const other = join(directory, 'other');
    await writeFile(other, await readFile(file), { mode: 0o600 });
    expect([await isSavedPlan(other), await isSavedPlan(file), await isSavedPlan(directory), await isSavedPlan(join(directory, 'none.yaml'))]).toEqual([true, true, false, false]);
    await symlink(file, join(directory, 'latest'));
    expect((await readSavedPlan(join(directory, 'latest'))).digest).toBe(written.digest);
  });

  it('takes the place of an earlier plan, and of nothing else', async () => {
    await writeSavedPlan(file, content([]));
    await writeSavedPlan(file, SAMPLE);
    expect((await readSavedPlan(file)).hosts).toHaveLength(3);
    await writeFile(join(directory, 'playbook.yaml'), 'id: mine\n');
    await expect(writeSavedPlan(join(directory, 'playbook.yaml'), SAMPLE)).rejects.toMatchObject({ failure: { kind: 'badInput', summary: expect.stringContaining('no plan') as string } });
    expect(await readFile(join(directory, 'playbook.yaml'), 'utf8')).toBe('id: mine\n');
  });

  it('with any single byte changed, or cut anywhere, is refused in one sentence', async () => {
    await writeSavedPlan(file, SAMPLE);
    const bytes = await readFile(file);
    // Every byte would be thousands of files: all of the header's start and of the end, and each 7th between.
    const places = [...bytes.keys()].filter((at) => at < 120 || at > bytes.length - 120 || at % 7 === 0);
    const survived: string[] = [];
    for (const at of places) {
      for (const bad of [changedAt(bytes, at), bytes.subarray(0, at)]) {
        await writeFile(file, bad);
        const why = await readSavedPlan(file).then(() => undefined, (thrown: unknown) => (thrown as { failure?: { kind: string } }).failure?.kind);
        if (why !== 'badInput') survived.push(`${at}: ${String(why)}`);
      }
    }
    expect(survived).toEqual([]);
    await writeFile(file, Buffer.concat([bytes, Buffer.from('\n')]));
    await expect(readSavedPlan(file)).rejects.toMatchObject({ failure: { summary: expect.stringContaining('more behind its end') as string } });
  }, 60_000);

  it('whose digest at the start is not that of its content is refused even where the end fits', async () => {
    await writeSavedPlan(file, SAMPLE);
    const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -2);
    const forged = `${lines.map((line) => line.replaceAll('/etc/config.json', '/etc/passwd')).join('\n')}\n`;
    await writeFile(file, `${forged}${JSON.stringify({ end: true, hosts: 3, sha256: digestOf(Buffer.from(forged)) })}\n`);
    await expect(readSavedPlan(file)).rejects.toMatchObject({ failure: { summary: expect.stringContaining('does not have the digest') as string } });
  });

  it.each([
    ['others can write it', async () => { await chmod(file, 0o620); }, /others can write it \(mode 0620\)/],
    ['it is of another version', async () => { await writeFile(file, (await readFile(file, 'utf8')).replace('"fleetmendPlan":1', '"fleetmendPlan":2')); }, /version 2 of the format; this fleetmend reads version 1/],
    ['it is empty', async () => { await writeFile(file, ''); }, /it is empty/],
    ['it is not there', async () => { await rm(file); }, /there is no such file/],
    ['it is a playbook', async () => { await writeFile(file, 'id: x\n'); }, /line 1 is not JSON/],
    ['its owner is another', async () => { if (process.getuid?.() === 0) { const { chown } = await import('node:fs/promises'); await chown(file, 12_345, 0); } else await chmod(file, 0o602); }, /belongs to user 12345|others can write/],
  ])('is refused when %s', async (_, spoil, words) => {
    await writeSavedPlan(file, SAMPLE);
    await spoil();
    const failure = await readSavedPlan(file).then(() => undefined, (thrown: unknown) => (thrown as { failure: { kind: string; summary: string } }).failure);
    expect(failure).toMatchObject({ kind: 'badInput' });
    expect(failure?.summary).toMatch(words);
  });
});

describe('the digest of a plan', () => {
  const base = planDigest(SAMPLE);
  const withFirst = (more: Partial<HostPlan>): PlanContent => ({ ...SAMPLE, hosts: [planned('n1', more), ...SAMPLE.hosts.slice(1)] });
  const observed = planOf('n1').observed;
  if (observed === undefined) throw new Error('no sample');

  it.each<[string, PlanContent]>([
    ['when it was made and by whom', { ...SAMPLE, ...{ madeAt: '2027-01-01T00:00:00Z', by: 'bob@desk' } }],
    ['the life of the service', withFirst({ baseline: { invocationId: 'bb', health: HEALTH } })],
    ['words with ages and pids', withFirst({ notes: ['up for 12 s'], finding: { ...planOf('n1').finding, summary: 'process 12', notes: ['x'] } })],
    ['evidence', { ...SAMPLE, hosts: [{ ...planned('n1'), evidence: [{ askedAt: 'x', query: { ask: 'lock' }, answer: { ok: true, ask: 'lock', value: { held: false } } }] }, ...SAMPLE.hosts.slice(1)] }],
    ['why a host did not answer', { ...SAMPLE, hosts: [...SAMPLE.hosts.slice(0, 2), { ...unreachable, failure: { kind: 'connectTimeout', summary: 'after 10 s' } }] }],
    ['the order of keys', JSON.parse(JSON.stringify(SAMPLE), (_, value: unknown) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).reverse()) : value)) as PlanContent],
  ])('does not change with %s', (_, same) => {
    expect(planDigest(same)).toBe(base);
  });

  it.each<[string, PlanContent]>([
    ['the playbook', { ...SAMPLE, playbook: { ...SAMPLE.playbook, text: 'id: y\n' } }],
    ['a parameter', { ...SAMPLE, playbook: { ...SAMPLE.playbook, settings: { timeout: '5h' } } }],
    ['the rollout of the command line', { ...SAMPLE, playbook: { ...SAMPLE.playbook, rollout: {} } }],
    ['the inventory', { ...SAMPLE, inventory: { ...SAMPLE.inventory, sha256: '0'.repeat(64) } }],
    ['how hosts are reached', { ...SAMPLE, connection: { ...SAMPLE.connection, hostKeys: 'accept-new' } }],
    ['the address of a host', { ...SAMPLE, hosts: [{ ...planned('n1'), host: { ...hostOf('n1'), address: '10.0.0.2' } }, ...SAMPLE.hosts.slice(1)] }],
    ['a host less', { ...SAMPLE, hosts: SAMPLE.hosts.slice(0, 2) }],
    ['the order of hosts', { ...SAMPLE, hosts: [...SAMPLE.hosts].reverse() }],
    ['a step', withFirst({ steps: samplePlan().steps.slice(1) })],
    ['the guard', withFirst({ guard: { deadlineMs: 1 } })],
    ['what an undo must bring back', withFirst({ baseline: { invocationId: 'aa', health: { ...HEALTH, argv: ['/usr/bin/kubelet', '--b'] } } })],
    ['what it disrupts', withFirst({ disruption: { class: 'restartOfMore', units: ['kubelet.service'], along: ['a.service'] } })],
    ['a refusal', withFirst({ steps: [], refusal: { kind: 'locked', summary: 'x' } })],
    ['the host key', withFirst({ observed: { ...observed, hostKey: 'SHA256:y' } })],
    ['a file', withFirst({ observed: { ...observed, files: { ...observed.files, '/etc/gone': 'd' } } })],
    ['a directory', withFirst({ observed: { ...observed, directories: {} } })],
    ['a unit', withFirst({ observed: { ...observed, units: { 'kubelet.service': 'loaded inactive' } } })],
    ['a command line', withFirst({ observed: { ...observed, commandLines: {} } })],
    ['a version', withFirst({ observed: { ...observed, versions: { kernel: '6.2' } } })],
  ])('changes with %s', (_, other) => {
    expect(planDigest(other)).not.toBe(base);
  });
});

function changedAt(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
