/** What a plan keeps of a node: every answer that it may rest on, nothing that varies by itself, and small. */
import { describe, expect, it } from 'vitest';
import { planDigest } from '../../src/core/plan-digest.js';
import { observe } from '../../src/core/observed.js';
import type { Observed } from '../../src/core/observed.js';
import type { Answer, Query, Questions, UnitAnswer } from '../../src/core/query.js';
import { planHost } from '../../src/core/plan-host.js';
import type { HostPlan } from '../../src/core/plan.js';
import { CATALOGUE, loadRealPlaybook } from '../engine/rig.js';
import { createFakeNode } from '../fake/fake-node.js';
import { compliantAl2023, compliantKubeadm, zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson, zeroInYaml } from '../fake/layouts.js';
import { createVirtualClock } from '../fake/virtual-clock.js';

function observedOf(query: Query, answer: Answer): Observed {
  const program = observe((function* (): Questions<void> { yield [query]; })());
  program.next();
  const end = program.next([answer]);
  if (end.done !== true) throw new Error('it asks more');
  return end.value.observed;
}

type Ok<K extends Query['ask']> = Extract<Answer, { ok: true; ask: K }>;
type Value<K extends Query['ask']> = Ok<K>['value'];

const CMDLINE = Buffer.from('/usr/bin/kubelet\0--v=2\0');
const UNIT: UnitAnswer = {
  properties: {
    LoadState: 'loaded', ActiveState: 'active', SubState: 'running', UnitFileState: 'enabled', NeedDaemonReload: 'no', MainPID: '7', NRestarts: '0', InvocationID: 'a',
    ActiveEnterTimestampMonotonic: '1', ExecMainStartTimestampMonotonic: '1', ExecMainStatus: '0', ControlGroup: '/x', Result: 'success', FragmentPath: '/k', DropInPaths: '/d',
    Environment: 'A=1', EnvironmentFiles: '/e (ignore_errors=no)', Restart: 'always', ConsistsOf: '', RequiredBy: '', RequisiteOf: '', BoundBy: '',
    ExecStart: '{ path=/k ; argv[]=/k $A ; ignore_errors=no ; start_time=[Mon 2026-01-05 10:00:00 UTC] ; stop_time=[n/a] ; pid=7 ; code=(null) ; status=0/0 }',
  },
  process: { pid: 7, startTicks: '5', startedAt: 9, cmdline: CMDLINE, exe: '/usr/bin/kubelet', exeDeleted: false, cwd: '/', cgroup: '0::/x', hostNamespaces: true },
  monotonicUs: 10,
};
const FILE: Extract<Value<'file'>, { exists: true }> = {
  exists: true, kind: 'file', realPath: '/f', viaLink: false, mode: 0o644, uid: 0, gid: 0, size: 1, links: 1, inode: '3', modifiedAt: 1, bytes: Buffer.from('x'),
};
const DIRECTORY: Extract<Value<'directory'>, { exists: true }> = { exists: true, isDirectory: true, isLink: false, entries: [{ path: 'a.conf', kind: 'file' }, { path: 'b.conf', kind: 'link', target: 'file' }] };
const NODE: Value<'capability'> = { uid: 0, hostname: 'n', kernel: '6.1', bootId: 'b', systemd: 252, tools: ['curl'] };

const unit = (properties: Readonly<Record<string, string>>): UnitAnswer => ({ ...UNIT, properties: { ...UNIT.properties, ...properties } });
const withProcess = (more: Partial<NonNullable<UnitAnswer['process']>>): UnitAnswer => ({ ...UNIT, ...(UNIT.process ? { process: { ...UNIT.process, ...more } } : {}) });
const answerOf = <K extends Query['ask']>(ask: K, value: Value<K>): Answer => ({ ok: true, ask, value }) as unknown as Answer;

const QUERIES = {
  unit: { ask: 'unit', unit: 'kubelet.service' }, file: { ask: 'file', path: '/f' }, directory: { ask: 'directory', path: '/d' },
  capability: { ask: 'capability' }, version: { ask: 'version', exe: '/k' },
} as const satisfies Partial<Record<Query['ask'], Query>>;
const BASE: Readonly<Record<keyof typeof QUERIES, Answer>> = {
  unit: answerOf('unit', UNIT), file: answerOf('file', FILE), directory: answerOf('directory', DIRECTORY), capability: answerOf('capability', NODE), version: answerOf('version', { text: 'v1' }),
};

describe('what varies by itself is not observed', () => {
  it.each<[string, keyof typeof QUERIES, Answer]>([
    ...['MainPID', 'NRestarts', 'InvocationID', 'ActiveEnterTimestampMonotonic', 'ExecMainStartTimestampMonotonic', 'ExecMainStatus', 'ControlGroup', 'Result']
      .map((name): [string, 'unit', Answer] => [name, 'unit', answerOf('unit', unit({ [name]: '4711' }))]),
    ['how the last start went', 'unit', answerOf('unit', unit({ ExecStart: (UNIT.properties['ExecStart'] ?? '').replace('pid=7', 'pid=99').replace('Mon 2026-01-05', 'Tue 2026-01-06').replace('(null)', 'exited') }))],
    ['the process', 'unit', answerOf('unit', { ...withProcess({ pid: 8, startTicks: '6', startedAt: 10, cgroup: '0::/y' }), monotonicUs: 11 })],
    ['times and inode of a file', 'file', answerOf('file', { ...FILE, modifiedAt: 2, inode: '4', links: 2 })],
    ['the order of names', 'directory', answerOf('directory', { ...DIRECTORY, entries: [...DIRECTORY.entries].reverse() })],
    ['the boot', 'capability', answerOf('capability', { ...NODE, bootId: 'c' })],
  ])('%s', (_, ask, answer) => {
    expect(observedOf(QUERIES[ask], answer)).toEqual(observedOf(QUERIES[ask], BASE[ask]));
  });

  it.each<[Query, Answer]>([
    [{ ask: 'http', url: 'http://127.0.0.1/healthz', timeoutMs: 1 }, { ok: true, ask: 'http', value: { status: 200, body: 'ok' } }],
    [{ ask: 'lock' }, { ok: true, ask: 'lock', value: { held: false } }],
    [{ ask: 'guard', run: 'r' }, { ok: true, ask: 'guard', value: { state: 'none' } }],
    [{ ask: 'writable', path: '/f' }, { ok: true, ask: 'writable', value: { writable: true, links: 1, freeBytes: 5 } }],
    [{ ask: 'status', unit: 'u' }, { ok: true, ask: 'status', value: { exit: 0, text: 'up since' } }],
    [{ ask: 'processes', exe: 'kubelet' }, { ok: true, ask: 'processes', value: { pids: [1], unreadable: 0 } }],
  ])('$ask is left out', (query, answer) => {
    expect(observedOf(query, answer)).toEqual({ files: {}, directories: {}, units: {}, commandLines: {}, versions: {} });
  });

  it('the pid in the name of a replaced executable', () => {
    const of = (pid: number): Observed => observedOf({ ask: 'version', exe: `/proc/${pid}/exe` }, BASE.version);
    expect(of(12)).toEqual(of(345));
  });
});

describe('whatever a plan may rest on is observed', () => {
  it.each<[string, keyof typeof QUERIES, Answer]>([
    ...['LoadState', 'ActiveState', 'SubState', 'UnitFileState', 'FragmentPath', 'DropInPaths', 'Environment', 'EnvironmentFiles', 'Restart', 'ConsistsOf', 'RequiredBy', 'RequisiteOf', 'BoundBy']
      .map((name): [string, 'unit', Answer] => [name, 'unit', answerOf('unit', unit({ [name]: 'other' }))]),
    ['NeedDaemonReload', 'unit', answerOf('unit', unit({ NeedDaemonReload: 'yes' }))],
    ['words of ExecStart', 'unit', answerOf('unit', unit({ ExecStart: (UNIT.properties['ExecStart'] ?? '').replace('$A', '$B') }))],
    ['the command line', 'unit', answerOf('unit', withProcess({ cmdline: Buffer.from('/usr/bin/kubelet\0--v=3\0') }))],
    ['no unit', 'unit', { ok: false, ask: 'unit', reason: 'failed', detail: '' }],
    ['a byte of a file', 'file', answerOf('file', { ...FILE, bytes: Buffer.from('y') })],
    ['where a link leads', 'file', answerOf('file', { ...FILE, viaLink: true, realPath: '/g' })],
    ['a file that is gone', 'file', answerOf('file', { exists: false })],
    ['a file that is a directory', 'file', answerOf('file', { ...FILE, kind: 'directory' })],
    ['a file that may not be read', 'file', { ok: false, ask: 'file', reason: 'denied', detail: '' }],
    ['a name', 'directory', answerOf('directory', { ...DIRECTORY, entries: DIRECTORY.entries.slice(1) })],
    ['what a name is', 'directory', answerOf('directory', { ...DIRECTORY, entries: [{ path: 'a.conf', kind: 'directory' }, ...DIRECTORY.entries.slice(1)] })],
    ['no directory', 'directory', answerOf('directory', { exists: false })],
    ['a directory that may not be read', 'directory', { ok: false, ask: 'directory', reason: 'denied', detail: '' }],
    ['host name', 'capability', answerOf('capability', { ...NODE, hostname: 'm' })],
    ['kernel', 'capability', answerOf('capability', { ...NODE, kernel: '6.2' })],
    ['systemd', 'capability', answerOf('capability', { ...NODE, systemd: 253 })],
    ['version', 'version', answerOf('version', { text: 'v2' })],
  ])('%s', (_, ask, answer) => {
    expect(observedOf(QUERIES[ask], answer)).not.toEqual(observedOf(QUERIES[ask], BASE[ask]));
  });
});

describe('whole plans', () => {
  const SPECS = [zeroFlagInDropIn, zeroInJson, zeroFlagInEnvironmentFile, zeroInYaml, compliantAl2023, compliantKubeadm];

  it.each(SPECS)('$ailment: an hour and a restart later it is the same plan, and it is small', async (spec) => {
    const clock = createVirtualClock();
    const node = createFakeNode({ name: 'node-1', clock, spec });
    const playbook = await loadRealPlaybook();
    const plan = (): HostPlan => {
      const program = planHost('node-1', playbook, CATALOGUE, 'run-1');
      let next = program.next();
      while (next.done !== true) next = program.next(next.value.map((query) => node.ask(query)));
      return next.value;
    };
    const then = plan();
    node.systemd.restart('kubelet.service');
    clock.advance(3_600_000);
    const now = plan();
    expect(now.observed).toEqual(then.observed);
    const host = { name: 'node-1', address: 'a', port: 22, user: 'root', become: 'none', connectTimeoutMs: 1, labels: {} } as const;
    const digests = [then, now].map((value) => planDigest({ playbook: { name: 'p', file: 'f', text: '', settings: {} }, inventory: { file: 'i', sha256: '' }, connection: { hostKeys: 'strict', concurrency: 1 }, hosts: [{ host, evidence: [], value }] }));
    expect(new Set(digests).size).toBe(1);
    expect(JSON.stringify(then.observed).length).toBeLessThan(4_000);
  });
});
