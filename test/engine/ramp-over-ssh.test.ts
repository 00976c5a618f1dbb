/** 500 SSH servers on loopback behind one limit like sshd's MaxStartups 10:30:60, audited over real connections: all of them answer. */
import { setMaxListeners } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.js';
import { DEFAULT_STARTS_PER_SECOND } from '../../src/core/ramp.js';
import { rampConnector } from '../../src/engine/ramp.js';
import { auditFleet } from '../../src/engine/survey-fleet.js';
import { createConnector } from '../../src/host/connector.js';
import { parseInventory } from '../../src/sources/inventory-file.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import type { Door } from '../demo/embedded-fleet.js';
import { startEmbeddedFleet } from '../demo/embedded-fleet.js';
import { isDropped, MAX_STARTUPS_10_30_60 } from '../fake/fake-sshd.js';
import { zeroFlagInDropIn } from '../fake/layouts.js';
import { CATALOGUE, loadRealPlaybook } from './rig.js';

const HOSTS = 500;

it('500 hosts behind one limit of 10:30:60 all answer', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fleetmend-ramp-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  let startups = 0;
  let dropped = 0;
  const door: Door = () => {
    if (isDropped(MAX_STARTUPS_10_30_60, startups, Math.random())) {
      dropped += 1;
      return undefined;
    }
    startups += 1;
    return () => {
      startups -= 1;
    };
  };
  const members = Array.from({ length: HOSTS }, (_, index) => ({ name: `node-${index + 1}`, spec: zeroFlagInDropIn, pool: 'pool-a' }));
  const fleet = await startEmbeddedFleet(directory, members, door);
  onTestFinished(() => fleet.stop());
  const transport = createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [fleet.knownHostsPath], defaultIdentityFiles: [] });
  const connector = rampConnector(createConnector(transport), { startsPerSecond: DEFAULT_STARTS_PER_SECOND }, systemClock);
  const hosts = parseInventory(fleet.inventoryPath, await readFile(fleet.inventoryPath, 'utf8'), { home: directory });
  const never = new AbortController().signal;
  setMaxListeners(0, never);
  const surveyed = await auditFleet(hosts, {
    run: 'run-1', connector, playbook: await loadRealPlaybook(), catalogue: CATALOGUE, clock: systemClock, emit: () => undefined,
    concurrency: 64, evidence: 'drop', drain: never, signal: never,
  });
  expect(surveyed.flatMap(({ host, failure }) => (failure === undefined ? [] : [`${host.name}: ${failure.summary}`]))).toEqual([]);
  expect(surveyed.map(({ value }) => value?.verdict)).toEqual(Array.from({ length: HOSTS }, () => 'fail'));
  expect(dropped, 'the limit was met').toBeGreaterThan(0);
}, 300_000);
