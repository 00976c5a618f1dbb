/** `runs` and `show` over real run folders: what a person reads of a run, from the disk alone. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { withOutlet } from '../../src/cli/outlet.js';
import { completeWords } from '../../src/cli/run-completion.js';
import { runsCommand } from '../../src/cli/runs.js';
import { showCommand } from '../../src/cli/show.js';
import { failureOf } from '../../src/core/failure.js';
import type { HostFact } from '../../src/core/journal.js';
import type { RunFolder } from '../../src/journals/index.js';
import { createRunFolder } from '../../src/journals/index.js';
import { SAMPLE_STEPS, samplePlan } from '../core/sample-plan.js';
import { sampleRecord } from '../journals/sample-run.js';

const RUN = '20260102T030405-abcdef';
let state: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'fleetmend-story-'));
  vi.stubEnv('XDG_STATE_HOME', state);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(state, { recursive: true });
});

/** What a command line prints. */
async function run(...argv: string[]): Promise<string> {
  let out = '';
  const take = (chunk: string, done?: () => void): boolean => {
    out += chunk;
    done?.();
    return true;
  };
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(take as never),
    vi.spyOn(console, 'log').mockImplementation((...words: unknown[]) => { out += `${words.join(' ')}\n`; }),
  ];
  try {
    await yargs(argv).command(runsCommand).command(showCommand).completion('completion', 'x', completeWords as never).exitProcess(false).fail(false).parseAsync();
    return out;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const root = (): string => join(state, 'fleetmend/runs');

async function makeRun(name: string, facts: Readonly<Record<string, readonly HostFact[]>>, startedAt = '2026-01-02T03:04:05.000Z', shown = Object.keys(facts)): Promise<RunFolder> {
  const folder = await createRunFolder(root(), { ...sampleRecord(name, Object.keys(facts)), startedAt }, shown.map((host) => ({ ...samplePlan(), host })));
  const journal = await folder.openJournal();
  for (const [host, own] of Object.entries(facts)) {
    for (const [index, fact] of own.entries()) {
      await journal.append({ ...fact, run: name, host, seq: index + 1, at: new Date(Date.parse(startedAt) + index * 1500).toISOString() });
    }
  }
  await journal.close();
  return folder;
}

const steps = SAMPLE_STEPS.map((step) => (step.id === 'config' && step.phase === 'change' ? { ...step, diff: '--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\u001b[2J\n' } : step));
const planned: HostFact = { type: 'planned', plan: { ...samplePlan(steps), guard: { deadlineMs: 90_000 } } };
const CHANGED: HostFact[] = [planned, { type: 'began', step: 'config' }, { type: 'finished', outcome: 'changed' }];
const STUCK: HostFact[] = [planned, { type: 'began', step: 'config' }, { type: 'finished', outcome: 'stuck', failure: { kind: 'notProved', summary: 'it never came\u0007 back', next: 'look' } }];
const MIDDLE: HostFact[] = [planned, { type: 'armed', deadlineMs: 90_000 }, { type: 'began', step: 'config' }];
const BACK: HostFact[] = [planned, { type: 'began', step: 'config' }, { type: 'failed', step: 'config', effect: 'unknown', failure: { kind: 'exit', summary: 'cp failed', detail: 'line 1\nline 2' } }];
const UNDONE: HostFact[] = [
  planned, { type: 'began', step: 'config' }, { type: 'done', step: 'config' }, { type: 'finished', outcome: 'changed' },
  { type: 'undoAsked', by: 'bob@desk', foreign: 'save' }, { type: 'undone', step: 'config', happened: 'now' }, { type: 'finished', outcome: 'restored' },
];

describe('fleetmend runs', () => {
  it('says so when there are none', async () => {
    expect(await run('runs')).toBe(`no runs in ${root()}\n`);
  });
  it('lists the newest first, each with its state and counts, and what to do with those that are not at an end', async () => {
    await makeRun('20260101T000000-aaaaaa', { n1: CHANGED, n2: CHANGED }, '2026-01-01T00:00:00.000Z');
    await makeRun(RUN, { n1: CHANGED, n2: STUCK, n3: MIDDLE, n4: [] });
    await makeRun('20251231T000000-cccccc', { n1: UNDONE }, '2025-12-31T00:00:00.000Z');
    const lines = (await run('runs')).split('\n');
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      ['run', 'started', 'by', 'playbook', 'hosts', 'state', 'outcomes'],
      [RUN, '2026-01-02T03:04:05Z', 'alice@laptop', 'idle timeout', '4', 'interrupted: 2 hosts to go on with, 1 stuck', '1 changed, 1 stuck'],
      ['20260101T000000-aaaaaa', '2026-01-01T00:00:00Z', 'alice@laptop', 'idle timeout', '2', 'finished', '2 changed'],
      ['20251231T000000-cccccc', '2025-12-31T00:00:00Z', 'alice@laptop', 'idle timeout', '1', 'undone', '1 restored'],
      [''],
      [`not at an end: fleetmend resume ${RUN}; fleetmend show RUN says where each host stands`],
      [''],
    ]);
  });
  it('a run that a process works on is running, and no resume is offered for it', async () => {
    const hold = await (await makeRun(RUN, { n1: MIDDLE })).hold('alice@laptop', new Date(0));
    const text = await run('runs');
    expect(text).toContain(`running (process ${process.pid})`);
    expect(text).not.toContain('resume');
    await hold.release();
  });
  it('one that cannot be read says why and hides no other, be it the record or the journal', async () => {
    await makeRun(RUN, { n1: CHANGED });
    await makeRun('bad-journal', { n1: CHANGED });
    await writeFile(join(root(), 'bad-journal/journal.ndjson'), 'noise\n');
    await makeRun('bad-record', {});
    await writeFile(join(root(), 'bad-record/run.json'), '{}');
    const text = await run('runs');
    expect(text).toMatch(/bad-journal {2}cannot be read: .*journal\.ndjson:1: corrupt/);
    expect(text).toMatch(/bad-record {2}cannot be read: .*run\.json/);
    expect(text).toContain(`${RUN}  2026`);
  });
  it('says what a resume would do, and offers none where it would do nothing', async () => {
    const lost: HostFact = { type: 'finished', outcome: 'unreachable', failure: { kind: 'timeout', summary: 'lost' } };
    await makeRun('lost-later', { n1: CHANGED, n2: [planned, lost] });
    await makeRun('never-reached', { n1: CHANGED, n2: [lost] }, '2026-01-01T00:00:00.000Z', ['n1']);
    await makeRun('never-planned', { n1: CHANGED, n2: [] }, '2026-01-01T00:00:00.000Z', ['n1']);
    await makeRun('cleaned', { n1: [...CHANGED, { type: 'cleanAsked', by: 'bob@desk' }, { type: 'cleaned' }] });
    const text = await run('runs');
    expect(text).toMatch(/lost-later .* 1 to be tried again/);
    expect(text).toMatch(/never-reached .* finished .*1 changed, 1 unreachable/);
    expect(text).toMatch(/never-planned .* 1 host without a plan/);
    expect(text).toMatch(/cleaned .* finished, saved copies removed/);
    expect(text).toContain('not at an end: fleetmend resume lost-later; ');
  });
  it('as JSON', async () => {
    await makeRun(RUN, { n1: CHANGED, n2: [] });
    expect(JSON.parse(await run('runs', '-o', 'json'))).toEqual([{
      run: RUN, startedAt: '2026-01-02T03:04:05.000Z', by: 'alice@laptop', playbook: 'idle timeout', hosts: 2,
      state: 'interrupted: 1 host to go on with', outcomes: { changed: 1 }, open: 1, directory: join(root(), RUN),
    }]);
  });
});

describe('fleetmend show RUN', () => {
  it('tells who, when, what, how each host ended, where the others stand, and what to do', async () => {
    await makeRun(RUN, { n1: CHANGED, n2: CHANGED, n3: STUCK, n4: MIDDLE, n5: BACK, n6: [], n7: [] });
    const text = await run('show', '2026');
    expect(text).toContain(`run ${RUN}: interrupted: 4 hosts to go on with, 1 stuck`);
    expect(text).toContain('2026-01-02T03:04:05.000Z by alice@laptop');
    expect(text).toContain('idle timeout (playbooks/x.yaml), timeout=2h0m0s');
    expect(text).toMatch(/changed +2 {2}n\[1-2\]/);
    expect(text).toContain('n3 stuck: it never came back; look');
    expect(text).toContain('n4  next: edit /etc/config.json (it began: it may have happened); its guard may fire');
    expect(text).toMatch(/n5 {2}on the way back; next: /);
    expect(text).toContain('not begun  2 hosts: n[6-7]');
    expect(text).toContain(`fleetmend resume ${RUN}`);
    expect(text).toContain(`fleetmend undo ${RUN}`);
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
  it('a run that is at an end and well asks for nothing but offers the way back', async () => {
    await makeRun(RUN, { n1: CHANGED });
    const text = await run('show', RUN);
    expect(text).toContain(`run ${RUN}: finished`);
    expect(text).not.toContain('resume');
    expect(text).toContain(`fleetmend undo ${RUN}`);
  });
  it('as JSON', async () => {
    await makeRun(RUN, { n1: CHANGED, n3: STUCK, n4: MIDDLE });
    expect(JSON.parse(await run('show', RUN, '-o', 'json'))).toMatchObject({
      run: RUN, playbook: { settings: { timeout: '2h0m0s' } }, outcomes: { changed: 1, stuck: 1 }, open: 2,
      hosts: [{ host: 'n1', outcome: 'changed' }, { host: 'n3', outcome: 'stuck' }, { host: 'n4', standing: 'middle' }],
    });
  });
  it('tells the story also when the plans that were shown are lost, and says that they are', async () => {
    await makeRun(RUN, { n1: CHANGED, n4: MIDDLE });
    await rm(join(root(), RUN, 'plans.ndjson'));
    const said = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    const text = await run('show', RUN);
    expect(said.mock.calls.map(([words]) => String(words)).join('')).toContain('plans.ndjson');
    said.mockRestore();
    expect(text).toContain('n4  next: edit /etc/config.json');
  });
  it('no such run: named, with the nearest', async () => {
    await makeRun(RUN, { n1: CHANGED });
    expect(await run('show', 'abcdef').catch(failureOf)).toMatchObject({ kind: 'badInput', next: `did you mean: ${RUN}` });
  });
});

describe('a run that was stopped for good', () => {
  it('is not said to go on: the rest needs a fresh plan', async () => {
    const folder = await createRunFolder(root(), sampleRecord(RUN, ['n1']), [{ ...samplePlan(), host: 'n1' }]);
    const journal = await folder.openJournal();
    const at = '2026-01-02T03:04:05.000Z';
    await journal.append({ type: 'rolloutBegan', by: 'alice@laptop', run: RUN, host: '*', seq: 1, at });
    await journal.append({ type: 'stopped', reason: 'canary', summary: 'x', then: 'halt', run: RUN, host: '*', seq: 2, at });
    await journal.close();
    const text = await run('show', RUN);
    expect(text).toContain(`fleetmend apply --rerun failed,skipped ${RUN}: `);
    expect(text).not.toContain('fleetmend resume');
  });
});

describe('a run whose playbook cannot be read any more', () => {
  it('is told without diffs and values of --set, and hides what the playbook named', async () => {
    const record = sampleRecord(RUN, ['n1']);
    const failed: HostFact = { type: 'failed', step: 'config', effect: 'none', failure: { kind: 'exit', summary: 'it said kubeApiPin: Zq7Kp2Wm9' } };
    const folder = await createRunFolder(root(), { ...record, playbook: { ...record.playbook, text: 'name: x\nnewKey: 1\n', redact: ['kubeapipin'] } }, [{ ...samplePlan(steps), host: 'n1' }]);
    const journal = await folder.openJournal();
    for (const [index, fact] of [planned, failed].entries()) await journal.append({ ...fact, run: RUN, host: 'n1', seq: index + 1, at: '2026-01-02T03:04:05.000Z' });
    await journal.close();
    let err = '';
    const spy = vi.spyOn(process.stderr, 'write').mockImplementation(((chunk: string) => { err += chunk; return true; }) as never);
    const texts: string[] = [];
    for (const words of [[], ['-o', 'json'], ['n1'], ['n1', '-o', 'json']]) texts.push(await withOutlet(() => run('show', RUN, ...words)));
    spy.mockRestore();
    expect(err).toContain('diffs and values of --set are withheld');
    expect(texts.join('')).not.toMatch(/-old|\+new|2h0m0s|Zq7K/);
    expect(texts[0]).toContain('timeout=[withheld]');
    expect(texts[2]).toContain('(diff withheld: ');
    expect(texts[3]).toContain('(diff withheld: ');
  });
});

describe('fleetmend show RUN HOST', () => {
  it('tells the story: found, planned, each entry with its time and the seconds since the first, the end', async () => {
    await makeRun(RUN, { n5: BACK });
    const text = await run('show', RUN, 'n5');
    expect(text).toContain('found before\n  fail: zero');
    expect(text).toContain('  -old\n  +new[2J\n');
    expect(text).toContain('2026-01-02T03:04:05.000Z    +0.000 s  planned');
    expect(text).toContain('2026-01-02T03:04:06.500Z    +1.500 s  began: edit /etc/config.json');
    expect(text).toContain('2026-01-02T03:04:08.000Z    +3.000 s  failed: edit /etc/config.json: cp failed\n      line 1\n      line 2');
    expect(text).toMatch(/now\n {2}in the middle: on the way back; next: /);
  });
  it('also of an undo that was asked for later', async () => {
    await makeRun(RUN, { n1: UNDONE });
    expect(await run('show', RUN, 'n1')).toMatch(/changed\n.*undo asked for by bob@desk; what others changed since is saved and replaced\n.*undone: edit \/etc\/config\.json\n.*restored\n\nnow\n {2}restored/);
  });
  it('a host that was never begun', async () => {
    await makeRun(RUN, { n1: [] });
    expect(await run('show', RUN, 'n1')).toContain('nothing was begun on this host');
  });
  it('as JSON: the entries as they are', async () => {
    await makeRun(RUN, { n1: CHANGED, n4: MIDDLE });
    const told = JSON.parse(await run('show', RUN, 'n4', '-o', 'json')) as { entries: { type: string }[] };
    expect(told).toMatchObject({ run: RUN, host: 'n4', standing: 'middle', finding: { verdict: 'fail' } });
    expect(told.entries.map((one) => one.type)).toEqual(['planned', 'armed', 'began']);
  });
  it('no such host: named, with the nearest', async () => {
    await makeRun(RUN, { 'node-1': CHANGED });
    expect(await run('show', RUN, 'nod-1').catch(failureOf)).toMatchObject({ kind: 'badInput', summary: `run ${RUN} has no host "nod-1" (did you mean "node-1"?)` });
  });
});

describe('completion', () => {
  it.each<[string, string[], string[]]>([
    ['all runs, the newest first', ['show', ''], ['20260102T030405-abcdef', '20260101T000000-aaaaaa']],
    ['those that begin so', ['show', '20260101'], ['20260101T000000-aaaaaa']],
    ['none that begins otherwise', ['resume', 'x'], []],
  ])('offers %s, and runs no command', async (_, words, offered) => {
    await makeRun('20260101T000000-aaaaaa', { n1: CHANGED });
    await makeRun(RUN, { n1: CHANGED });
    expect((await run('--get-yargs-completions', 'fleetmend', ...words)).split('\n').filter((line) => line !== '')).toEqual(offered);
  });
  it('leaves everything else to yargs', async () => {
    expect(await run('--get-yargs-completions', 'fleetmend', 'show', '--')).toContain('--output');
    expect(await run('--get-yargs-completions', 'fleetmend', 'sh')).toContain('show');
  });
});
