/**
 * Where an apply takes its work from: a playbook and an inventory, a saved plan, or what is left of a past run. Says what fits to
 * which, before any host is reached; makes or takes the plan of every host. Never changes a host.
 */
import { digestOf } from '../core/bytes.js';
import { countHosts } from '../core/count-hosts.js';
import type { Failure } from '../core/failure.js';
import { foldNames } from '../core/fold-names.js';
import type { Host } from '../core/host.js';
import { movedFailure, movedKey } from '../core/moved.js';
import type { HostPlan } from '../core/plan.js';
import type { ConnectionChoices, RunRecord } from '../core/run-record.js';
import type { PlanContent, SavedPlan } from '../core/saved-plan.js';
import { selectHosts } from '../core/select-hosts.js';
import type { SurveyPorts, Surveyed } from '../engine/survey-fleet.js';
import { planFleet } from '../engine/survey-fleet.js';
import { isSavedPlan, planExposure, readSavedPlan } from '../journals/index.js';
import type { NewFleet } from './compose.js';
import { badInput } from './bad-input.js';
import { chooseConnection, composeFleet, playbookOf, refuseRollout } from './compose.js';
import { composeConnector } from './compose-connector.js';
import { hostsAgain } from './host-choices.js';
import type { ApplyArguments, FleetArguments } from './options.js';
import { hostsToRerun, readPastRun } from './rerun.js';
import { rolloutFlags } from './rollout-options.js';
import { changedSince, playbookChanged } from './saved-plan-changes.js';

export interface ApplySource {
  readonly fleet: NewFleet;
  /** For people, before anything is reached. */
  readonly remarks: readonly string[];
  /** Absent: the plan is made now. */
  readonly saved?: SavedPlan;
  /** The hosts that `plan` looks at. */
  readonly looksAt: readonly string[];
  plan(ports: SurveyPorts): Promise<Surveyed<HostPlan>[]>;
}

export type ApplyOptions = ApplyArguments & { guard?: 'none' | undefined; rerun?: string | undefined };

/** Throws FleetmendError (badInput). */
export async function openApplySource(args: ApplyOptions): Promise<ApplySource> {
  if (args.rerun !== undefined) return await fromPastRun(args, args.rerun);
  if (await isSavedPlan(args.source)) return await fromSavedPlan(args);
  if (args.inventory === undefined) throw badInput('apply of a playbook takes an inventory: --inventory FILE');
  const fleet = await composeFleet({ ...args, playbook: args.source, inventory: args.inventory } as FleetArguments);
  refuseRollout(fleet.playbook, fleet.hosts);
  return { fleet, remarks: [], looksAt: namesOf(fleet.hosts), plan: (ports) => planFleet(fleet.hosts, ports) };
}

/** What a plan was made from; it cannot be said anew of one that is made. */
const OF_NEW_PLANS = ['inventory', 'set', 'guard'];

/** Exactly what was shown and approved, so nothing on the command line may say otherwise. */
async function fromSavedPlan(args: ApplyOptions): Promise<ApplySource> {
  refuseOptions(args, 'a saved plan has its own hosts, parameters and rollout: it is done as it is, or made anew', [...OF_NEW_PLANS, 'limit', 'concurrency', 'host-keys']);
  const saved = await readSavedPlan(args.source);
  const { playbook: origin, inventory } = saved;
  const connection = { ...saved.connection, ...givenConnection(args) };
  const hosts = hostsAgain(saved.hosts.map(({ host }) => host), args);
  const planned = saved.hosts.map((one, index) => ({ ...one, host: hosts[index] ?? one.host }));
  const playbook = playbookOf(origin);
  refuseRollout(playbook, hosts);
  const connector = await composeConnector(hosts, connection, { all: hosts, verbose: args.verbose });
  const fleet = { playbook, hosts, connection, origin, inventory, concurrency: connection.concurrency, connector };
  const looksAt = namesOf(planned.filter(isUnsure).map(({ host }) => host));
  const exposure = await planExposure(args.source);
  const remarks = [...(exposure === undefined ? [] : [exposure]), ...(await changedSince(saved))];
  return { fleet, saved, remarks, looksAt, plan: (ports) => lookAgain(planned, ports) };
}

/** Hosts that need no change are looked at again before they are called compliant: the plan may be old. Those to change are when their turn comes. */
async function lookAgain(saved: readonly Surveyed<HostPlan>[], ports: SurveyPorts): Promise<Surveyed<HostPlan>[]> {
  const fresh = new Map((await planFleet(saved.filter(isUnsure).map(({ host }) => host), ports)).map((one) => [one.host.name, one]));
  return saved.map((then) => {
    const now = fresh.get(then.host.name);
    return now === undefined ? then : judge(then, now);
  });
}

function isUnsure({ value }: Pick<Surveyed<HostPlan>, 'value'>): boolean {
  return value === undefined || value.steps.length === 0;
}

/** Nothing was planned for this host, so nothing is done to it whatever it is now. */
function judge(then: Surveyed<HostPlan>, now: Surveyed<HostPlan>): Surveyed<HostPlan> {
  if (now.failure !== undefined) return now;
  const otherKey = movedKey(then.hostKey, now.hostKey);
  if (now.value.steps.length === 0 && otherKey === undefined) return now;
  const refusal: Failure = otherKey ?? (then.value === undefined ? undefined : movedFailure(then.value, now.value)) ?? {
    kind: 'drift', summary: then.value === undefined ? 'this plan has no steps for it: it could not be reached then' : 'this plan has no steps for it, and it needs some now',
    done: 'nothing was touched', next: 'plan again',
  };
  return { ...now, value: { ...now.value, steps: [], refusal } };
}

async function fromPastRun(args: ApplyOptions, rerun: string): Promise<ApplySource> {
  refuseOptions(args, 'a rerun takes playbook, parameters and hosts of the run that it repeats', OF_NEW_PLANS);
  const past = await readPastRun(args.source);
  const { record } = past;
  const chosen = hostsToRerun(past, rerun);
  const limited = args.limit.length === 0 ? chosen : selectHosts(chosen, args.limit);
  if (limited.length === 0) throw badInput(`run ${record.run} has no host that is ${rerun}: there is nothing to run again`);
  const connection = { ...record.connection, ...givenConnection(args) };
  const rollout = { ...record.playbook.rollout, ...rolloutFlags(args) };
  const origin = { ...record.playbook, rollout };
  const playbook = playbookOf(origin);
  const hosts = hostsAgain(limited, args);
  refuseRollout(playbook, hosts);
  const inventory = { file: `run ${record.run}`, sha256: digestOf(Buffer.from(JSON.stringify(hosts))) };
  const connector = await composeConnector(hosts, connection, { all: record.hosts, verbose: args.verbose });
  const fleet = { playbook, hosts, connection, origin, inventory, concurrency: connection.concurrency, connector };
  const remark = `running ${hosts.length} of ${countHosts(record.hosts.length)} of run ${record.run} again (${rerun}): ${foldNames(namesOf(hosts))}`;
  return { fleet, remarks: [remark, ...(await otherPlaybook(record, hosts))], looksAt: namesOf(hosts), plan: (ports) => planFleet(hosts, ports) };
}

/** More of them would hide the command. */
const SHOWN_LIMITS = 8;

/** A rerun goes by the text of its run; who has mended the playbook since wants the new one. */
async function otherPlaybook({ run, playbook }: RunRecord, hosts: readonly Host[]): Promise<string[]> {
  const limits = hosts.length > SHOWN_LIMITS ? '--limit ...' : hosts.map(({ name }) => `--limit ${name}`).join(' ');
  const changed = await playbookChanged(playbook, { of: `run ${run}`, goesBy: 'the rerun' });
  return changed.map((sentence) => `${sentence}; to go by the file as it is now: fleetmend apply ${playbook.file} -i INVENTORY ${limits}`);
}

function refuseOptions(args: ApplyOptions, why: string, names: readonly string[]): void {
  const isGiven = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0);
  const given = names.filter((name) => isGiven(args[name]));
  const flags = args.rerun === undefined ? Object.keys(rolloutFlags(args)) : [];
  const [first] = [...given, ...flags];
  if (first !== undefined) throw badInput(`--${first} does not go with this: ${why}`);
}

/** How hosts are reached may be said anew: it changes nothing of what is done. What nobody said stays as it was. */
function givenConnection(args: ApplyOptions): Partial<ConnectionChoices> {
  const { concurrency, ...said } = chooseConnection(args);
  return { ...said, ...(args.concurrency === undefined ? {} : { concurrency }) };
}

function namesOf(hosts: readonly Host[]): string[] {
  return hosts.map(({ name }) => name);
}

export function contentOf(fleet: NewFleet, planned: readonly Surveyed<HostPlan>[]): PlanContent {
  return { playbook: fleet.origin, inventory: fleet.inventory, connection: fleet.connection, hosts: planned };
}

