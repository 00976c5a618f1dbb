/** The folder of a run: whole or not there, its owner's alone, believed in nothing that was not checked. */
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { createRunFolder, findRun, listRuns, openRunFolder } from '../../src/journals/index.js';
import { entry } from '../contracts/journal.contract.js';
import { samplePlan } from '../core/sample-plan.js';
import { sampleRecord } from './sample-run.js';

const RUN = '20260102T030405-abcdef';
let scratch: string;
let root: string;
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'fleetmend-runs-'));
  root = join(scratch, 'fleetmend/runs');
});
afterEach(async () => { await rm(scratch, { recursive: true }); });

const file = (name: string): string => join(root, RUN, name);
const refusal = (run = RUN): Promise<unknown> => openRunFolder(root, run).catch(failureOf);

/** Sets the member at `a/b/0` of run.json; undefined takes it away. */
async function setInRecord(path: string, value: unknown): Promise<void> {
  const document = JSON.parse(await readFile(file('run.json'), 'utf8')) as Record<string, unknown>;
  const keys = path.split('/');
  const parent = keys.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, document);
  parent[keys.at(-1) ?? ''] = value;
  await writeFile(file('run.json'), JSON.stringify(document));
}

describe('a run folder', () => {
  it('gives back what it was made of', async () => {
    const plans = ['node-1', 'node-2'].map((host) => ({ ...samplePlan(), host }));
    const created = await createRunFolder(root, sampleRecord(), plans);
    const journal = await created.openJournal();
    await journal.append(entry('node-1', 1, RUN));
    await journal.close();
    const opened = await openRunFolder(root, RUN);
    expect(opened.record).toEqual(sampleRecord());
    expect([...(await opened.readShown()).values()]).toEqual(plans);
    expect(await opened.readEntries()).toEqual([entry('node-1', 1, RUN)]);
  });
  it('keeps which plan it does, who approved it, and what its playbook hides', async () => {
    const record = sampleRecord();
    const plan = { digest: 'a'.repeat(64), file: '/tmp/rollout.plan', approvedBy: 'bob@desk', approvedAt: '2026-01-02T03:04:05.000Z' };
    const whole = { ...record, plan, playbook: { ...record.playbook, redact: ['kubeapipin'] } };
    await createRunFolder(root, whole, []);
    expect((await openRunFolder(root, RUN)).record).toEqual(whole);
    await setInRecord('record/plan/digest', 'abc');
    expect(await refusal()).toMatchObject({ kind: 'badInput', summary: expect.stringContaining('record/plan/digest') as string });
  });
  it('has no entries before its journal was opened, and reading makes none', async () => {
    await createRunFolder(root, sampleRecord(), []);
    expect(await (await openRunFolder(root, RUN)).readEntries()).toEqual([]);
    expect((await readdir(join(root, RUN))).sort()).toEqual(['plans.ndjson', 'run.json']);
  });
  it("is its owner's alone, like all in it", async () => {
    const folder = await createRunFolder(root, sampleRecord(), [samplePlan()]);
    await (await folder.openJournal()).close();
    const hold = await folder.hold('alice@laptop', new Date(0));
    for (const path of [root, folder.directory]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(folder.directory)) expect((await stat(file(name))).mode & 0o777, name).toBe(0o600);
    await hold.release();
  });
  it('is never made over one that is there', async () => {
    await createRunFolder(root, sampleRecord(), []);
    expect(await createRunFolder(root, { ...sampleRecord(), by: 'mallory' }, []).catch(failureOf)).toMatchObject({ kind: 'journal', summary: expect.stringContaining('exists already') as string });
    expect((await openRunFolder(root, RUN)).record.by).toBe('alice@laptop');
  });
  it('leaves nothing behind when it could not be made', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(await createRunFolder(root, sampleRecord(), [circle as never]).catch(failureOf)).toMatchObject({ kind: 'journal' });
    expect(await readdir(root)).toEqual([]);
  });
  it('is not made of what could not be read again', async () => {
    expect(await createRunFolder(root, { ...sampleRecord(), by: 'two\nlines' }, []).catch(failureOf)).toMatchObject({ kind: 'badInput', summary: expect.stringContaining('record/by') as string });
    expect(await readdir(root)).toEqual([]);
  });
  it.each(['../x', '.', '', 'a/b', '-x', 'a\0b'])('is never named %j', async (run) => {
    expect(await createRunFolder(root, sampleRecord(run), []).catch(failureOf)).toMatchObject({ kind: 'badInput' });
    expect(await refusal(run)).toMatchObject({ kind: 'badInput' });
  });
});

describe('what lies in a folder is checked before it is believed', () => {
  beforeEach(async () => { await createRunFolder(root, sampleRecord(), [samplePlan()]); });

  it.each<[string, unknown, string]>([
    ['record/hosts/1/port', 70_000, 'expected a whole number from 1 to 65535, got 70000'],
    ['record/by', undefined, 'expected a line of text without control characters, got nothing'],
    ['record/extra', 1, 'expected one of the keys'],
    ['record/by', 'a\u001b[2J', 'expected a line of text without control characters'],
    ['record/startedAt', 'yesterday', 'expected a time such as'],
    ['record/hosts', {}, 'expected a list, got an empty mapping'],
    ['record/hosts/2/name', 'node-1', 'expected a name that no other host of the run has'],
    ['record/connection/hostKeys', 'ignore', 'expected one of strict, accept-new, got "ignore"'],
    ['record/playbook/settings/timeout', 4, 'expected text, got 4'],
    ['record/run', '../../etc', 'expected the name of a run, got "../../etc"'],
    ['plans/sha256', 'x', 'expected a SHA-256 digest, got "x"'],
  ])('%s as %j', async (path, value, words) => {
    await setInRecord(path, value);
    expect(await refusal()).toMatchObject({ kind: 'badInput', summary: expect.stringContaining(`${file('run.json')}: ${path}: ${words}`) as string });
  });
  it('all errors are told at once', async () => {
    await setInRecord('record/by', undefined);
    await setInRecord('record/startedAt', 4);
    expect(await refusal()).toMatchObject({ detail: expect.stringMatching(/record\/startedAt[^]*record\/by/) as string });
  });
  it('a later version says so', async () => {
    await setInRecord('v', 2);
    expect(await refusal()).toMatchObject({ summary: expect.stringContaining('version 2') as string });
  });
  it('a text that is no JSON', async () => {
    await writeFile(file('run.json'), '{"v":1,');
    expect(await refusal()).toMatchObject({ kind: 'badInput', summary: expect.stringContaining('expected a JSON document') as string });
  });
  it('another run than the folder says', async () => {
    await rename(join(root, RUN), join(root, 'other'));
    expect(await refusal('other')).toMatchObject({ kind: 'badInput', next: `rename the folder to ${RUN}` });
  });
  it('plans that were cut or changed', async () => {
    const text = await readFile(file('plans.ndjson'), 'utf8');
    for (const damaged of [text.slice(0, -10), text.replace('zero', 'hero'), '']) {
      await writeFile(file('plans.ndjson'), damaged);
      expect(await (await openRunFolder(root, RUN)).readShown().catch(failureOf)).toMatchObject({ kind: 'journal', summary: expect.stringContaining('cut, changed or lost') as string });
    }
  });
  it('plans that are not there', async () => {
    await rm(file('plans.ndjson'));
    expect(await (await openRunFolder(root, RUN)).readShown().catch(failureOf)).toMatchObject({ kind: 'journal', summary: expect.stringContaining('plans.ndjson') as string });
  });
  it('a link in place of run.json', async () => {
    await rename(file('run.json'), join(scratch, 'elsewhere'));
    await symlink(join(scratch, 'elsewhere'), file('run.json'));
    expect(await refusal()).toMatchObject({ kind: 'journal' });
  });
});

describe('a folder that others can write is refused', () => {
  beforeEach(async () => { await createRunFolder(root, sampleRecord(), []); });
  it.each([0o770, 0o702, 0o777])('mode %o', async (mode) => {
    await chmod(join(root, RUN), mode);
    expect(await refusal()).toMatchObject({ kind: 'journal', summary: expect.stringContaining('others can write') as string });
    await chmod(join(root, RUN), 0o700);
    await chmod(root, mode);
    expect(await refusal()).toMatchObject({ kind: 'journal', summary: expect.stringContaining('others can write') as string });
    expect(await createRunFolder(root, sampleRecord('next'), []).catch(failureOf)).toMatchObject({ kind: 'journal' });
  });
  it.skipIf(process.geteuid?.() !== 0)("another user's (needs root)", async () => {
    await chown(join(root, RUN), 12_345, 12_345);
    expect(await refusal()).toMatchObject({ summary: expect.stringContaining('belongs to user 12345') as string });
  });
  it('a link to a folder', async () => {
    await rename(join(root, RUN), join(scratch, 'elsewhere'));
    await symlink(join(scratch, 'elsewhere'), join(root, RUN));
    expect(await refusal()).toMatchObject({ summary: expect.stringContaining('not a folder') as string });
  });
});

describe('the list of runs', () => {
  it('is empty without a root', async () => {
    expect(await listRuns(root)).toEqual([]);
  });
  it('has an item for each folder; one that cannot be read says why and hides no other', async () => {
    await createRunFolder(root, sampleRecord(), []);
    await createRunFolder(root, sampleRecord('bad-json'), []);
    await writeFile(join(root, 'bad-json/run.json'), 'x');
    await mkdir(join(root, 'empty'), { mode: 0o700 });
    await writeFile(join(root, 'a-file'), '');
    const items = await listRuns(root);
    expect(items.map((item) => [item.run, item.failure?.kind])).toEqual([[RUN, undefined], ['bad-json', 'badInput'], ['empty', 'journal']]);
    expect(items[2]?.failure?.summary).toContain('never begun');
  });
});

describe('a run is found by', () => {
  beforeEach(async () => {
    for (const run of ['20260101T000000-aaaaaa', '20260102T000000-bbbbbb', '20260102T000000-cccccc']) await createRunFolder(root, sampleRecord(run), []);
  });
  it.each([['20260101T000000-aaaaaa', '20260101T000000-aaaaaa'], ['20260101', '20260101T000000-aaaaaa'], ['20260102T000000-c', '20260102T000000-cccccc']])('%s', async (wanted, run) => {
    expect(await findRun(root, wanted)).toBe(run);
  });
  it.each([
    ['20260102', '2 runs begin with "20260102"', 'did you mean: 20260102T000000-cccccc, 20260102T000000-bbbbbb'],
    ['bbbbbb', 'there is no run "bbbbbb"', 'did you mean: 20260102T000000-bbbbbb'],
    ['20260101T000001-aaaaaa', 'there is no run', 'did you mean: 20260101T000000-aaaaaa'],
    ['', 'there is no run ""', 'did you mean: 20260102T000000-cccccc, 20260102T000000-bbbbbb, 20260101T000000-aaaaaa'],
    ['../..', 'there is no run "../.."', 'did you mean: '],
  ])('not by %j, which says what is near', async (wanted, summary, next) => {
    expect(await findRun(root, wanted).catch(failureOf)).toMatchObject({ kind: 'badInput', summary: expect.stringContaining(summary) as string, next: expect.stringContaining(next) as string });
  });
  it('a whole name is meant even when another begins with it', async () => {
    await createRunFolder(root, sampleRecord('20260101T000000-aaaaaa-2'), []);
    expect(await findRun(root, '20260101T000000-aaaaaa')).toBe('20260101T000000-aaaaaa');
  });
});
