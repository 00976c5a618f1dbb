/** The fake service manager repeats what was measured on a real one (kubelet.md 1, items 13 to 17, and 4.6). */
import { describe, expect, test } from 'vitest';
import { splitCommandLine } from '../../src/core/bytes.js';
import type { Answer } from '../../src/core/query.js';
import { createFakeNode, type FakeNode, type FakeNodeOptions } from './fake-node.js';
import { aks, aksEnvironment, eksAl2, jsonConfig, zeroFlagInDropIn } from './layouts.js';
import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

const DROP_IN = '/etc/systemd/system/kubelet.service.d/10-kubelet-args.conf';
const HEALTHZ = { ask: 'http', url: 'http://127.0.0.1:10248/healthz', timeoutMs: 1000 } as const;

function makeNode(more: Partial<FakeNodeOptions> = {}): { node: FakeNode; clock: VirtualClock } {
  const clock = createVirtualClock();
  return { node: createFakeNode({ name: 'node-1', clock, spec: { layout: eksAl2, ailment: '' }, ...more }), clock };
}

function properties(node: FakeNode): Readonly<Record<string, string>> {
  const answer: Answer = node.ask({ ask: 'unit', unit: 'kubelet.service' });
  if (answer.ask !== 'unit' || !answer.ok) throw new Error('no unit');
  return answer.value.properties;
}

function commandLine(node: FakeNode): string[] {
  const answer: Answer = node.ask({ ask: 'unit', unit: 'kubelet.service' });
  if (answer.ask !== 'unit' || !answer.ok || answer.value.process === undefined) return [];
  return splitCommandLine(answer.value.process.cmdline);
}

describe('a service of Type=simple', () => {
  test('runs its predicted command line and serves healthz', () => {
    const { node } = makeNode();
    expect(properties(node)).toMatchObject({ ActiveState: 'active', SubState: 'running', NRestarts: '0', LoadState: 'loaded' });
    expect(commandLine(node)).toContain('--node-ip=10.0.7.21');
    expect(node.ask(HEALTHZ)).toMatchObject({ ok: true, value: { status: 200 } });
  });

  test('reports success of a restart although the process dies at once', () => {
    const { node, clock } = makeNode();
    node.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: 0 }));
    expect(node.systemd.restart('kubelet.service').exit).toBe(0);
    clock.advance(100);
    expect(properties(node)).toMatchObject({ ActiveState: 'activating', SubState: 'auto-restart', MainPID: '0', ExecMainStatus: '1' });
    expect(node.ask(HEALTHZ)).toMatchObject({ ok: false });
  });

  test('reports success of a restart although the binary is missing', () => {
    const { node } = makeNode();
    node.files.remove('/usr/bin/kubelet');
    expect(node.systemd.restart('kubelet.service').exit).toBe(0);
    expect(properties(node)).toMatchObject({ SubState: 'auto-restart', ExecMainStatus: '203' });
  });

  test('is restarted by itself after RestartSec and counts it', () => {
    const { node, clock } = makeNode({ faults: [{ kind: 'dieAfterMs', ms: 2000, whenTimeout: '5m0s' }] });
    node.files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '5m' }));
    node.systemd.restart('kubelet.service');
    const first = properties(node);
    clock.advance(2500);
    expect(properties(node)['SubState']).toBe('auto-restart');
    clock.advance(5000);
    expect(properties(node)).toMatchObject({ ActiveState: 'active', NRestarts: '1' });
    expect(properties(node)['InvocationID']).not.toBe(first['InvocationID']);
    expect(properties(node)['MainPID']).not.toBe(first['MainPID']);
  });

  test('refuses the sixth start within ten seconds and is then failed; reset-failed clears it', () => {
    const { node } = makeNode();
    const exits = Array.from({ length: 6 }, () => node.systemd.restart('kubelet.service').exit);
    expect(exits).toEqual([0, 0, 0, 0, 0, 1]);
    expect(properties(node)).toMatchObject({ ActiveState: 'failed', Result: 'start-limit-hit', MainPID: '0' });
    expect(node.systemd.resetFailed('kubelet.service').exit).toBe(0);
    expect(node.systemd.restart('kubelet.service').exit).toBe(0);
    expect(properties(node)['ActiveState']).toBe('active');
  });

  test('allows a sixth start when the window has passed', () => {
    const { node, clock } = makeNode();
    for (let n = 0; n < 5; n += 1) node.systemd.restart('kubelet.service');
    clock.advance(10_001);
    expect(node.systemd.restart('kubelet.service').exit).toBe(0);
  });

  test('that has no unit file exits 5 on restart and shows LoadState not-found', () => {
    const { node } = makeNode();
    expect(node.systemd.restart('nosuch.service').exit).toBe(5);
    expect(node.ask({ ask: 'unit', unit: 'nosuch.service' })).toMatchObject({ ok: true, value: { properties: { LoadState: 'not-found' } } });
    expect(node.ask({ ask: 'status', unit: 'nosuch.service' })).toMatchObject({ ok: true, value: { exit: 4 } });
  });
});

describe('the loaded snapshot', () => {
  test('an edited drop-in needs a daemon-reload, and a restart without it keeps the old command line', () => {
    const { node, clock } = makeNode({ spec: zeroFlagInDropIn });
    expect(properties(node)['NeedDaemonReload']).toBe('no');
    clock.advance(1000);
    node.files.overwrite(DROP_IN, '[Service]\nEnvironment=KUBELET_ARGS=--v=3\n');
    expect(properties(node)['NeedDaemonReload']).toBe('yes');
    node.systemd.restart('kubelet.service');
    expect(commandLine(node)).toContain('--streaming-connection-idle-timeout=0');
    node.systemd.daemonReload();
    expect(properties(node)['NeedDaemonReload']).toBe('no');
    node.systemd.restart('kubelet.service');
    expect(commandLine(node)).toContain('--v=3');
    expect(commandLine(node)).not.toContain('--streaming-connection-idle-timeout=0');
  });

  test('an environment file is read at the start and needs no daemon-reload', () => {
    const { node, clock } = makeNode({ spec: { layout: aks, ailment: '' } });
    clock.advance(1000);
    node.files.overwrite('/etc/default/kubelet', Buffer.from('KUBELET_FLAGS=--max-pods=30\n'));
    expect(properties(node)['NeedDaemonReload']).toBe('no');
    node.systemd.restart('kubelet.service');
    expect(commandLine(node)).toContain('--max-pods=30');
    expect(aksEnvironment()).toMatchObject({ mode: 0o600 });
  });

  test('a missing environment file without a dash makes the start fail', () => {
    const { node } = makeNode({ spec: { layout: aks, ailment: '' } });
    node.files.remove('/etc/default/kubelet');
    expect(node.systemd.restart('kubelet.service').exit).toBe(1);
    expect(properties(node)).toMatchObject({ ActiveState: 'failed', Result: 'resources' });
  });

  test('drop-ins: by name over all directories, /etc before /usr/lib, service.d sorted in, only *.conf', () => {
    const { node } = makeNode({
      files: {
        '/usr/lib/systemd/system/kubelet.service.d/10-kubelet-args.conf': '[Service]\n',
        '/usr/lib/systemd/system/kubelet.service.d/05-vendor.conf': '[Service]\n',
        '/etc/systemd/system/service.d/20-all.conf': '[Service]\n',
        '/etc/systemd/system/kubelet.service.d/11-old.conf.bak': '[Service]\n',
        '/etc/systemd/system/kubelet.service.d/12-masked.conf': { link: '/dev/null' },
      },
    });
    expect(properties(node)['DropInPaths']?.split(' ')).toEqual([
      '/usr/lib/systemd/system/kubelet.service.d/05-vendor.conf',
      DROP_IN,
      '/etc/systemd/system/kubelet.service.d/12-masked.conf',
      '/etc/systemd/system/service.d/20-all.conf',
      '/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf',
    ]);
  });
});

describe('the fake kubelet', () => {
  test.each([
    ['a fault bound to a value spares every other value', [{ kind: 'refuse', whenTimeout: '4h0m0s' }], 'absent', 'running'],
    ['a refusal ends the process with 1', [{ kind: 'refuse' }], 'absent', 'auto-restart'],
  ] as const)('%s', (_name, faults, _value, subState) => {
    const { node, clock } = makeNode({ faults });
    clock.advance(10);
    node.systemd.restart('kubelet.service');
    clock.advance(100);
    expect(properties(node)['SubState']).toBe(subState);
  });

  test('that never gets healthy is active but does not answer 200', () => {
    const { node } = makeNode({ faults: [{ kind: 'neverHealthy' }] });
    expect(properties(node)['ActiveState']).toBe('active');
    expect(node.ask(HEALTHZ)).toMatchObject({ ok: true, value: { status: 500 } });
  });

  test('serves no healthz when its port is 0, and another port when the file says so', () => {
    const off = makeNode({ files: { [eksAl2.configPath]: jsonConfig({ healthzPort: 0 }) } }).node;
    expect(off.ask(HEALTHZ)).toMatchObject({ ok: false });
    const moved = makeNode({ files: { [eksAl2.configPath]: jsonConfig({ healthzPort: 10250 }) } }).node;
    expect(moved.ask({ ...HEALTHZ, url: 'http://127.0.0.1:10250/healthz' })).toMatchObject({ ok: true, value: { status: 200 } });
  });
});
