/** Every layout is a node whose kubelet starts, and every ailment is really there. */
import { expect, test } from 'vitest';
import { splitCommandLine } from '../../src/core/bytes.js';
import { createFakeNode, type FakeNode } from './fake-node.js';
import {
  compliantAl2023, compliantKubeadm, diesWithNewValue, zeroFlagInDropIn, zeroFlagInEnvironmentFile, zeroInJson, zeroInYaml, type NodeSpec,
} from './layouts.js';
import { createVirtualClock } from './virtual-clock.js';

function make(spec: NodeSpec): FakeNode {
  return createFakeNode({ name: 'node-1', clock: createVirtualClock(), spec });
}

function commandLine(node: FakeNode): string[] {
  const answer = node.ask({ ask: 'unit', unit: node.unit });
  return answer.ok && answer.ask === 'unit' && answer.value.process ? splitCommandLine(answer.value.process.cmdline) : [];
}

const configOf = (node: FakeNode, spec: NodeSpec): string => Buffer.from(node.files.read(spec.layout.configPath) ?? []).toString();

test.each([compliantAl2023, compliantKubeadm, zeroFlagInDropIn, zeroInJson, zeroFlagInEnvironmentFile, zeroInYaml, diesWithNewValue])('$ailment: the kubelet is up', (spec) => {
  const node = make(spec);
  expect(node.ask({ ask: 'http', url: 'http://127.0.0.1:10248/healthz', timeoutMs: 1000 })).toMatchObject({ ok: true, value: { status: 200, body: 'ok' } });
  expect(node.ask({ ask: 'unit', unit: node.unit })).toMatchObject({ value: { properties: { NeedDaemonReload: 'no', NRestarts: '0', Result: 'success' } } });
  expect(commandLine(node)).toContainEqual(expect.stringMatching(/config/));
});

test.each([zeroFlagInDropIn, zeroFlagInEnvironmentFile])('$ailment: the zero is on the command line', (spec) => {
  expect(commandLine(make(spec))).toContain('--streaming-connection-idle-timeout=0');
});

test.each([zeroInJson, zeroInYaml, diesWithNewValue])('$ailment: the zero is in the file and not on the command line', (spec) => {
  const node = make(spec);
  expect(configOf(node, spec)).toMatch(/"?streamingConnectionIdleTimeout"?: "?0s"?/);
  expect(commandLine(node).join(' ')).not.toContain('streaming');
});

test('the node that does not bear the new value runs with the old one, dies with the new one and runs again with the old one', () => {
  const clock = createVirtualClock();
  const node = createFakeNode({ name: 'node-1', clock, spec: diesWithNewValue });
  const path = diesWithNewValue.layout.configPath;
  const old = configOf(node, diesWithNewValue);
  const stateAfter = (text: string): unknown => {
    node.files.overwrite(path, text);
    node.systemd.resetFailed(node.unit);
    node.systemd.restart(node.unit);
    clock.advance(2_000);
    const answer = node.ask({ ask: 'unit', unit: node.unit });
    return answer.ok && answer.ask === 'unit' ? answer.value.properties['SubState'] : undefined;
  };
  expect(stateAfter(old.replace('"0s"', '"4h0m0s"'))).toBe('auto-restart');
  expect(stateAfter(old)).toBe('running');
});
