/** No host fails because of our own haste, and none that is in trouble by itself holds up the others. Virtual time. */
import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/core/failure.js';
import { failureOf } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import { DEFAULT_STARTS_PER_SECOND } from '../../src/core/ramp.js';
import type { Connector } from '../../src/core/ports.js';
import { mapLimited } from '../../src/engine/limit.js';
import { rampConnector } from '../../src/engine/ramp.js';
import { COME_BACK, FIRST_CONTACT, reach, TAKE_UP } from '../../src/engine/reach.js';
import type { FakeSshdOptions, Trouble } from '../fake/fake-sshd.js';
import { createFakeSshd, MAX_STARTUPS_10_30_60 } from '../fake/fake-sshd.js';
import { createVirtualClock } from '../fake/virtual-clock.js';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);
/** What is done on a host once it is reached. */
const WORK_MS = 300;

interface Fleet extends Omit<FakeSshdOptions, 'clock' | 'random' | 'trouble'> {
  readonly hosts?: number;
  readonly concurrency?: number;
  readonly startsPerSecond?: number;
  readonly seed?: number;
  readonly trouble?: (index: number, nowMs: number) => Trouble | undefined;
  readonly abortAtMs?: number;
  readonly drainAtMs?: number;
}

interface Visited {
  readonly index: number;
  readonly atMs: number;
  readonly failure?: FailureKind;
}

/** Visits every host once as a survey does it. */
async function visitAll(fleet: Fleet) {
  const clock = createVirtualClock();
  const { trouble } = fleet;
  const sshd = createFakeSshd({
    clock, random: randomFrom(fleet.seed ?? 1), ...fleet,
    trouble: trouble === undefined ? () => undefined : (host, nowMs) => trouble(Number(host.name), nowMs),
  });
  const connector = rampConnector(sshd.connector, { startsPerSecond: fleet.startsPerSecond ?? DEFAULT_STARTS_PER_SECOND }, clock);
  const [stop, drain] = [new AbortController(), new AbortController()];
  setMaxListeners(0, stop.signal, drain.signal);
  if (fleet.abortAtMs !== undefined) void clock.sleep(fleet.abortAtMs).then(() => { stop.abort(); });
  if (fleet.drainAtMs !== undefined) void clock.sleep(fleet.drainAtMs).then(() => { drain.abort(); });
  const waits = { clock, signal: stop.signal, drain: drain.signal };
  const hosts = Array.from({ length: fleet.hosts ?? 500 }, (_, index) => hostOf(index));
  const visited = await mapLimited(hosts, fleet.concurrency ?? 64, async (host): Promise<Visited> => {
    const index = Number(host.name);
    try {
      await reach(host, () => connector.openToRead(host, stop.signal), FIRST_CONTACT, waits);
      await clock.sleep(WORK_MS, stop.signal);
      return { index, atMs: clock.monotonicMs() };
    } catch (thrown) {
      return { index, atMs: clock.monotonicMs(), failure: failureOf(thrown).kind };
    }
  });
  return { visited, sshd, failed: visited.filter(({ failure }) => failure !== undefined) };
}

function hostOf(index: number): Host {
  return { name: String(index), address: '10.0.0.1', port: 22, user: 'root', become: 'none', connectTimeoutMs: 10_000, labels: {} };
}

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function endOf(visited: readonly Visited[]): number {
  return Math.max(...visited.map(({ atMs }) => atMs));
}

describe('500 hosts behind one sshd with MaxStartups 10:30:60', () => {
  it.each([64, 200, 1000])('are all done, none failed, %d at once', async (concurrency) => {
    for (const seed of SEEDS) {
      const { failed, visited, sshd } = await visitAll({ maxStartups: MAX_STARTUPS_10_30_60, concurrency, seed });
      expect(failed, `seed ${seed}`).toEqual([]);
      expect(sshd.dropped(), 'the limit was met').toBeGreaterThan(0);
      // Whoever meets the limit keeps others out as well: without the back-off it is met 240 to 550 times.
      expect(sshd.dropped(), `seed ${seed}`).toBeLessThan(80);
      expect(endOf(visited), `seed ${seed}`).toBeLessThan(60_000);
    }
  });
  it('are all done, and 4500 more, by somebody who asks for a thousand a second', async () => {
    const { failed } = await visitAll({ maxStartups: MAX_STARTUPS_10_30_60, hosts: 5_000, concurrency: 1_000, startsPerSecond: 1_000 });
    expect(failed).toEqual([]);
  });
  it('are all done although every tenth is dead, and the dead are tried once', async () => {
    const { failed, sshd } = await visitAll({ maxStartups: MAX_STARTUPS_10_30_60, trouble: (index) => (index % 10 === 0 ? 'dead' : undefined) });
    expect(failed.map(({ index, failure }) => [index % 10, failure])).toEqual(Array.from({ length: 50 }, () => [0, 'connectTimeout']));
    expect(Math.max(...failed.map(({ index }) => sshd.tries.get(String(index)) ?? 0))).toBe(1);
  });
});

describe('a host in trouble of its own', () => {
  it('that always drops is given up after six tries, and costs 499 good ones less than 1 s', async () => {
    const { visited: well } = await visitAll({});
    const { visited, failed, sshd } = await visitAll({ trouble: (index) => (index === 7 ? 'drops' : undefined) });
    expect(failed).toMatchObject([{ index: 7, failure: 'lostBeforeHandshake' }]);
    expect(sshd.tries.get('7')).toBe(6);
    expect(failed[0]?.atMs).toBeLessThan(110_000);
    expect(endOf(visited.filter(({ index }) => index !== 7)) - endOf(well)).toBeLessThan(1_000);
  });
  it('ten percent that are dead cost the others no more than their own time limit and a little', async () => {
    const { visited: well } = await visitAll({});
    const { visited, failed } = await visitAll({ trouble: (index) => (index % 10 === 3 ? 'dead' : undefined) });
    expect(failed).toHaveLength(50);
    expect(endOf(visited.filter(({ failure }) => failure === undefined)) - endOf(well)).toBeLessThan(15_000);
  });
  it('ten percent that always drop make no other one fail, and cost the others less than 10 s', async () => {
    const { visited: well } = await visitAll({ concurrency: 200 });
    const { visited, failed } = await visitAll({ concurrency: 200, trouble: (index) => (index % 10 === 3 ? 'drops' : undefined) });
    expect(failed.every(({ index }) => index % 10 === 3)).toBe(true);
    expect(failed).toHaveLength(50);
    expect(endOf(visited.filter(({ failure }) => failure === undefined)) - endOf(well)).toBeLessThan(10_000);
  });
});

describe('a server that turns everybody away', () => {
  it.each([5_000, 20_000, 45_000])('for the first %d ms and is well then: all are done', async (badMs) => {
    for (const concurrency of [16, 64, 200]) {
      const { failed } = await visitAll({ hosts: 200, concurrency, trouble: (_index, nowMs) => (nowMs < badMs ? 'drops' : undefined) });
      expect(failed, `${concurrency} at once`).toEqual([]);
    }
  });
  it('for good: every host has its six tries and ends', async () => {
    const { failed, sshd } = await visitAll({ hosts: 24, trouble: () => 'drops' });
    expect(failed).toHaveLength(24);
    expect([...sshd.tries.values()]).toEqual(Array.from({ length: 24 }, () => 6));
  });
  it('because of failed logins (PerSourcePenalties): the others are done, and a refused login is never repeated', async () => {
    const { failed, sshd } = await visitAll({
      maxStartups: MAX_STARTUPS_10_30_60, penalty: { failedLogins: 5, forMs: 26_000 },
      trouble: (index) => (index < 10 ? 'refusesKey' : undefined),
    });
    expect(failed.map(({ index, failure }) => [index, failure])).toEqual(Array.from({ length: 10 }, (_, index) => [index, 'authentication']));
    expect(sshd.dropped()).toBeGreaterThan(0);
  });
});

describe('the pace', () => {
  it('is free for the first 32 hosts', async () => {
    const { sshd } = await visitAll({ hosts: 32 });
    expect(new Set(sshd.startedAtMs)).toEqual(new Set([0]));
  });
  it('is never faster than asked for, beyond the burst', async () => {
    const { sshd } = await visitAll({ hosts: 60, startsPerSecond: 5 });
    for (const [index, startedMs] of sshd.startedAtMs.entries()) expect(startedMs).toBeGreaterThanOrEqual(((index + 1 - 5) * 1_000) / 5 - 1);
  });
  it('lets hosts that were written to go ahead of the queue: they may be in the middle', async () => {
    const clock = createVirtualClock();
    const order: string[] = [];
    const open = (host: Host): Promise<never> => {
      order.push(host.name);
      return Promise.resolve({} as never);
    };
    const connector: Connector = rampConnector({ openToRead: open, openToWrite: open }, { startsPerSecond: 1 }, clock);
    const { signal } = new AbortController();
    await connector.openToWrite(hostOf(1), signal);
    await Promise.all([connector.openToRead(hostOf(2), signal), connector.openToRead(hostOf(3), signal), connector.openToWrite(hostOf(1), signal)]);
    expect(order).toEqual(['1', '1', '2', '3']);
  });
});

describe('an end in the middle', () => {
  it('by abort: every wait ends at once, and no further connection is started', async () => {
    const { visited, sshd } = await visitAll({ maxStartups: MAX_STARTUPS_10_30_60, abortAtMs: 3_000 });
    expect(visited.filter(({ failure }) => failure === undefined).length).toBeGreaterThan(0);
    expect(endOf(visited)).toBe(3_000);
    expect(Math.max(...sshd.startedAtMs)).toBeLessThanOrEqual(3_000);
  });
  it('by abort at a slow pace: those that wait for their turn end at once too', async () => {
    const { visited } = await visitAll({ hosts: 50, concurrency: 50, startsPerSecond: 1, abortAtMs: 2_500 });
    expect(endOf(visited)).toBe(2_500);
    expect(visited.filter(({ failure }) => failure === 'interrupted').length).toBeGreaterThan(40);
  });
  it('by a drain: a host that was turned away is not waited for', async () => {
    const { visited } = await visitAll({ hosts: 8, trouble: () => 'drops', drainAtMs: 1_000 });
    expect(endOf(visited)).toBe(1_000);
    expect(new Set(visited.map(({ failure }) => failure))).toEqual(new Set(['lostBeforeHandshake']));
  });
});

describe('patience', () => {
  const triesOf = async (kind: FailureKind, patience: typeof FIRST_CONTACT): Promise<number> => {
    const { FleetmendError } = await import('../../src/core/failure.js');
    let tries = 0;
    const open = (): Promise<never> => {
      tries += 1;
      return Promise.reject(new FleetmendError({ kind, summary: kind }));
    };
    await reach(hostOf(1), open, patience, { clock: createVirtualClock(), signal: new AbortController().signal }).catch(() => undefined);
    return tries;
  };
  it.each([
    ['authentication', 1, 1, 1], ['hostKeyChanged', 1, 1, 1], ['hostKeyUnknown', 1, 1, 1], ['hostKeyRevoked', 1, 1, 1], ['rootRefused', 1, 1, 1],
    ['lostBeforeHandshake', 6, 7, 7], ['handshakeTimeout', 2, 7, 7], ['dns', 1, 7, 2], ['connectTimeout', 1, 7, 7], ['refusedConnection', 1, 7, 7],
    ['jumpHost', 2, 7, 7],
  ] as const)('%s: %d tries at first contact, %d for a host in our hands, %d for one that was left untouched', async (kind, first, back, takenUp) => {
    expect([await triesOf(kind, FIRST_CONTACT), await triesOf(kind, COME_BACK), await triesOf(kind, TAKE_UP)]).toEqual([first, back, takenUp]);
  });
});
