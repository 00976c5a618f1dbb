/** The playbooks that are shipped load, keep the control's own words, and refuse a timeout that would break the control. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Catalogue, defineProbe, defineStep, type Phase } from '../../src/core/catalogue.js';
import { HOOK_NAMES } from '../../src/core/rollout.js';
import { loadPlaybook } from '../../src/sources/playbook-file.js';
import { errorsOf } from './errors-of.js';

const CONTROL_FILE = 'playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml';
const EXAMPLE_FILE = 'playbooks/example.yaml';
const params = z.record(z.string(), z.unknown());

function anyStep(phase: Phase): Catalogue['steps'][string] {
  return defineStep({
    phase,
    params,
    title: () => '',
    *plan() {
      return { want: 'nothing' as const, reason: '' };
    },
  }) as Catalogue['steps'][string];
}

const kubeletSetting = defineProbe({
  params,
  *audit() {
    return { verdict: 'pass' as const, summary: '', expected: '', actual: '', readings: [], drift: [], notes: [] };
  },
}) as Catalogue['probes'][string];

const CATALOGUE: Catalogue = {
  steps: {
    setKubeletConfig: anyStep('change'),
    removeKubeletFlag: anyStep('change'),
    daemonReload: anyStep('activate'),
    restart: anyStep('activate'),
    status: anyStep('verify'),
    healthy: anyStep('verify'),
  },
  probes: { kubeletSetting },
  findSecrets: () => [],
};

function load(file: string, set: Record<string, string> = {}) {
  return loadPlaybook(file, readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), CATALOGUE, set);
}

describe('the playbook of control 3.2.5', () => {
  it('sets the timeout, removes the flag, restarts once and checks', () => {
    const { parameters, audit, steps } = load(CONTROL_FILE);
    expect(parameters).toEqual({ timeout: '4h0m0s' });
    expect(audit).toEqual({
      probe: 'kubeletSetting',
      params: { unit: 'kubelet.service', key: 'streamingConnectionIdleTimeout', flag: 'streaming-connection-idle-timeout', judge: 'both' },
    });
    expect(steps.map((step) => step.id)).toEqual(['1-setKubeletConfig', '2-removeKubeletFlag', '3-daemonReload', '4-restart', '5-status', '6-healthy']);
    expect(steps[0]?.params).toEqual({ unit: 'kubelet.service', key: 'streamingConnectionIdleTimeout', value: '4h0m0s' });
  });

  it("carries the control's own words", () => {
    const { control } = load(CONTROL_FILE);
    expect(control).toMatchObject({
      id: '3.2.5', level: 1, impact: 'Long-lived connections could be interrupted.',
      title: 'Ensure that the --streaming-connection-idle-timeout argument is not set to 0',
      defaultValue: 'See the Azure AKS documentation for the default value.',
    });
    expect(control.description).toContain('running out of ephemeral ports');
    expect(control.audit).toContain('verify that it is\n  not set to 0.');
    expect(control.audit).toContain('"http://${HOSTNAME_PORT}/api/v1/nodes/${NODE_NAME}/proxy/configz"');
    expect(control.remediation).toContain('    systemctl daemon-reload\n    systemctl restart kubelet.service\n    systemctl status kubelet -l');
  });

  it.each(['0', '0s', '0h0m0s', '-4h', '4', '4H', '1d', '', ' 4h', '0.4ns', '4h0m0s\n'])('--set timeout=%j is refused when it is loaded', (timeout) => {
    expect(errorsOf(() => load(CONTROL_FILE, { timeout }))).toEqual([expect.stringMatching(/^--set timeout=.*: expected a Go duration above zero such as 4h0m0s, got /u)]);
  });

  it('begins with a canary and stops at the first 5% of the run', () => {
    expect(load(CONTROL_FILE).rollout).toEqual({
      waves: [{ unit: 'hosts', count: 1 }, { unit: 'percent', percent: 5 }, { unit: 'percent', percent: 25 }, { unit: 'percent', percent: 100 }],
      within: { unit: 'hosts', count: 50 }, canary: { by: ['pool', 'zone'] }, order: 'inventory', budget: { run: { unit: 'percent', percent: 5 }, per: [] },
      onStop: 'halt', soakMs: 30_000, pauseAfter: 'none', hooks: {},
    });
  });

  it('takes another timeout', () => {
    expect(load(CONTROL_FILE, { timeout: '1h30m' }).steps[0]?.params).toMatchObject({ value: '1h30m' });
  });
});

describe('the example playbook', () => {
  it('is the strict variant that its comments describe', () => {
    const { parameters, audit, steps } = load(EXAMPLE_FILE);
    expect(parameters).toEqual({ timeout: '5m0s' });
    expect(audit.params).toMatchObject({ judge: 'both', minimum: '5m', mustBeExplicit: true, flagForbidden: true });
    expect(steps).toHaveLength(6);
  });

  it('shows every key of a rollout', () => {
    const { rollout } = load(EXAMPLE_FILE);
    expect(Object.keys(rollout).sort()).toEqual(['budget', 'canary', 'gate', 'hooks', 'onStop', 'order', 'pauseAfter', 'soakMs', 'waves', 'window', 'within']);
    expect(Object.keys(rollout.hooks).sort()).toEqual([...HOOK_NAMES].sort());
    expect(rollout.budget.per.map(({ label }) => label)).toEqual(['zone', 'pool']);
  });
});
