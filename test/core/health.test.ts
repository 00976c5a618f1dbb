/** When is a service well: one look, and many looks over time. */
import { describe, expect, it } from 'vitest';
import type { HealthCheck, Look, Soak } from '../../src/core/health.js';
import { lookAtHealth, soakOn } from '../../src/core/health.js';
import type { Answer } from '../../src/core/query.js';

const check: HealthCheck = { check: 'healthy', unit: 'kubelet.service', argv: ['kubelet', '--v=2'], healthzUrl: 'http://127.0.0.1:10248/healthz', forMs: 10_000, withinMs: 60_000 };

interface Node { properties?: Record<string, string>; argv?: string; http?: Partial<Extract<Answer, { ask: 'http' }>>; upUs?: number }

function look(node: Node): Look {
  const program = lookAtHealth(check);
  program.next();
  const properties = { ActiveState: 'active', SubState: 'running', MainPID: '7', InvocationID: 'abc', NRestarts: '0', ActiveEnterTimestampMonotonic: '1000000', ...node.properties };
  const process = {
    pid: 7, startTicks: '1', startedAt: 0, cmdline: Buffer.from((node.argv ?? 'kubelet\0--v=2\0')), exe: '/usr/bin/kubelet',
    exeDeleted: false, cwd: '/', cgroup: '', hostNamespaces: true,
  };
  const unit: Answer = { ok: true, ask: 'unit', value: { properties, process, monotonicUs: 1_000_000 + (node.upUs ?? 3_600_000_000) } };
  const http = { ok: true, ask: 'http', value: { status: 200, body: 'ok' }, ...node.http } as Answer;
  const result = program.next([unit, http]);
  if (result.done !== true) throw new Error('one look is one round trip');
  return result.value;
}

describe('one look', () => {
  it.each<[string, Node, Look['state']]>([
    ['a running service with its command line and healthz is well', {}, 'well'],
    ['a failed service is sick', { properties: { ActiveState: 'failed', SubState: 'failed', Result: 'exit-code' } }, 'sick'],
    ['a service that waits for its automatic restart is sick', { properties: { ActiveState: 'activating', SubState: 'auto-restart' } }, 'sick'],
    ['a service that starts is not well yet', { properties: { ActiveState: 'activating', SubState: 'start' } }, 'notYet'],
    ['another command line is not well yet', { argv: 'kubelet\0--v=3\0' }, 'notYet'],
    ['an empty argument counts', { argv: 'kubelet\0--v=2\0\0' }, 'notYet'],
    ['a healthz that refuses is not well yet', { http: { ok: false, reason: 'failed', detail: 'refused' } as never }, 'notYet'],
    ['a healthz of 500 is not well yet', { http: { value: { status: 500, body: '' } } as never }, 'notYet'],
    ['a node without any http client cannot become well by waiting', { http: { ok: false, reason: 'missingTool', detail: '' } as never }, 'sick'],
    ['a service restarted by itself a moment ago may be in a crash loop', { properties: { NRestarts: '3' }, upUs: 2_000_000 }, 'sick'],
    ['a service restarted by itself long ago is well', { properties: { NRestarts: '3' } }, 'well'],
  ])('%s', (_, node, state) => {
    expect(look(node).state).toBe(state);
  });
});

describe('a soak', () => {
  const well = (life: Partial<{ mainPid: string; invocationId: string; restarts: number }> = {}): Look =>
    ({ state: 'well', life: { mainPid: '7', invocationId: 'abc', restarts: 0, ...life } });
  const notYet: Look = { state: 'notYet', why: 'starting' };
  /** One look per second. */
  const soak = (looks: readonly Look[]): string => {
    let state: Soak = { startedMs: 0 };
    for (const [second, one] of looks.entries()) {
      const verdict = soakOn(state, one, check, second * 1000);
      if (verdict.state !== 'waiting') return `${verdict.state} at ${second}${verdict.state === 'sick' ? `: ${verdict.why}` : ''}`;
      state = verdict.soak;
    }
    return 'waiting';
  };
  const times = (count: number, one: Look): Look[] => Array.from({ length: count }, () => one);

  it('ends healthy after the whole unbroken stretch and not before', () => {
    expect(soak(times(11, well()))).toBe('healthy at 10');
    expect(soak(times(10, well()))).toBe('waiting');
  });
  it('starts again after a break', () => {
    expect(soak([...times(9, well()), notYet, ...times(11, well())])).toBe('healthy at 20');
  });
  it('starts again when the process is another one', () => {
    expect(soak([...times(9, well()), ...times(11, well({ mainPid: '8' }))])).toBe('healthy at 19');
    expect(soak([...times(9, well()), ...times(11, well({ invocationId: 'def' }))])).toBe('healthy at 19');
  });
  it('is sick at once when the service was restarted automatically', () => {
    expect(soak([...times(3, well()), well({ restarts: 1, mainPid: '9' })])).toMatch(/^sick at 3/);
  });
  it('is sick at once when waiting cannot help', () => {
    expect(soak([well(), { state: 'sick', why: 'failed' }])).toBe('sick at 1: failed');
  });
  it('has a finite end', () => {
    expect(soak(times(100, notYet))).toBe('sick at 60: starting (after 60 s)');
    expect(soak(Array.from({ length: 100 }, (_, index) => (index % 5 === 0 ? notYet : well())))).toMatch(/^sick at 60/);
  });
});
