/** `fleetmend ctl` over real run folders: what it asks, what it answers, and what it does when nobody is there. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { runCommandLine } from '../../src/cli/index.js';
import { ctlCommand } from '../../src/cli/ctl.js';
import { mergeControls } from '../../src/cli/merge-controls.js';
import { showCommand } from '../../src/cli/show.js';
import { failureOf } from '../../src/core/failure.js';
import type { ControlRequest, Controls } from '../../src/core/ports.js';
import type { RunFact } from '../../src/core/rollout.js';
import type { Hold, RunFolder } from '../../src/journals/index.js';
import { createControlInbox, createRunFolder } from '../../src/journals/index.js';
import { sampleRecord } from '../journals/sample-run.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url);
const RUN = '20260102T030405-abcdef';
const NOW = new Date('2026-01-02T03:04:05.000Z');
let state: string;
let folder: RunFolder;
let hold: Hold | undefined;
let said: string;
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'fleetmend-ctl-'));
  vi.stubEnv('XDG_STATE_HOME', state);
  folder = await createRunFolder(join(state, 'fleetmend/runs'), sampleRecord(RUN), []);
  hold = undefined;
  said = '';
});
afterEach(async () => {
  await hold?.release();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  process.exitCode = 0;
  await rm(state, { recursive: true });
});

/** What a command line prints; what it complains of goes to `said`. */
async function run(...argv: string[]): Promise<string> {
  let out = '';
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, done?: () => void) => { out += chunk; done?.(); return true; }) as never),
    vi.spyOn(process.stderr, 'write').mockImplementation(((chunk: string) => { said += chunk; return true; }) as never),
  ];
  try {
    await yargs(argv).command(ctlCommand).command(showCommand).exitProcess(false).fail(false).parseAsync();
    return out;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** As if this process rolled out. */
async function rollOut(accepted = true): Promise<{ requests: ControlRequest[]; close(): Promise<void> }> {
  hold = await folder.hold('alice@laptop', NOW);
  const requests: ControlRequest[] = [];
  const inbox = createControlInbox(folder.directory);
  inbox.listen((request) => {
    requests.push(request);
    request.answer(accepted, `${request.act.do} it is`);
  });
  return { requests, close: () => inbox.close() };
}

async function write(facts: readonly RunFact[]): Promise<void> {
  const journal = await folder.openJournal();
  for (const [index, fact] of facts.entries()) await journal.append({ ...fact, run: RUN, host: '*', seq: index + 1, at: NOW.toISOString() });
  await journal.append({ type: 'finished', outcome: 'changed', run: RUN, host: 'node-1', seq: 1, at: NOW.toISOString() });
  await journal.close();
}

const FACTS: readonly RunFact[] = [
  { type: 'rolloutBegan', by: 'alice@laptop' }, { type: 'waveBegan', wave: 1, of: 2, hosts: 1 }, { type: 'controlled', by: 'bob@desk', act: { do: 'skip', host: 'node-3' } },
  { type: 'controlled', by: 'bob@desk', act: { do: 'pause' } },
];

describe('what is asked', () => {
  it.each<[string[], object]>([
    [['pause'], { do: 'pause' }], [['continue'], { do: 'continue' }], [['within', '5'], { do: 'within', count: 5 }], [['skip', 'node-2'], { do: 'skip', host: 'node-2' }],
    [['stop'], { do: 'stop' }], [['undo', '--yes'], { do: 'undo', scope: 'wave' }], [['undo', 'run', '-y'], { do: 'undo', scope: 'run' }],
  ])('%j', async (words, act) => {
    const rollout = await rollOut();
    expect(await run('ctl', RUN, ...words)).toMatch(/^\w+ it is\n$/);
    expect(process.exitCode).toBe(0);
    expect(rollout.requests.map((request) => request.act)).toEqual([act]);
    expect(rollout.requests[0]?.by).toMatch(/^\S+@\S+$/);
    await rollout.close();
  });
  it('refused: why, and exit code 1', async () => {
    const rollout = await rollOut(false);
    expect(await run('ctl', RUN, 'pause')).toBe('');
    expect(said).toBe('fleetmend: pause: refused: pause it is\n');
    expect(process.exitCode).toBe(1);
    await rollout.close();
  });
  it('as JSON', async () => {
    const rollout = await rollOut();
    expect(JSON.parse(await run('ctl', RUN, 'within', '7', '-o', 'json'))).toMatchObject({ run: RUN, act: { do: 'within', count: 7 }, how: 'answered', accepted: true });
    await rollout.close();
  });
  it('an undo without a terminal and without --yes is not asked', async () => {
    const rollout = await rollOut();
    expect(await run('ctl', RUN, 'undo').catch(failureOf)).toMatchObject({ kind: 'badInput' });
    expect(rollout.requests).toEqual([]);
    await rollout.close();
  });
  it('of a process that takes no requests: said, and nothing was asked', async () => {
    hold = await folder.hold('alice@laptop', NOW);
    await run('ctl', RUN, 'pause');
    expect(said).toMatch(/takes no requests; nothing was asked/);
    expect(process.exitCode).toBe(1);
  });
  it('of no living process: refused, with what can be done', async () => {
    expect(await run('ctl', RUN, 'pause').catch(failureOf)).toMatchObject({
      kind: 'badInput', summary: `no process of this machine works on run ${RUN}`, next: expect.stringContaining(`fleetmend resume ${RUN}`) as string,
    });
  });
  it.each([
    [['puase'], 'pause'], [['within'], 'whole number'], [['within', '0'], 'whole number'], [['within', 'ten'], 'whole number'], [['within', '-3'], 'whole number'],
    [['skip'], 'name of a host'], [['undo', 'all'], 'wave or run'], [['pause', 'now'], 'nothing is expected'], [['skip', 'nod-2'], 'did you mean "node-2"'],
  ])('%j: refused before anything is asked', async (words, expected) => {
    const rollout = await rollOut();
    const failure = await run('ctl', RUN, ...words).then(() => undefined, failureOf);
    expect(failure?.kind).toBe('badInput');
    expect(failure?.summary).toContain(expected);
    expect(rollout.requests).toEqual([]);
    await rollout.close();
  });
});

describe('status', () => {
  it('hides what the playbook of the run hides', async () => {
    const text = `redact: [kubeApiPin]\n${await readFile(PLAYBOOK, 'utf8')}`;
    const record = sampleRecord('20260102T030405-fedcba');
    folder = await createRunFolder(join(state, 'fleetmend/runs'), { ...record, playbook: { ...record.playbook, text, settings: {} } }, []);
    const journal = await folder.openJournal();
    for (const [index, fact] of [FACTS[0], { type: 'stopped', reason: 'hook', summary: 'it said kubeApiPin=Zq7Kp2Wm9', then: 'halt' } as const].entries()) {
      if (fact !== undefined) await journal.append({ ...fact, run: record.run, host: '*', seq: index + 1, at: NOW.toISOString() });
    }
    await journal.close();
    let out = '';
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation(((chunk: string, done?: () => void) => { out += chunk; done?.(); return true; }) as never);
    await runCommandLine(['ctl', record.run, 'status']);
    spy.mockRestore();
    expect(out).toContain('it said kubeApiPin=[redacted]');
    expect(out).not.toContain('Zq7K');
  });
  it('needs no living process', async () => {
    await write(FACTS);
    expect(await run('ctl', '2026', 'status')).toBe([
      `run ${RUN}: 2 hosts without a plan`,
      '  process   none of this machine works on it',
      '  rollout   wave 1 of 2 (1 host); paused by bob@desk since 2026-01-02T03:04:05Z',
      '  hosts     3: 1 changed, 2 not begun',
      '  left out  node-3', '',
    ].join('\n'));
  });
  it('tells of the process that works on it', async () => {
    await write(FACTS);
    hold = await folder.hold('alice@laptop', NOW);
    const text = await run('ctl', RUN, 'status');
    expect(text).toContain(`running (process ${process.pid}), wave 1 of 2, paused`);
    expect(text).toContain(`process   ${process.pid} on `);
  });
  it('of a run without rollout', async () => { expect(await run('ctl', RUN, 'status')).toContain('rollout   not begun'); });
  it('as JSON', async () => {
    await write([...FACTS, { type: 'stopped', reason: 'budget', summary: 'the 2nd failed', then: 'halt' }]);
    expect(JSON.parse(await run('ctl', RUN, 'status', '-o', 'json'))).toMatchObject({
      run: RUN, hosts: 3, middle: 0, notBegun: 2, outcomes: { changed: 1 }, rollout: { wave: { wave: 1, of: 2 }, stopped: { reason: 'budget' }, skipped: ['node-3'] },
    });
  });
});

describe('fleetmend show RUN', () => {
  it('tells waves, gates, hooks, stops, and who did what', async () => {
    const failure = { kind: 'hook', summary: 'no' } as const;
    await write([...FACTS, { type: 'gateFailed', wave: 1, failure, hosts: ['node-1'] }, { type: 'hookFailed', hook: 'beforeHost', onHost: 'node-2', failure }, { type: 'stopped', reason: 'gate', summary: 'closed', then: 'undoWave' }]);
    const text = await run('show', RUN);
    for (const words of ['stopped (gate)', 'wave 1 of 2 begins: 1 host', 'bob@desk asked: skip node-3', 'bob@desk asked: pause', 'wave 1: its gate failed: no (node-1)', 'hook beforeHost failed for node-2: no', 'are brought back']) expect(text).toContain(words);
    expect(text).toContain('not begun  2 hosts: node-[2-3]');
  });
});

it('two sources of requests are heard as one, and left as one', () => {
  const left: string[] = [];
  const sourceOf = (name: string): Controls => ({
    listen: (take) => {
      take({ by: name, act: { do: 'pause' }, answer: () => undefined });
      return () => { left.push(name); };
    },
  });
  const heard: string[] = [];
  mergeControls(sourceOf('keyboard'), sourceOf('inbox')).listen(({ by }) => { heard.push(by); })();
  expect([heard, left]).toEqual([['keyboard', 'inbox'], ['keyboard', 'inbox']]);
});
