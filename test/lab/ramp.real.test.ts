/** 500 names of one real sshd with MaxStartups 10:30:60 (OpenSSH of the lab: without PerSourcePenalties): every audit is answered. */
import { setMaxListeners } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.js';
import { failureOf } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { Connector } from '../../src/core/ports.js';
import { DEFAULT_STARTS_PER_SECOND } from '../../src/core/ramp.js';
import { rampConnector } from '../../src/engine/ramp.js';
import { auditFleet } from '../../src/engine/survey-fleet.js';
import { createConnector } from '../../src/host/connector.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import { CATALOGUE, loadRealPlaybook } from '../engine/rig.js';
import { arrange } from './arrange.js';
import { createLab } from './lab.js';
import type { Lab } from './lab.js';

const NAMES = 500;

let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ prefix: 'rmp', subnet: '10.91.0.0/16', nodes: ['gate'] });
  await arrange(lab.node('gate'), 'flag-dropin');
  await lab.node('gate').mustExec("sed -i '/MaxStartups/d' /etc/ssh/sshd_config.d/lab.conf; echo 'MaxStartups 10:30:60' >>/etc/ssh/sshd_config.d/lab.conf; systemctl reload ssh");
});

afterAll(async () => {
  await lab.destroy();
});

it('500 names behind one sshd with MaxStartups 10:30:60 are all audited', async () => {
  const node = lab.node('gate');
  expect(await node.mustExec('sshd -T | grep -i ^maxstartups')).toContain('10:30:60');
  const transport = createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [lab.knownHostsFile], defaultIdentityFiles: [lab.keyFile] });
  const { connector, dropped } = counting(createConnector(transport));
  const ramped = rampConnector(connector, { startsPerSecond: DEFAULT_STARTS_PER_SECOND }, systemClock);
  const never = new AbortController().signal;
  setMaxListeners(0, never);
  const hosts = Array.from({ length: NAMES }, (_, index): Host => (
    { name: `name-${index + 1}`, address: node.address, port: node.port, user: 'root', become: 'none', connectTimeoutMs: 10_000, labels: {} }));
  const surveyed = await auditFleet(hosts, {
    run: 'run-1', connector: ramped, playbook: await loadRealPlaybook(), catalogue: CATALOGUE, clock: systemClock, emit: () => undefined,
    concurrency: 64, evidence: 'drop', drain: never, signal: never,
  });
  expect(surveyed.flatMap(({ host, failure }) => (failure === undefined ? [] : [`${host.name}: ${failure.summary}`]))).toEqual([]);
  expect(surveyed.every(({ value }) => value?.verdict === 'fail')).toBe(true);
  expect(dropped(), 'the limit was met').toBeGreaterThan(0);
}, 600_000);

/** How often sshd turned us away. */
function counting(inner: Connector): { readonly connector: Connector; dropped(): number } {
  let dropped = 0;
  const openToRead: Connector['openToRead'] = async (host, signal) => {
    try {
      return await inner.openToRead(host, signal);
    } catch (thrown) {
      if (failureOf(thrown).kind === 'lostBeforeHandshake') dropped += 1;
      throw thrown;
    }
  };
  return { connector: { ...inner, openToRead }, dropped: () => dropped };
}
