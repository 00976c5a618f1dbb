/** A fleet of fake nodes with pools and zones, an ailment per node, commands that are functions, and a rollout over it. */
import type { HostEntry, JournalEntry } from '../../src/core/journal.js';
import { isHostEntry } from '../../src/core/journal.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { CommandEnd, CommandRunner, Controls, Journal } from '../../src/core/ports.js';
import type { HostResult } from '../../src/core/report.js';
import { applyExitCode, rolloutExitCode } from '../../src/core/report.js';
import type { Rollout } from '../../src/core/rollout.js';
import { applyFleet } from '../../src/engine/apply-fleet.js';
import type { FleetEnd } from '../../src/engine/host-end.js';
import { resumeFleet } from '../../src/engine/resume-fleet.js';
import type { Surveyed } from '../../src/engine/survey-fleet.js';
import type { HostPlan } from '../../src/core/plan.js';
import { createMemoryJournal } from '../../src/journals/index.js';
import type { ConnectorFaults } from '../fake/fake-connector.js';
import { fakeConnector } from '../fake/fake-connector.js';
import type { NodeSpec } from '../fake/layouts.js';
import { dying } from './crash-rig.js';
import type { Rig } from './rig.js';
import { RUN, createRig, holderOf, imageOf } from './rig.js';

export interface FleetOptions {
  readonly playbook: Playbook;
  readonly specs: readonly NodeSpec[];
  readonly policy: Partial<Rollout>;
  readonly labels?: (index: number) => Readonly<Record<string, string>>;
  /** By the name of the hook, or `gate`; nothing said is 0. */
  readonly says?: (hook: string, facts: Facts) => CommandEnd['code'] | undefined;
  readonly faults?: ConnectorFaults;
  /** Sees every entry that became durable. */
  readonly onEntry?: (entry: JournalEntry, rig: Rig) => void;
  readonly controls?: Controls;
  readonly drain?: AbortSignal;
  /** Everything ends at once. */
  readonly stop?: AbortSignal;
}

export interface Facts {
  readonly hook: string;
  readonly host?: { readonly name: string };
  readonly wave?: { readonly number: number };
  readonly outcome?: string;
}

export interface Fleet {
  readonly rig: Rig;
  readonly journal: Journal;
  readonly planned: readonly Surveyed<HostPlan>[];
  /** Every command that ran, in order: `gate 1`, `beforeHost node-3`. */
  readonly asked: string[];
  readonly before: readonly (readonly string[])[];
  apply(policy?: Partial<Rollout>): Promise<FleetEnd>;
  /** The first process, or a later one, that dies after its nth entry. */
  applyUntil(n: number): Promise<void>;
  resumeUntil(n: number, policy?: Partial<Rollout>): Promise<void>;
  resume(policy?: Partial<Rollout>): Promise<FleetEnd>;
}

export const COMMAND = { run: ['./command'], timeoutMs: 60_000 };

export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const asked: string[] = [];
  const commands: CommandRunner = {
    run: (_, facts) => {
      const said = facts as Facts;
      asked.push([said.hook, said.host?.name ?? said.wave?.number].filter((word) => word !== undefined).join(' '));
      return Promise.resolve({ code: options.says?.(said.hook, said) ?? 0, output: 'what it said' });
    },
  };
  const memory = createMemoryJournal();
  const rigs: Rig[] = [];
  const append = async (entry: JournalEntry): Promise<void> => {
    await memory.append(entry);
    for (const rig of rigs) options.onEntry?.(entry, rig);
  };
  const journal = { ...memory, append };
  const labels = Object.fromEntries(options.specs.map((_, index) => [`node-${index + 1}`, options.labels?.(index) ?? {}]));
  const rig = createRig(options.specs, {
    playbook: options.playbook, journal, commands, labels, policy: options.policy, ...(options.faults ? { faults: options.faults } : {}),
    ...(options.controls ? { controls: options.controls } : {}), ...(options.drain ? { drain: options.drain } : {}), ...(options.stop ? { stop: options.stop } : {}),
  });
  rigs.push(rig);
  const planned = await rig.plan();
  const shown = new Map(planned.flatMap(({ host, value }) => (value ? [[host.name, value] as const] : [])));
  let sessions = 1;
  const policyWith = (policy: Partial<Rollout> = {}): Rollout => ({ ...rig.ports.policy, ...policy });
  const past = async () => ({ hosts: rig.hosts, shown, entries: await journal.read(RUN) });
  const later = () => ({ ...rig.ports, holder: holderOf(`session-${(sessions += 1)}`) });
  const untilDeath = (n: number) => {
    const one = dying({ at: 'entry', when: 'after', n }, undefined, journal);
    return { ...one, connector: fakeConnector(new Map(rig.nodes.map((node) => [node.name, node])), one.faults) };
  };
  return {
    rig, journal, planned, asked, before: rig.nodes.map((node) => imageOf(node, true)),
    apply: (policy) => applyFleet(planned, { ...rig.ports, policy: policyWith(policy) }),
    applyUntil: async (n) => {
      const one = untilDeath(n);
      await Promise.race([applyFleet(planned, { ...rig.ports, journal: one.journal, connector: one.connector }), one.died]);
    },
    resumeUntil: async (n, policy) => {
      const one = untilDeath(n);
      await Promise.race([resumeFleet(await past(), { ...later(), journal: one.journal, connector: one.connector, policy: policyWith(policy) }), one.died]);
    },
    resume: async (policy) => await resumeFleet(await past(), { ...later(), policy: policyWith(policy) }),
  };
}

export function outcomes(results: readonly HostResult[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

export function exitCodeOf({ results, stop, complaints }: FleetEnd): number {
  return rolloutExitCode(applyExitCode(results, false), stop, complaints.length);
}

/** Names of nodes whose files are not what they were. */
export function changedNodes({ rig, before }: Fleet): string[] {
  return rig.nodes.filter((node, index) => imageOf(node, true).join('\n') !== before[index]?.join('\n')).map(({ name }) => name);
}

/** Nodes that somebody held a writing visit to. */
export function visited({ rig }: Fleet): string[] {
  return [...new Set(rig.connector.operations.flatMap((one) => (one.op === 'openToWrite' ? [one.host] : [])))];
}

/** Entries of hosts, however many facts of the run stand between them. */
export async function hostEntries({ journal }: Fleet): Promise<HostEntry[]> {
  return (await journal.read(RUN)).filter(isHostEntry);
}

/** Of hosts that are on their way back: the most at once, as the journal tells. */
export async function mostGoingBack(fleet: Fleet): Promise<number> {
  const under = new Set<string>();
  let most = 0;
  for (const { type, host } of await hostEntries(fleet)) {
    if (type === 'undoAsked' || type === 'notWell') under.add(host);
    if (type === 'finished') under.delete(host);
    most = Math.max(most, under.size);
  }
  return most;
}
