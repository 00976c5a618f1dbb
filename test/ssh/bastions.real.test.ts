/** Hosts that can be reached through two jump hosts only, each in a network namespace of its own. */
import { setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { showFindings } from '../../src/cli/show-findings.js';
import { systemClock } from '../../src/cli/system-clock.js';
import type { Finding } from '../../src/core/finding.js';
import type { Host } from '../../src/core/host.js';
import type { Transport } from '../../src/core/ports.js';
import { DEFAULT_STARTS_PER_SECOND } from '../../src/core/ramp.js';
import { rampConnector } from '../../src/engine/ramp.js';
import type { Surveyed } from '../../src/engine/survey-fleet.js';
import { auditFleet } from '../../src/engine/survey-fleet.js';
import { createConnector } from '../../src/host/connector.js';
import { CATALOGUE, loadRealPlaybook } from '../engine/rig.js';
import { createJumpTransport } from './bastion.js';
import type { BastionWorld } from './bastion-world.js';
import { raiseBastionWorld } from './bastion-world.js';
import { createScratch, failureIn, readAll } from './scratch.js';
import type { Scratch } from './scratch.js';

const signal = new AbortController().signal;
setMaxListeners(0, signal);
const FLEET = 300;
/** What an sshd has that nobody configured. */
const DEFAULTS = ['MaxSessions 1', 'MaxStartups 10:30:100', 'LogLevel INFO'];

let scratch: Scratch;
let world: BastionWorld;
beforeEach(async () => {
  scratch = createScratch();
  world = await raiseBastionWorld(scratch, { first: DEFAULTS, second: DEFAULTS, rack: ['LogLevel INFO'] });
});
afterEach(async () => {
  await world.close();
  scratch.remove();
});

function hostAt(index: number): Host {
  const { port, host } = world.servers.rack;
  return { ...host, name: `node-${index}`, address: world.rackAddress(index), port };
}

function transport(pace = 1): Transport {
  const { first, second } = world.servers;
  const user = first.host.user ?? 'root';
  return createJumpTransport({
    scratch, userKey: world.userKey, known: world.known, times: { pace },
    jumps: () => [
      { name: 'gate', address: world.addressOf('first'), port: first.port, user }, { name: 'inner gate', address: world.addressOf('second'), port: second.port, user },
    ],
  });
}

async function audit(overTransport: Transport, onSurveyed: (count: number) => void = () => undefined): Promise<Surveyed<Finding>[]> {
  let count = 0;
  return await auditFleet(Array.from({ length: FLEET }, (_, index) => hostAt(index)), {
    run: 'run-1', connector: rampConnector(createConnector(overTransport), { startsPerSecond: DEFAULT_STARTS_PER_SECOND }, systemClock),
    playbook: await loadRealPlaybook(), catalogue: CATALOGUE, clock: systemClock, concurrency: 32, evidence: 'drop', drain: signal, signal,
    emit: (event) => { if (event.event === 'surveyed') onSurveyed(count += 1); },
  });
}

const silentOf = (surveyed: readonly Surveyed<Finding>[]): string[] => surveyed.flatMap(({ host, failure }) => (failure ? [`${host.name}: ${failure.summary}`] : []));

it('a host that cannot be reached directly is reached through two jump hosts, and sees only the last one', async () => {
  const host = hostAt(0);
  const direct = connect(host.port ?? 22, host.address);
  const code = await new Promise((resolve) => direct.once('connect', () => { resolve('connected'); }).once('error', (error: NodeJS.ErrnoException) => { resolve(error.code); }));
  expect(code).toMatch(/EHOSTUNREACH|ENETUNREACH/);
  const shell = await transport().open(host, 'echo "$SSH_CONNECTION"; echo "${SSH_AUTH_SOCK:-no agent}"', signal);
  shell.stderr.resume();
  expect((await readAll(shell.stdout)).toString()).toMatch(/^10\.63\.1\.3 \d+ 10\.63\.16\.1 \d+\nno agent\n$/);
});

it('300 hosts behind two jump hosts with the limits that sshd comes with: one connection to each, and every host answers', async () => {
  expect(silentOf(await audit(transport()))).toEqual([]);
  expect([world.logins('first'), world.logins('second'), world.logins('rack')]).toEqual([1, 1, FLEET]);
});

it('a jump host that dies in the middle and comes back costs no host: one new connection, and those that were under way are asked again', async () => {
  let killed: Promise<void> | undefined;
  const surveyed = await audit(transport(), (count) => {
    if (count === 40) killed = world.kill('first').then(() => world.beginAgain('first'));
  });
  await killed;
  expect(silentOf(surveyed)).toEqual([]);
  expect([world.logins('first'), world.logins('second')]).toEqual([2, 2]);
});

it('a jump host whose network goes away and comes back costs no host', async () => {
  let cut: Promise<void> | undefined;
  const surveyed = await audit(transport(), (count) => {
    if (count === 40) cut = world.setLink('down').then(() => systemClock.sleep(5_000)).then(() => world.setLink('up'));
  });
  await cut;
  expect(silentOf(surveyed)).toEqual([]);
});

it('a jump host that stays away: every host behind it is unreachable for the same reason, told once', async () => {
  let killed: Promise<void> | undefined;
  const surveyed = await audit(transport(0.02), (count) => {
    if (count === 40) killed = world.kill('second');
  });
  await killed;
  const failures = surveyed.flatMap(({ failure }) => failure ?? []);
  expect(failures.length).toBeGreaterThan(FLEET / 2);
  expect(new Set(failures.map(({ kind }) => kind))).toEqual(new Set(['jumpHost']));
  const text = showFindings(surveyed.map(({ host, value, failure }) => (failure ? { host: host.name, failure } : { host: host.name, finding: value as Finding })), (_style, words) => words);
  expect(text.match(/jump host inner gate/g)).toHaveLength(1);
});

it('the failure of a host behind is its own', async () => {
  const gone = { ...hostAt(0), port: 1 };
  const failure = await failureIn(transport().open(gone, 'true', signal));
  expect(failure).toMatchObject({ kind: 'connectTimeout', summary: '10.63.16.1:1 could not be reached from jump host inner gate (Connection refused)' });
});
