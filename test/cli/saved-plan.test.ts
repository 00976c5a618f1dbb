/** Saved plans on the command line: shown however old, approved by digest, and written where -o says. Reaches for no host. */
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Approval, ApprovalChoices } from '../../src/cli/approval.js';
import { bindApproval, readApproval } from '../../src/cli/approval.js';
import { changedSince } from '../../src/cli/saved-plan-changes.js';
import { digestOf } from '../../src/core/bytes.js';
import { failureOf } from '../../src/core/failure.js';
import type { SavedHost, SavedPlan } from '../../src/core/saved-plan.js';
import { readSavedPlan, writeSavedPlan } from '../../src/journals/index.js';
import { samplePlan } from '../core/sample-plan.js';
import { run } from './run-command-line.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname;
let directory: string;
let file: string;
let saved: SavedPlan;

const hostOf = (name: string): SavedHost['host'] => ({ name, address: name, port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: {} });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fleetmend-plan-cli-'));
  file = join(directory, 'rollout.plan');
  const inventory = join(directory, 'inventory.yaml');
  await writeFile(inventory, 'groups: {}\n');
  const numbers = Array.from({ length: 120 }, (_, index) => String(index + 1).padStart(3, '0'));
  const disruption = { class: 'restartOfMore', units: ['kubelet.service'], along: ['sidecar.service'] } as const;
  const hosts: SavedHost[] = [
    ...numbers.map((number): SavedHost => ({ host: hostOf(`node-${number}`), evidence: [], value: { ...samplePlan(), host: `node-${number}`, disruption } })),
    { host: hostOf('fine-1'), evidence: [], value: { ...samplePlan([]), host: 'fine-1' } },
    { host: hostOf('odd-1'), evidence: [], value: { ...samplePlan([]), host: 'odd-1', refusal: { kind: 'drift', summary: 'the disk differs' } } },
    { host: hostOf('gone-1'), evidence: [], failure: { kind: 'dns', summary: 'no such name' } },
  ];
  saved = await writeSavedPlan(file, {
    madeAt: '2020-01-31T12:00:00.000Z', by: 'alice@laptop', hosts, connection: { hostKeys: 'strict', concurrency: 8 },
    playbook: { name: 'p', file: PLAYBOOK, text: await readFile(PLAYBOOK, 'utf8'), settings: {} },
    inventory: { file: inventory, sha256: digestOf(await readFile(inventory)) },
  });
});
afterEach(async () => { await rm(directory, { recursive: true }); });

describe('show FILE.plan', () => {
  it('tells an old plan on one screen first: counts, age, by whom, what it disrupts, who is left alone and why; then each change once', async () => {
    const { code, out, err } = await run('show', file);
    expect([code, err]).toEqual([0, '']);
    const screen = out.split('\n').slice(0, 24).join('\n');
    expect(screen).toContain(`plan ${saved.digest.slice(0, 12)}: 123 hosts: 1 compliant, 120 to change in 1 way, 1 must not be touched, 1 without answer`);
    expect(screen).toMatch(/made {6}2020-01-31T12:00:00\.000Z by alice@laptop, \d+ days/);
    expect(screen).toContain(`digest    ${saved.digest}`);
    expect(screen).toContain(`fleetmend apply ${file} --approve ${saved.digest.slice(0, 32)}\n`);
    expect(screen).toContain('disrupts  120 hosts: restart of more than one unit: kubelet.service; sidecar.service goes along');
    expect(screen).toContain('refused   1 host: odd-1: the disk differs');
    expect(screen).toContain('silent    1 host: gone-1: no such name');
    expect(screen).toContain('change 1  120 hosts: node-[001-120]');
    expect(out.match(/change \d/g)).toHaveLength(1);
    expect(out).toContain('rollout');
  });

  it('as JSON, and of one host', async () => {
    const { out } = await run('show', file, '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({ digest: saved.digest, by: 'alice@laptop', changed: [], changes: [{ disruption: { class: 'restartOfMore' } }] });
    expect((await run('show', file, 'odd-1')).out).toContain('the disk differs');
    expect((await run('show', file, 'odd-2')).err).toContain('this plan has no host "odd-2" (did you mean "odd-1"?)');
  });

  it('says what was changed on the controller since, and is shown all the same', async () => {
    await writeFile(saved.inventory.file, 'groups: { a: {} }\n');
    expect((await run('show', file)).out).toContain('inventory.yaml was changed since this plan was made; the plan goes by the inventory of that time');
    await rm(saved.inventory.file);
    expect(await changedSince(await readSavedPlan(file))).toEqual([expect.stringMatching(/inventory of this plan cannot be compared \(.*no such file/)]);
    expect(await changedSince({ ...saved, playbook: { ...saved.playbook, text: 'other' } })).toHaveLength(2);
  });

  it('whose playbook cannot be read any more shows no diff and no value of --set, and hides what the playbook named', async () => {
    const [first] = saved.hosts;
    if (first?.value === undefined) throw new Error('the sample has no plan');
    const steps = first.value.steps.map((step) => (step.phase === 'change' ? { ...step, diff: '-old: hunter2\n', title: 'set kubeApiPin: Zq7Kp2Wm9 in x' } : step));
    await writeSavedPlan(file, {
      ...saved, hosts: [{ ...first, value: { ...first.value, steps } }],
      playbook: { ...saved.playbook, text: 'name: x\nnewKey: 1\n', settings: { timeout: 'hunter2' }, redact: ['kubeapipin'] },
    });
    for (const argv of [[], ['-o', 'json'], ['node-001'], ['node-001', '-o', 'json']]) {
      const { code, out, err } = await run('show', file, ...argv);
      expect([code, err]).toEqual([0, expect.stringMatching(/playbook of this plan cannot be read by this version, .*withheld/)]);
      expect(out).toContain('(diff withheld: ');
      expect(out).not.toMatch(/hunter2|Zq7K/);
    }
    expect((await run('show', file)).out).toContain('timeout=[withheld]');
  });

  it('a damaged plan is a damaged plan and no run', async () => {
    await writeFile(file, (await readFile(file)).subarray(0, 5000));
    const { code, out, err } = await run('show', file);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/rollout\.plan: not a whole plan: .*cut/);
  });
});

async function checkApproval(choices: ApprovalChoices, digest: string): Promise<Approval | undefined> {
  return bindApproval(await readApproval(choices), digest);
}

describe('approval', () => {
  it('binds a yes to one plan: by so many characters that no second plan with them can be made', async () => {
    expect(await checkApproval({ approve: saved.digest.slice(0, 32) }, saved.digest)).toMatchObject({ digest: saved.digest, by: expect.stringMatching(/^\S+@\S+$/) as string });
    expect(await checkApproval({}, saved.digest)).toBeUndefined();
    expect(await checkApproval({ approve: saved.digest.slice(0, 32) }, digestOf(Buffer.from('other'))).catch(failureOf)).toMatchObject({ kind: 'badInput', summary: expect.stringContaining('a yes to another plan') as string });
    for (const approve of [saved.digest.slice(0, 31), saved.digest.slice(0, 12), `${saved.digest}0`, 'A'.repeat(32), '']) {
      expect(await checkApproval({ approve }, saved.digest).catch(failureOf)).toMatchObject({ kind: 'badInput', summary: expect.stringContaining('32 to 64 characters') as string });
    }
  });

  it.each([{ by: 'two\nlines', at: '2026-01-02T03:04:05Z' }, { by: '', at: '2026-01-02T03:04:05Z' }, { by: 'bob', at: 'yesterday' }])('%j in a file is no approval', async (said) => {
    await writeFile(join(directory, 'odd'), JSON.stringify({ digest: saved.digest, ...said }));
    expect(await checkApproval({ approvalFile: join(directory, 'odd') }, saved.digest).catch(failureOf)).toMatchObject({ kind: 'badInput' });
  });

  it('is written by approve for this plan, never over another, and refused for any other plan', async () => {
    const approval = join(directory, 'yes');
    const done = await run('approve', file, '--approval', approval, '--approve', saved.digest.slice(0, 32));
    expect(done.code).toBe(0);
    expect(done.out).toContain('120 to change in 1 way');
    expect(JSON.parse(await readFile(approval, 'utf8'))).toMatchObject({ digest: saved.digest });
    await expect(checkApproval({ approvalFile: approval }, saved.digest)).resolves.toMatchObject({ digest: saved.digest });
    await expect(checkApproval({ approvalFile: approval }, '0'.repeat(64))).rejects.toMatchObject({ failure: { kind: 'badInput' } });
    await writeFile(join(directory, 'no'), '{}');
    await expect(checkApproval({ approvalFile: join(directory, 'no') }, saved.digest)).rejects.toMatchObject({ failure: { kind: 'badInput' } });
    expect((await run('approve', file, '--approval', approval, '--approve', saved.digest)).code).toBe(1);
  });

  it('in a file that anybody can write, or in a pipe, is none', async () => {
    const approval = join(directory, 'approval');
    await writeFile(approval, JSON.stringify({ digest: saved.digest, by: 'bob@desk', at: '2020-01-31T12:00:00.000Z' }));
    await chmod(approval, 0o666);
    const open = await run('apply', file, '--approval-file', approval, '--output', 'json');
    expect([open.code, open.err]).toEqual([1, expect.stringContaining('others than its owner can write it')]);
    await rm(approval);
    execFileSync('mkfifo', [approval]);
    const pipe = await run('apply', file, '--approval-file', approval, '--output', 'json');
    expect([pipe.code, pipe.err]).toEqual([1, expect.stringContaining('a regular file')]);
  });
  it('without a terminal and without a digest nothing is approved', async () => {
    const { code, err } = await run('approve', file);
    expect(code).toBe(1);
    expect(err).toContain('--approve DIGEST');
    await expect(stat(join(directory, 'rollout.approval'))).rejects.toThrow();
  });

  it('of another digest nothing is approved', async () => {
    const { code, err } = await run('approve', file, '--approve', '0123456789abcdef'.repeat(2));
    expect([code, err.includes('another plan')]).toEqual([1, true]);
    await expect(stat(join(directory, 'rollout.approval'))).rejects.toThrow();
  });
});

describe('plan -o', () => {
  it('saves the plan where it says, for its owner alone; a host that cannot be reached is in it', async () => {
    const inventory = join(directory, 'hosts.yaml');
    const out = join(directory, 'new.plan');
    await writeFile(inventory, 'defaults: { user: ops, connectTimeout: 1s }\ngroups:\n  workers:\n    hosts: [{ name: none, address: 127.0.0.1, port: 1 }]\n');
    const done = await run('plan', PLAYBOOK, '-i', inventory, '-o', out, '--output', 'json', '--waves', '1,100%', '--known-hosts', '/dev/null');
    const read = await readSavedPlan(out);
    expect(done.err).toContain(`fleetmend apply ${out} --approve ${read.digest.slice(0, 32)}\n`);
    expect(read.hosts).toMatchObject([{ host: { name: 'none' } }]);
    // Which one depends on whether the person at work has a key.
    expect(['refusedConnection', 'authentication']).toContain(read.hosts[0]?.failure?.kind);
    expect(read.playbook.rollout).toEqual({ waves: '1,100%' });
    expect((await stat(out)).mode & 0o777).toBe(0o600);
    const secretive = join(directory, 'secretive.yaml');
    await writeFile(secretive, `redact: [kubeApiPin]\n${await readFile(PLAYBOOK, 'utf8')}`);
    await run('plan', secretive, '-i', inventory, '-o', out, '--output', 'json', '--waves', '1,100%', '--known-hosts', '/dev/null');
    expect((await readSavedPlan(out)).playbook.redact).toEqual(['kubeapipin']);
    const json = await run('plan', PLAYBOOK, '-i', inventory, '-o', 'json', '--waves', '1,100%', '--known-hosts', '/dev/null');
    expect(JSON.parse(json.out)).toMatchObject({ stage: 'plan', digest: read.digest });
  }, 60_000);

  it.each<[string, RegExp]>([
    ['missing/new.plan', /its folder does not exist/],
    ['inventory.yaml', /there is something else of that name/],
    ['inventory.yaml/new.plan', /cannot be written/],
  ])('in %s is refused before a host is reached', async (name, words) => {
    const hosts = join(directory, 'hosts.yaml');
    await writeFile(hosts, 'defaults: { user: ops, connectTimeout: 1s }\ngroups:\n  workers:\n    hosts: [{ name: none, address: 127.0.0.1, port: 1 }]\n');
    const { code, out, err } = await run('plan', PLAYBOOK, '-i', hosts, '-o', join(directory, name), '--output', 'json', '--waves', '1,100%', '--known-hosts', '/dev/null');
    // Behind a look at the fleet its result would stand there.
    expect([code, err, out]).toEqual([1, expect.stringMatching(words), '']);
  });

  it.each<[string[], RegExp]>([
    [['-o', 'jsno'], /-o: expected text, json, ndjson or a file such as rollout\.plan .*got "jsno"/],
    [['-o', 'json', '--output', 'ndjson'], /two formats/],
    [['-o', 'a.plan', '-o', 'b.plan'], /--out: expected one value, got 2/],
  ])('%s is refused', async (argv, words) => {
    const { code, err } = await run('plan', PLAYBOOK, '-i', '/nowhere.yaml', ...argv);
    expect(code).toBe(1);
    expect(err).toMatch(words);
  });
});
