/** A jump host that takes visits with it: what is asked again, what is not, and what people read of it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { showFindings } from '../../src/cli/show-findings.js';
import { showResults } from '../../src/cli/show-results.js';
import type { Failure } from '../../src/core/failure.js';
import type { Playbook } from '../../src/core/playbook.js';
import { applyFleet } from '../../src/engine/apply-fleet.js';
import { lookAtLocks } from '../../src/engine/break-locks.js';
import { auditFleet } from '../../src/engine/survey-fleet.js';
import { linesOf } from '../../src/reporters/lines.js';
import type { ConnectorFaults, Interruption } from '../fake/fake-connector.js';
import type { FakeNode } from '../fake/fake-node.js';
import { zeroFlagInDropIn } from '../fake/layouts.js';
import { prepareCrashRun } from './crash-rig.js';
import type { Controller } from './rig.js';
import { createRig, imageOf, loadRealPlaybook, restartsOf } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const LOST: Failure = { kind: 'jumpHost', summary: 'jump host gate: the connection to 10.0.0.1:22 was lost (ECONNRESET)', next: 'look after it' };
const lost: Interruption = { kind: 'reject', failure: LOST };
const FLEET = Array.from({ length: 5 }, () => zeroFlagInDropIn);

function opensOf(rig: ReturnType<typeof createRig>): number {
  return rig.connector.operations.filter(({ op }) => op === 'openToRead').length;
}

describe('a survey', () => {
  it('asks each host that lost its visit to a jump host once more, from its beginning, and keeps the evidence of that visit alone', async () => {
    const rig = createRig(FLEET, { playbook, faults: { beforeAsk: (n) => (n > 5 && n <= 10 ? lost : undefined) } });
    const undisturbed = createRig(FLEET, { playbook });
    const surveyed = await auditFleet(rig.hosts, rig.ports);
    expect(surveyed.map(({ value, failure }) => failure?.summary ?? value?.verdict)).toEqual(FLEET.map(() => 'fail'));
    expect(surveyed.map(({ evidence }) => evidence.length)).toEqual((await auditFleet(undisturbed.hosts, undisturbed.ports)).map(({ evidence }) => evidence.length));
    expect([opensOf(rig), rig.connector.openSessions()]).toEqual([10, 0]);
  });

  it('asks once more, not for ever: the host is then unreachable for that reason', async () => {
    const rig = createRig(FLEET, { playbook, faults: { beforeAsk: () => lost } });
    const surveyed = await auditFleet(rig.hosts, rig.ports);
    expect(surveyed.map(({ failure }) => failure)).toEqual(FLEET.map(() => LOST));
    expect([opensOf(rig), rig.connector.openSessions()]).toEqual([10, 0]);
  });

  it('asks nothing again for a loss of the host itself, nor when no more is to be begun', async () => {
    const own: Failure = { kind: 'connectionLost', summary: 'the connection was lost' };
    const rig = createRig(FLEET, { playbook, faults: { beforeAsk: () => ({ kind: 'reject', failure: own }) } });
    await auditFleet(rig.hosts, rig.ports);
    expect(opensOf(rig)).toBe(5);
    const drain = new AbortController();
    const drained = createRig(FLEET, {
      playbook, drain: drain.signal,
      faults: { beforeAsk: () => { drain.abort(); return lost; } },
    });
    await auditFleet(drained.hosts, drained.ports);
    expect(opensOf(drained)).toBe(5);
  });
});

it('a host that lost its writing visit to a jump host is mended all the same: what was asked last is performed again', async () => {
  let interrupted = 0;
  const rig = createRig([zeroFlagInDropIn], {
    playbook,
    faults: {
      afterEffect: (_n, _host, effect) => {
        if (effect.do !== 'edit' || interrupted > 0) return undefined;
        interrupted += 1;
        return lost;
      },
    },
  });
  const [result] = await rig.apply();
  expect([result?.outcome, result?.failure, interrupted]).toEqual(['changed', undefined, 1]);
  expect(restartsOf(rig, 'node-1')).toBe(1);
  expect(await rig.audit()).toEqual(['pass']);
});

describe('a writing visit that a jump host took with it before anything was touched', () => {
  /** Each host's first `times` visits end at the first question about its state, after the lock. */
  const carriedOff = (times: number): ConnectorFaults => {
    const lostOf = new Map<string, number>();
    return {
      beforeAsk: (_n, host, queries) => {
        const before = lostOf.get(host.name) ?? 0;
        if (queries.some(({ ask }) => ask === 'lock') || before >= times) return undefined;
        lostOf.set(host.name, before + 1);
        return { kind: 'connectionLost', why: LOST };
      },
    };
  };
  const visitsOf = ({ connector }: Controller): number => connector.operations.filter(({ op }) => op === 'openToWrite').length;

  it('is made once more by an apply: neither its canary nor its rollout stops', async () => {
    const rig = createRig([zeroFlagInDropIn, zeroFlagInDropIn], { playbook });
    const controller = rig.controller(carriedOff(1));
    const { results, stop } = await applyFleet(await rig.plan(), { ...rig.ports, connector: controller.connector, policy: { ...rig.ports.policy, canary: { by: [] } } });
    expect([results.map(({ outcome }) => outcome), stop, controller.connector.openSessions()]).toEqual([['changed', 'changed'], undefined, 0]);
  });

  it('is made once more, not for ever: the host is then unreachable for that reason, and as it was', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const planned = await rig.plan();
    const before = imageOf(rig.nodes[0] as FakeNode, true);
    const controller = rig.controller(carriedOff(2));
    const { results } = await applyFleet(planned, { ...rig.ports, connector: controller.connector });
    expect(results).toMatchObject([{ outcome: 'unreachable', failure: LOST }]);
    expect(imageOf(rig.nodes[0] as FakeNode, true)).toEqual(before);
  });

  it('is made once more by an undo', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook });
    const planned = await rig.plan();
    await rig.apply(planned);
    const controller = rig.controller(carriedOff(1));
    expect(await controller.undo(planned.flatMap(({ value }) => value ?? []))).toMatchObject([{ outcome: 'restored' }]);
    expect(await rig.audit()).toEqual(['fail']);
  });

  it('is made once more by a resume', async () => {
    const run = await prepareCrashRun(zeroFlagInDropIn, playbook);
    await run.first({ at: 'effect', when: 'after', n: 1 });
    const controller = run.rig.controller(carriedOff(1));
    expect(await controller.resume(run.shown)).toMatchObject([{ outcome: 'changed' }]);
    expect(visitsOf(controller)).toBeGreaterThan(1);
  });

  it('is not made again for a loss of the host itself, nor once no more is to be begun', async () => {
    const [rig, other] = [createRig([zeroFlagInDropIn], { playbook }), createRig([zeroFlagInDropIn], { playbook })];
    const planned = await rig.plan();
    const own = rig.controller({ beforeAsk: (_n, _host, queries) => (queries.some(({ ask }) => ask === 'lock') ? undefined : { kind: 'connectionLost' }) });
    expect((await applyFleet(planned, { ...rig.ports, connector: own.connector })).results).toMatchObject([{ outcome: 'unreachable', failure: { kind: 'connectionLost' } }]);
    const drain = new AbortController();
    const faults = carriedOff(1);
    const drained = other.controller({ beforeAsk: (...how) => { const lostHere = faults.beforeAsk?.(...how); if (lostHere) drain.abort(); return lostHere; } });
    expect((await applyFleet(await other.plan(), { ...other.ports, connector: drained.connector, drain: drain.signal })).results).toMatchObject([{ outcome: 'unreachable', failure: LOST }]);
  });

  it('that only looks at the lock is made once more', async () => {
    const rig = createRig([zeroFlagInDropIn], { playbook, faults: { beforeAsk: (n) => (n === 1 ? { kind: 'connectionLost', why: LOST } : undefined) } });
    expect(await lookAtLocks(rig.hosts, rig.ports)).toMatchObject([{ lock: { held: false } }]);
  });
});

describe('what people read', () => {
  const names = Array.from({ length: 500 }, (_, index) => `node-${index + 1}`);
  const plain = (_style: string, text: string): string => text;

  it('of 500 hosts behind a jump host that is gone is one reason', () => {
    const found = showFindings(names.map((host) => ({ host, failure: { ...LOST } })), plain);
    const ended = showResults(names.map((host) => ({ host, outcome: 'unreachable', failure: { ...LOST } })), plain);
    expect([found, ended].map((text) => text.match(/jump host gate/g)?.length)).toEqual([1, 1]);
    expect(found).toContain('500 hosts: node-[1-9], node-[10-99], node-[100-500]');
  });

  it('in plain lines is the reason once, and then who has it too', () => {
    const told = new Map<string, string>();
    const linesFor = (host: string): string[] => linesOf({ event: 'surveyed', run: 'r', host, summary: LOST.summary, failure: LOST, at: 'T' }, told);
    expect([linesFor('a'), linesFor('b')]).toEqual([[`T a no answer: ${LOST.summary}; look after it`], ['T b no answer: as a']]);
  });
});
