/**
 * A fleet of fake nodes with the real playbook, catalogue and engine over it, and what a test wants to know
 * afterwards: how each node really is, whatever the run claims. No real time passes.
 */
import { digestOf } from '../../src/core/bytes.js';
import type { Effect, Holder } from '../../src/core/effect.js';
import type { Host } from '../../src/core/host.js';
import type { JournalEntry, RunEvent } from '../../src/core/journal.js';
import { LOCK_STALE_AFTER_MS } from '../../src/core/lock.js';
import type { Playbook } from '../../src/core/playbook.js';
import type { HostPlan } from '../../src/core/plan.js';
import type { Journal } from '../../src/core/ports.js';
import type { HostResult } from '../../src/core/report.js';
import type { ApplyPorts } from '../../src/engine/fleet-work.js';
import type { Controls, CommandRunner } from '../../src/core/ports.js';
import type { Rollout } from '../../src/core/rollout.js';
import { applyFleet } from '../../src/engine/apply-fleet.js';
import type { PastRun } from '../../src/engine/resume-fleet.js';
import { resumeFleet } from '../../src/engine/resume-fleet.js';
import { undoFleet } from '../../src/engine/undo-fleet.js';
import type { SurveyPorts, Surveyed } from '../../src/engine/survey-fleet.js';
import { auditFleet, planFleet } from '../../src/engine/survey-fleet.js';
import { createMemoryJournal } from '../../src/journals/index.js';
import { findSecrets } from '../../src/kubelet/find-secrets.js';
import * as probes from '../../src/probes/index.js';
import { readPlaybook } from '../../src/sources/index.js';
import * as steps from '../../src/steps/index.js';
import type { ConnectorFaults, FakeConnector } from '../fake/fake-connector.js';
import { fakeConnector } from '../fake/fake-connector.js';
import type { FakeNode, FakeNodeOptions } from '../fake/fake-node.js';
import { createFakeNode } from '../fake/fake-node.js';
import type { NodeSpec } from '../fake/layouts.js';
import { createVirtualClock } from '../fake/virtual-clock.js';

export const CATALOGUE = { steps, probes, findSecrets };
const PLAYBOOK_FILE = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname;

export function loadRealPlaybook(overrides: Record<string, string> = {}): Promise<Playbook> {
  return readPlaybook(PLAYBOOK_FILE, CATALOGUE, overrides);
}

export interface RigOptions {
  readonly playbook: Playbook;
  readonly faults?: ConnectorFaults;
  readonly journal?: Journal;
  readonly node?: Partial<FakeNodeOptions>;
  /** Called with the nodes before anything runs. */
  readonly arrange?: (nodes: readonly FakeNode[]) => void;
  readonly drain?: AbortSignal;
  readonly stop?: AbortSignal;
  readonly guard?: 'none';
  /** Absent: all hosts in one wave, without canary and budget. */
  readonly policy?: Partial<Rollout>;
  readonly controls?: Controls;
  readonly commands?: CommandRunner;
  /** By host. */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** All hosts in one wave, without canary and budget. */
const ALL_AT_ONCE: Rollout = {
  waves: [{ unit: 'percent', percent: 100 }], canary: 'none', order: 'inventory', budget: { run: 'none', per: [] }, onStop: 'halt', soakMs: 0, pauseAfter: 'none', hooks: {},
};
const NOBODY: Controls = { listen: () => () => undefined };
const NO_COMMANDS: CommandRunner = { run: () => Promise.resolve({ code: 'notStarted', output: 'this rig has no commands' }) };

export interface Rig {
  readonly nodes: readonly FakeNode[];
  readonly hosts: readonly Host[];
  readonly connector: FakeConnector;
  readonly entries: JournalEntry[];
  readonly events: RunEvent[];
  readonly ports: SurveyPorts & ApplyPorts;
  plan(): Promise<Surveyed<HostPlan>[]>;
  apply(planned?: readonly Surveyed<HostPlan>[]): Promise<HostResult[]>;
  audit(): Promise<string[]>;
  /** A later process of a controller with the same run folder: another connector, another session. */
  controller(faults?: ConnectorFaults, session?: string, journal?: Journal): Controller;
}

export interface Controller {
  readonly connector: FakeConnector;
  /** Without `past`: what the journal holds now. `shown`: the plans that the first process saved. */
  resume(shown: readonly HostPlan[]): Promise<HostResult[]>;
  undo(shown: readonly HostPlan[], foreign?: 'refuse' | 'save'): Promise<HostResult[]>;
}

export const RUN = 'run-1';

export function createRig(specs: readonly NodeSpec[], options: RigOptions): Rig {
  const clock = createVirtualClock();
  const nodes = specs.map((spec, index) => createFakeNode({ name: `node-${index + 1}`, clock, spec, ...options.node }));
  options.arrange?.(nodes);
  const hosts = nodes.map(({ name }): Host => ({ name, address: name, port: 22, user: 'root', become: 'none', connectTimeoutMs: 1000, labels: options.labels?.[name] ?? {} }));
  const connector = fakeConnector(new Map(nodes.map((node) => [node.name, node])), options.faults);
  const never = new AbortController().signal;
  const events: RunEvent[] = [];
  const entries: JournalEntry[] = [];
  const playbook = options.guard === undefined ? options.playbook : { ...options.playbook, guard: options.guard };
  const ports = {
    run: RUN, holder: holderOf('session-1'), connector, clock, playbook, catalogue: CATALOGUE, concurrency: 8, evidence: 'keep' as const,
    journal: options.journal ?? createMemoryJournal(), drain: options.drain ?? never, signal: options.stop ?? never,
    policy: { ...ALL_AT_ONCE, ...options.policy }, controls: options.controls ?? NOBODY, commands: options.commands ?? NO_COMMANDS,
    emit: (event: RunEvent) => {
      events.push(event);
      if (event.event === 'entry') entries.push(event.entry);
    },
  };
  const pastOf = async (shown: readonly HostPlan[]): Promise<PastRun> => ({
    hosts, shown: new Map(shown.map((one) => [one.host, one])), entries: await ports.journal.read(RUN),
  });
  const controller = (faults: ConnectorFaults = {}, session = 'session-2', journal: Journal = ports.journal): Controller => {
    const other = fakeConnector(new Map(nodes.map((node) => [node.name, node])), faults);
    const its = { ...ports, connector: other, holder: holderOf(session), journal };
    return {
      connector: other,
      resume: async (shown) => [...(await resumeFleet(await pastOf(shown), its)).results],
      undo: async (shown, foreign = 'refuse') => await undoFleet(await pastOf(shown), new Set(hosts.map((host) => host.name)), foreign, its),
    };
  };
  const plan = (): Promise<Surveyed<HostPlan>[]> => planFleet(hosts, ports);
  return {
    nodes, hosts, connector, entries, events, ports, plan, controller,
    apply: async (planned) => [...(await applyFleet(planned ?? (await plan()), ports)).results],
    audit: async () => (await auditFleet(hosts, ports)).map((one) => one.value?.verdict ?? `no answer: ${one.failure?.summary ?? ''}`),
  };
}

export function holderOf(session: string, run = RUN): Holder {
  return { run, who: `${session}@desk`, session, staleAfterMs: LOCK_STALE_AFTER_MS };
}

/** Every file outside fleetmend's own state directory: path, mode, owner, digest, target; optionally the mtime. */
export function imageOf(node: FakeNode, withTimes = false): string[] {
  return node.files.paths().filter((path) => !path.startsWith('/var/lib/fleetmend')).flatMap((path) => {
    const inode = node.files.lstat(path);
    if (inode === undefined || inode.kind === 'directory') return [];
    const time = withTimes ? ` ${inode.modifiedAt}` : '';
    return [`${path} ${inode.mode.toString(8)} ${inode.uid}:${inode.gid} ${inode.target} ${digestOf(inode.bytes)}${time}`];
  });
}

/** How the node really runs now. */
export function lifeOf(node: FakeNode): { active: string; argv: string; invocation: string; pid: number } {
  node.systemd.settle();
  const service = node.systemd.service(node.unit);
  return {
    active: `${service.activeState}/${service.subState}`,
    argv: (service.process?.argv ?? []).join(' '),
    invocation: service.invocationId,
    pid: service.mainPid,
  };
}

export function restartsOf(rig: Rig, host: string): number {
  return rig.connector.operations.filter((one) => one.op === 'effect' && one.host === host && one.effect.do === 'restart').length;
}

/** Effects that touch more than fleetmend's own lock. */
export function touchesOf(rig: Rig): Effect[] {
  return rig.connector.operations.flatMap((one) => (one.op === 'effect' && one.effect.do !== 'lock' && one.effect.do !== 'unlock' ? [one.effect] : []));
}

/** Time goes by until every guard that is armed has fired. */
export async function passGuard(rig: Rig): Promise<void> {
  await rig.ports.clock.sleep(GUARD_PASSED_MS);
  for (const node of rig.nodes) node.passTime();
}

/** Longer than the guard of the shipped playbook waits. */
const GUARD_PASSED_MS = 1_200_000;
