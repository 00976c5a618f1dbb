/** What keeps a run honest when others act at the same time, when the journal fails, when the operator stops it. */
import { beforeAll, describe, expect, it } from 'vitest';
import { FleetmendError } from '../../src/core/failure.js';
import { planHost } from '../../src/core/plan-host.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { Journal } from '../../src/core/ports.js';
import { answerQuestions } from '../../src/engine/answer-questions.js';
import { createMemoryJournal } from '../../src/journals/index.js';
import { createVirtualClock } from '../fake/virtual-clock.js';
import { diesWithNewValue, eksAl2, jsonConfig, zeroFlagInDropIn, zeroInJson } from '../fake/layouts.js';
import type { Rig } from './rig.js';
import { CATALOGUE, createRig, imageOf, lifeOf, loadRealPlaybook, restartsOf, touchesOf } from './rig.js';

let playbook: Playbook;
beforeAll(async () => { playbook = await loadRealPlaybook(); });

const node = (rig: Rig) => {
  const [one] = rig.nodes;
  if (one === undefined) throw new Error('no node');
  return one;
};

describe('others who act at the same time', () => {
  it('a service that somebody restarted between our writes and our restart is restarted once more with the old files, and that is proved', async () => {
    const rig: Rig = createRig([zeroInJson], {
      playbook,
      faults: { afterEffect: (_, __, effect) => { if (effect.do === 'edit') node(rig).systemd.restart(node(rig).unit); return undefined; } },
    });
    const [image, life] = [imageOf(node(rig), true), lifeOf(node(rig))];
    const [result] = await rig.apply();
    expect(result?.failure?.summary).toContain('restarted by someone else');
    // The foreign restart read the new file: only a restart of ours makes the old one count again.
    expect(result?.outcome).toBe('restored');
    expect(imageOf(node(rig), true)).toEqual(image);
    expect(lifeOf(node(rig))).toMatchObject({ active: 'active/running', argv: life.argv });
  });
  it('a service that somebody stopped for maintenance is not started by our restart', async () => {
    const rig: Rig = createRig([zeroInJson], {
      playbook,
      faults: { afterEffect: (_, __, effect) => { if (effect.do === 'edit') node(rig).systemd.stop(node(rig).unit); return undefined; } },
    });
    const [result] = await rig.apply();
    expect(result?.outcome).toBe('stuck');
    expect(restartsOf(rig, 'node-1')).toBe(0);
    expect(lifeOf(node(rig)).active).toBe('inactive/dead');
  });
  it('a unit file that somebody writes after our restart is never behind a claim of changed or restored', async () => {
    const rig: Rig = createRig([zeroInJson], {
      playbook,
      faults: {
        afterEffect: (_, __, effect) => {
          if (effect.do === 'restart') node(rig).files.overwrite('/etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf', "[Service]\nEnvironment='KUBELET_EXTRA_ARGS=--max-pods=9'\n");
          return undefined;
        },
      },
    });
    const [result] = await rig.apply();
    expect(result?.outcome).toBe('stuck');
    expect(result?.failure?.summary).toContain('the disk differs from what runs');
    expect(result?.failure?.summary).toContain('systemd has not loaded what is on disk');
  });
  it('a host that became compliant after the plan was shown is compliant', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const planned = await rig.plan();
    node(rig).files.overwrite(eksAl2.configPath, jsonConfig({ streamingConnectionIdleTimeout: '4h0m0s' }));
    node(rig).systemd.restart(node(rig).unit);
    const [result] = await rig.apply(planned);
    expect(result?.outcome).toBe('compliant');
    expect(touchesOf(rig)).toEqual([]);
  });
});

describe('plans that could not be proved', () => {
  it('a playbook that restarts and watches no health is refused', async () => {
    const blind = { ...playbook, steps: playbook.steps.filter((step) => step.kind !== 'healthy') };
    const rig = createRig([zeroInJson], { playbook: blind });
    expect((await rig.plan())[0]?.value?.refusal).toMatchObject({ kind: 'unsupported' });
  });
  it('steps that would not make the audit pass are refused before any restart', async () => {
    const strict = { ...playbook, audit: { ...playbook.audit, params: { ...(playbook.audit.params as object), minimum: '8h' } } };
    const rig = createRig([zeroFlagInDropIn], { playbook: strict });
    const [planned] = await rig.plan();
    expect(planned?.value?.refusal?.summary).toContain('would not make the audit pass');
  });
  it('a kubelet whose binary was replaced is refused: an undo would start another version', async () => {
    const rig = createRig([zeroInJson], { playbook });
    const session = await rig.ports.connector.openToRead(rig.hosts[0] as never, rig.ports.signal);
    const replaced = {
      ...session,
      ask: async (queries: Parameters<typeof session.ask>[0]) => (await session.ask(queries)).map((answer) => {
        if (answer.ok && answer.ask === 'unit' && answer.value.process) return { ...answer, value: { ...answer.value, process: { ...answer.value.process, exeDeleted: true } } };
        return answer;
      }),
    };
    const plan = await answerQuestions(planHost('node-1', playbook, CATALOGUE, 'run-1'), replaced, createVirtualClock());
    expect(plan.refusal).toMatchObject({ kind: 'drift' });
    await session.close();
  });
});

describe('the journal', () => {
  /** Takes `count` entries and then fails for ever, as a full disk does. */
  function fullAfter(count: number): Journal {
    const journal = createMemoryJournal();
    let taken = 0;
    return { ...journal, append: (entry) => (taken++ < count ? journal.append(entry) : Promise.reject(new FleetmendError({ kind: 'journal', summary: 'disk full' }))) };
  }
  it('that fails lets nothing new begin, and a touched node is still brought back', async () => {
    for (let count = 0; count < 22; count++) {
      const rig = createRig([zeroFlagInDropIn], { playbook, journal: fullAfter(count) });
      const [image, life] = [imageOf(node(rig), true), lifeOf(node(rig))];
      const [result] = await rig.apply();
      const what = `${count} entries, then full`;
      if (result?.outcome === 'changed') expect(count, what).toBeGreaterThan(10);
      else {
        expect(['restored', 'refused', 'skipped'], what).toContain(result?.outcome);
        expect(imageOf(node(rig), true), what).toEqual(image);
        expect(lifeOf(node(rig)), what).toMatchObject({ active: 'active/running', argv: life.argv });
      }
    }
  });
  it('that another process continues stops us at once', async () => {
    const journal = createMemoryJournal();
    await journal.append({ type: 'began', step: 'x', run: 'run-1', host: 'node-1', seq: 1, at: '' });
    const rig = createRig([zeroInJson], { playbook, journal });
    await rig.apply();
    expect(touchesOf(rig)).toEqual([]);
  });
});

describe('the operator', () => {
  it('who drains lets hosts in progress finish and begins no other', async () => {
    const drain = new AbortController();
    const rig = createRig([zeroInJson, zeroInJson, zeroInJson], {
      playbook, drain: drain.signal,
      faults: { beforeEffect: () => { drain.abort(); return undefined; } },
    });
    const planned = await rig.plan();
    const { applyFleet } = await import('../../src/engine/apply-fleet.js');
    const { results } = await applyFleet(planned, { ...rig.ports, concurrency: 1 });
    expect(results.map((result) => result.outcome)).toEqual(['changed', 'skipped', 'skipped']);
  });
  it('who stops at once is told which host is in the middle', async () => {
    const stop = new AbortController();
    const rig = createRig([zeroInJson, zeroInJson], {
      playbook, stop: stop.signal, drain: stop.signal,
      faults: { afterEffect: (_n, _host, effect) => { if (effect.do === 'edit') stop.abort(); return undefined; } },
    });
    const { applyFleet } = await import('../../src/engine/apply-fleet.js');
    const { results } = await applyFleet(await rig.plan(), { ...rig.ports, concurrency: 1 });
    expect(results.map((result) => result.outcome)).toEqual(['stuck', 'skipped']);
    expect(results[0]?.failure?.summary).toContain('between its old and its new state');
    expect(rig.connector.openSessions()).toBe(0);
  });
});

describe('a rollback', () => {
  it('says what went wrong, at which step, and what was done about it', async () => {
    const rig = createRig([diesWithNewValue], { playbook });
    const [result] = await rig.apply();
    expect(result?.failure?.summary).toMatch(/^kubelet\.service is well for 30 s: /);
    expect(result?.failure?.done).toContain('all files have their old bytes');
  });
});
