/**
 * The fail matrix: every single operation of a run fails in turn, before its effect and after it, in every way a
 * node or a link can fail. After each: new and proved, or old and byte-identical and active, or named as stuck.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { EffectResult } from '../../src/core/effect.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { ConnectorFaults, Interruption } from '../fake/fake-connector.js';
import type { NodeSpec } from '../fake/layouts.js';
import { diesWithNewValue, zeroFlagInDropIn, zeroFlagInEnvironmentFile } from '../fake/layouts.js';
import { createRig, imageOf, lifeOf, loadRealPlaybook, passGuard } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const failed = (effect: 'none' | 'unknown', reason: Extract<EffectResult, { ok: false }>['reason']): Interruption =>
  ({ kind: 'result', result: { ok: false, effect, reason, detail: 'injected' } });
const lost: Interruption = { kind: 'connectionLost' };

/** Ways for operation number `n` of its kind to fail. `after` ways let the effect happen first. */
const WAYS: Record<string, (n: number) => ConnectorFaults> = {
  'is refused, nothing happened': (n) => ({ beforeEffect: (k) => (k === n ? failed('none', 'denied') : undefined) }),
  'fails, perhaps half done': (n) => ({ beforeEffect: (k) => (k === n ? failed('unknown', 'exit') : undefined) }),
  'happens but reports a failure': (n) => ({ afterEffect: (k) => (k === n ? failed('unknown', 'timeout') : undefined) }),
  'is cut off before it happens': (n) => ({ beforeEffect: (k) => (k === n ? lost : undefined) }),
  'happens and its reply is cut off': (n) => ({ afterEffect: (k) => (k === n ? lost : undefined) }),
  'is refused, and so is everything after it': (n) => ({ beforeEffect: (k) => (k >= n ? failed('none', 'denied') : undefined) }),
  'is cut off, and every later one too': (n) => ({ beforeEffect: (k) => (k >= n ? lost : undefined) }),
  'happens, is cut off, and nobody can connect again': (n) => {
    let cut = false;
    return {
      afterEffect: (k) => { cut ||= k === n; return k === n ? lost : undefined; },
      beforeOpen: () => (cut ? { kind: 'reject', failure: { kind: 'connectTimeout', summary: 'no route' } } : undefined),
    };
  },
};
const ASK_WAYS: Record<string, (n: number) => ConnectorFaults> = {
  'a question is cut off': (n) => ({ beforeAsk: (k) => (k === n ? lost : undefined) }),
  'all questions from here on are cut off': (n) => ({ beforeAsk: (k) => (k >= n ? lost : undefined) }),
  'a question times out': (n) => ({ beforeAsk: (k) => (k === n ? { kind: 'reject', failure: { kind: 'timeout', summary: 'no answer' } } : undefined) }),
};

interface Tried { readonly effects: number; readonly asks: number; readonly outcome: string }

/** Faults that go on until the end: no way back can work under them. The others must never end in stuck. */
const LASTING = ['is refused, and so is everything after it', 'is cut off, and every later one too', 'happens, is cut off, and nobody can connect again', 'all questions from here on are cut off'];
/** With a kubelet that dies of the new value, one more fault on the way back is the second one. */
const isSecondFault = (spec: NodeSpec, way: string): boolean => spec === diesWithNewValue && /refused|fails|reports a failure/.test(way);

async function tryOne(spec: NodeSpec, faults: ConnectorFaults, what: string, mayBeStuck = false, way = ''): Promise<Tried> {
  const rig = createRig([spec], { playbook, faults });
  const [node] = rig.nodes;
  if (node === undefined) throw new Error('no node');
  const [image, life] = [imageOf(node, true), lifeOf(node)];
  const [result] = await rig.apply();
  // Where the fault lasts, the guard may be left armed; with time it makes everything true by itself.
  if (mayBeStuck) await passGuard(rig);
  const now = lifeOf(node);
  const same = JSON.stringify(imageOf(node, true)) === JSON.stringify(image);
  switch (result?.outcome) {
    case 'changed':
      expect(now.active, what).toBe('active/running');
      expect(now.argv, what).not.toContain('timeout=0');
      expect(await createAudit(rig), what).toEqual(['pass']);
      break;
    case 'restored':
      expect(same, what).toBe(true);
      expect(now, what).toMatchObject({ active: 'active/running', argv: life.argv });
      expect(node.systemd.needsDaemonReload(node.unit), what).toBe(false);
      break;
    case 'refused':
    case 'unreachable':
      expect(same, what).toBe(true);
      expect(now, what).toEqual(life);
      break;
    case 'stuck':
      expect(mayBeStuck, `${what}: stuck: ${result.failure?.summary ?? ''}`).toBe(true);
      // What nobody could reach any more has put itself back, or had heard in time that all is well.
      if (LASTING.includes(way)) {
        expect(now.active, what).toBe('active/running');
        if (!same) expect(await createAudit(rig), what).toEqual(['pass']);
        else expect(now.argv, what).toBe(life.argv);
      }
      break;
    case undefined:
    case 'compliant':
    case 'skipped':
      expect.fail(`${what}: ${result?.outcome ?? 'no result'}`);
  }
  expect(rig.connector.openSessions(), what).toBe(0);
  expect(rig.entries.filter((entry) => entry.type === 'finished'), what).toHaveLength(1);
  const count = (op: string): number => rig.connector.operations.filter((one) => one.op === op).length;
  return { effects: count('effect'), asks: count('ask'), outcome: result?.outcome ?? '' };
}

/** A fresh look without faults. */
async function createAudit(rig: ReturnType<typeof createRig>): Promise<string[]> {
  const { auditFleet } = await import('../../src/engine/survey-fleet.js');
  const { fakeConnector } = await import('../fake/fake-connector.js');
  const connector = fakeConnector(new Map(rig.nodes.map((node) => [node.name, node])));
  return (await auditFleet(rig.hosts, { ...rig.ports, connector })).map((one) => one.value?.verdict ?? 'no answer');
}

describe.each([zeroFlagInDropIn, zeroFlagInEnvironmentFile, diesWithNewValue])('the fail matrix: $ailment', (spec) => {
  it.each(Object.keys(WAYS))('an effect that %s leaves the node new, old, or named as stuck', async (way) => {
    const clean = await tryOne(spec, {}, 'no fault');
    const outcomes = new Map<string, number>();
    for (let n = 1; n <= clean.effects + 1; n++) {
      const faults = WAYS[way]?.(n) ?? {};
      const { outcome } = await tryOne(spec, faults, `effect ${n} ${way}`, LASTING.includes(way) || isSecondFault(spec, way), way);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    console.log(`${spec.ailment}: effect ${way}: ${JSON.stringify(Object.fromEntries(outcomes))}`);
  });

  it.each(Object.keys(ASK_WAYS))('%s', async (way) => {
    const clean = await tryOne(spec, {}, 'no fault');
    // Every question of the short stretches; of a soak, which asks the same each second, every fifth.
    for (let n = 1; n <= clean.asks; n += n < 20 ? 1 : 5) await tryOne(spec, ASK_WAYS[way]?.(n) ?? {}, `ask ${n}: ${way}`, LASTING.includes(way), way);
  });
});

describe('what stuck means', () => {
  it('a node that cannot be reached any more in the middle is named', async () => {
    const { outcome } = await tryOne(zeroFlagInDropIn, WAYS['happens, is cut off, and nobody can connect again']?.(3) ?? {}, 'gone', true);
    expect(outcome).toBe('stuck');
  });
});
