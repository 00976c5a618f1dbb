/** What a playbook may say to each step kind: values that could only do harm are refused when it is loaded. */
import { expect, it } from 'vitest';
import type { StepKind } from '../../src/core/catalogue.js';
import * as steps from '../../src/steps/index.js';

const kinds: Readonly<Record<string, StepKind>> = steps;
const CONFIG = { key: 'streamingConnectionIdleTimeout', value: '4h0m0s' };
const FLAG = { flag: 'streaming-connection-idle-timeout' };
const UNIT = { unit: 'kubelet.service' };

const REFUSED: readonly (readonly [kind: string, params: Record<string, unknown>])[] = [
  ['setKubeletConfig', {}],
  ...['0', '0s', '-4h', '4', '4H', '1d', '', ' 4h', '4h\n', 14400, null].map((value) => ['setKubeletConfig', { ...CONFIG, value }] as const),
  ...['0s', '-5m', '5'].map((minimum) => ['setKubeletConfig', { ...CONFIG, minimum }] as const),
  ['setKubeletConfig', { ...CONFIG, value: '5m', minimum: '6m' }],
  ...['StreamingConnectionIdleTimeout', 'authentication.anonymous', 'a b', '', '__proto__'].map((key) => ['setKubeletConfig', { ...CONFIG, key }] as const),
  ...['', '-', 'v=2', '-v', '---flag', 'Flag', 'flag 0', 'flag\n', '--'].map((flag) => ['removeKubeletFlag', { flag }] as const),
  ...Object.keys(kinds).flatMap((kind) =>
    ['kubelet', '', 'a b.service', '../x.service', '-x.timer', 'kubelet.service\n', 'kube\u001blet.service'].map((unit) => [kind, { ...(kind === 'setKubeletConfig' ? CONFIG : {}), ...(kind === 'removeKubeletFlag' ? FLAG : {}), unit }] as const)),
  ...['0s', '-1s', '4m0.001s', '60', 'soon', 60].flatMap((timeout) => [['restart', { ...UNIT, timeout }], ['daemonReload', { timeout }]] as const),
  ['daemonReload', { timeout: '0.5ms' }],
  ['restart', {}],
  ['status', {}],
  ['healthy', { for: '30s', within: '30s' }],
  ['healthy', { for: '121s' }],
  ['healthy', { within: '24h1s' }],
];

it.each(REFUSED)('%s refuses %j', (kind, params) => {
  expect(kinds[kind]?.params.safeParse(params).success).toBe(false);
});

it.each([
  ['setKubeletConfig', CONFIG, { ...UNIT, ...CONFIG }],
  ['setKubeletConfig', { ...CONFIG, value: '5m', minimum: '300s' }, { ...UNIT, ...CONFIG, value: '5m', minimum: '300s' }],
  ['removeKubeletFlag', { flag: '--streaming_connection_idle-timeout' }, { ...UNIT, ...FLAG }],
  ['daemonReload', {}, { ...UNIT, timeout: 60_000 }],
  ['restart', UNIT, { ...UNIT, timeout: 120_000 }],
  ['restart', { unit: 'snap.kubelet-eks.daemon.service', timeout: '4m' }, { unit: 'snap.kubelet-eks.daemon.service', timeout: 240_000 }],
  ['status', UNIT, UNIT],
  ['healthy', {}, { ...UNIT, for: 30_000, within: 120_000 }],
] as const)('%s takes %j', (kind, params, checked) => {
  expect(kinds[kind]?.params.parse(params)).toEqual(checked);
});
