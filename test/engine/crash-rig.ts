/**
 * A run whose controller dies, at any entry of its journal or any operation on the node, and others that take it up. Says
 * afterwards how the node really is, whatever is claimed.
 */
import { expect } from 'vitest';
import type { JournalEntry } from '../../src/core/journal.js';
import { isRunEntry } from '../../src/core/journal.js';
import type { HostPlan } from '../../src/core/plan.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { Journal } from '../../src/core/ports.js';
import type { HostResult } from '../../src/core/report.js';
import { createMemoryJournal } from '../../src/journals/index.js';
import type { ConnectorFaults } from '../fake/fake-connector.js';
import type { FakeNode } from '../fake/fake-node.js';
import type { NodeSpec } from '../fake/layouts.js';
import type { Rig } from './rig.js';
import { createRig, imageOf, lifeOf, passGuard } from './rig.js';

/** Where a controller dies: before or after its n-th entry is durable, or before or after its n-th effect. */
export interface CrashPoint {
  readonly at: 'entry' | 'effect';
  readonly when: 'before' | 'after';
  readonly n: number;
}

/** What the world does between two controllers. */
export type Meanwhile = 'at once' | 'after the guard' | 'after a reboot';

export type Then = 'resume' | 'undo';

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** A journal and a connector of one process that dies at `point`; `died` settles then. The link breaks after effect number `loss`. */
export function dying(point: CrashPoint | undefined, loss: number | undefined, journal: Journal): { faults: ConnectorFaults; journal: Journal; died: Promise<'died'> } {
  let die: (value: 'died') => void = () => undefined;
  const died = new Promise<'died'>((resolve) => { die = resolve; });
  let isDead = false;
  let entries = 0;
  const kill = <T>(): Promise<T> => { isDead = true; die('died'); return never<T>(); };
  const append = async (entry: JournalEntry): Promise<void> => {
    if (isDead) return await never();
    entries += 1;
    const isHere = point?.at === 'entry' && point.n === entries;
    if (isHere && point.when === 'before') return await kill();
    await journal.append(entry);
    if (isHere) await kill();
  };
  const crash = { kind: 'crash' } as const;
  const hits = (when: CrashPoint['when'], n: number) => {
    if (!isDead && !(point?.at === 'effect' && point.when === when && point.n === n)) return undefined;
    isDead = true;
    die('died');
    return crash;
  };
  return {
    died, journal: { ...journal, append },
    // Whoever died at an entry does nothing on a node any more either.
    faults: {
      beforeOpen: () => (isDead ? crash : undefined),
      beforeAsk: () => (isDead ? crash : undefined),
      beforeEffect: (n) => hits('before', n),
      afterEffect: (n) => hits('after', n) ?? (n === loss ? { kind: 'connectionLost' } : undefined),
    },
  };
}

export interface CrashRun {
  readonly node: FakeNode;
  readonly rig: Rig;
  readonly journal: Journal;
  readonly shown: readonly HostPlan[];
  readonly before: { readonly image: readonly string[]; readonly argv: string };
  /** The first process; undefined when it died. Its link breaks, once, after effect number `loss`. */
  first(point: CrashPoint | undefined, loss?: number): Promise<HostResult | undefined>;
  /** A later process. */
  later(then: Then, point: CrashPoint | undefined, session: string, loss?: number): Promise<HostResult | undefined>;
  meanwhile(what: Meanwhile): Promise<void>;
}

export async function prepareCrashRun(spec: NodeSpec, playbook: Playbook, guard?: 'none'): Promise<CrashRun> {
  const journal = createMemoryJournal();
  const rig = createRig([spec], { playbook, journal, ...(guard ? { guard } : {}) });
  const [node] = rig.nodes;
  if (node === undefined) throw new Error('no node');
  const planned = await rig.plan();
  const shown = planned.flatMap(({ value }) => (value ? [value] : []));
  const before = { image: imageOf(node, true), argv: lifeOf(node).argv };
  const { applyFleet } = await import('../../src/engine/apply-fleet.js');
  return {
    node, rig, journal, shown, before,
    first: async (point, loss) => {
      const one = dying(point, loss, journal);
      const { connector } = rig.controller(one.faults);
      const end = await Promise.race([applyFleet(planned, { ...rig.ports, connector, journal: one.journal }), one.died]);
      return end === 'died' ? undefined : end.results[0];
    },
    later: async (then, point, session, loss) => {
      const one = dying(point, loss, journal);
      const controller = rig.controller(one.faults, session, one.journal);
      const result = await Promise.race([controller[then](shown), one.died]);
      return result === 'died' ? undefined : result[0];
    },
    meanwhile: async (what) => {
      if (what === 'after the guard') await passGuard(rig);
      if (what !== 'after a reboot') return;
      node.powerCut();
      node.boot();
    },
  };
}

/** The claim about a host is true: of the files with mode, owner and time, of the process, of what systemd would start, of the lock and the guard. */
export async function expectTrue(run: CrashRun, result: HostResult | undefined, what: string, lock: 'free' | 'mayBeLeft' = 'free'): Promise<void> {
  const { node, before } = run;
  const now = lifeOf(node);
  const outcome = result?.outcome ?? 'no result';
  expect(now.active, what).toBe('active/running');
  expect(node.systemd.needsDaemonReload(node.unit), what).toBe(false);
  if (outcome === 'changed' || outcome === 'compliant') {
    expect(await run.rig.audit(), what).toEqual(['pass']);
    expect(imageOf(node, true), what).not.toEqual(before.image);
  } else {
    expect(['restored', 'refused'], `${what}: ${outcome}: ${result?.failure?.summary ?? ''}`).toContain(outcome);
    expect(imageOf(node, true), what).toEqual(before.image);
    expect(now.argv, what).toBe(before.argv);
  }
  const guard = node.ask({ ask: 'guard', run: 'run-1' });
  expect(guard.ok && guard.ask === 'guard' ? guard.value.state : 'no answer', what).toMatch(/^(none|disarmed|fired)$/);
  const answer = node.ask({ ask: 'lock' });
  const held = answer.ok && answer.ask === 'lock' ? answer.value : 'no answer';
  // A process that died between taking the lock and its first entry leaves one that says that nothing was begun: it goes stale.
  expect(held, what).toMatchObject(lock === 'mayBeLeft' && held !== 'no answer' && held.held ? { touched: false } : { held: false });
}

/** Every point at which the first process can die. */
export async function crashPoints(spec: NodeSpec, playbook: Playbook, guard?: 'none'): Promise<CrashPoint[]> {
  const run = await prepareCrashRun(spec, playbook, guard);
  let effects = 0;
  const { applyFleet } = await import('../../src/engine/apply-fleet.js');
  const { connector } = run.rig.controller({ afterEffect: () => { effects += 1; return undefined; } });
  await applyFleet(await run.rig.plan(), { ...run.rig.ports, connector });
  return pointsUpTo(await run.journal.read('run-1'), effects);
}

/** Of facts of the run that follow each other one death says as much as all: nothing happens on the node between them. */
export function pointsUpTo(entries: readonly JournalEntry[], effects: number): CrashPoint[] {
  const both = (at: CrashPoint['at'], n: number): CrashPoint[] => [{ at, when: 'before', n }, { at, when: 'after', n }];
  const ofEntries = entries.flatMap((entry, index): CrashPoint[] => {
    if (!isRunEntry(entry)) return both('entry', index + 1);
    const before = entries[index - 1];
    return before !== undefined && isRunEntry(before) ? [] : [{ at: 'entry', when: 'before', n: index + 1 }];
  });
  return [...ofEntries, ...Array.from({ length: effects }, (_, index) => both('effect', index + 1)).flat()];
}

export function pointText(point: CrashPoint): string {
  return `${point.when} ${point.at} ${point.n}`;
}

/** A soak of three looks instead of thirty: thousands of runs are tried. */
export function withShortSoak(real: Playbook): Playbook {
  const steps = real.steps.map((step) => (step.kind === 'healthy' ? { ...step, params: { ...(step.params as object), for: 3_000, within: 20_000 } } : step));
  return { ...real, steps };
}
