/** Audits or plans many hosts at once over connections that were never taught to write. Changes nothing. */
import type { Catalogue } from '../core/catalogue.js';
import type { Failure } from '../core/failure.js';
import { failureOf } from '../core/failure.js';
import type { Evidence, Finding } from '../core/finding.js';
import type { Host } from '../core/host.js';
import type { HostPhase, RunEvent } from '../core/journal.js';
import { withHostKey } from '../core/observed.js';
import { auditHost, planHost } from '../core/plan-host.js';
import type { HostPlan } from '../core/plan.js';
import type { Playbook } from '../core/playbook.js';
import type { Clock, Connector } from '../core/ports.js';
import type { Questions } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import { mapLimited } from './limit.js';
import { readVisit } from './read-visit.js';

export interface SurveyPorts {
  readonly run: string;
  readonly connector: Connector;
  readonly playbook: Playbook;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly emit: (event: RunEvent) => void;
  readonly concurrency: number;
  /** Whether the raw answers are kept: they are as large as the files that were read. */
  readonly evidence: 'keep' | 'drop';
  /** No new host is begun once this is aborted. */
  readonly drain: AbortSignal;
  /** Everything ends at once. */
  readonly signal: AbortSignal;
}

/** What came of looking at one host: a value, or why there is none. */
export type Surveyed<T> = { readonly host: Host; readonly evidence: readonly Evidence[]; readonly hostKey?: string } & (
  | { readonly value: T; readonly failure?: undefined }
  | { readonly value?: undefined; readonly failure: Failure }
);

export function auditFleet(hosts: readonly Host[], ports: SurveyPorts): Promise<Surveyed<Finding>[]> {
  const stage = { phase: 'auditing', findingOf: (finding: Finding) => finding, seenOn: (finding: Finding) => finding } as const;
  return surveyFleet(hosts, stage, () => auditHost(ports.playbook, ports.catalogue), ports);
}

export function planFleet(hosts: readonly Host[], ports: SurveyPorts): Promise<Surveyed<HostPlan>[]> {
  const stage = { phase: 'planning', findingOf: (plan: HostPlan) => plan.finding, seenOn: (plan: HostPlan, hostKey: string) => withHostKey(plan, hostKey) } as const;
  return surveyFleet(hosts, stage, (host) => planHost(host.name, ports.playbook, ports.catalogue, ports.run), ports);
}

interface SurveyStage<T> {
  readonly phase: HostPhase;
  readonly findingOf: (value: T) => Finding;
  /** Adds what only the connection knows. */
  readonly seenOn: (value: T, hostKey: string) => T;
}

async function surveyFleet<T>(
  hosts: readonly Host[],
  stage: SurveyStage<T>,
  program: (host: Host) => Questions<T>,
  ports: SurveyPorts,
): Promise<Surveyed<T>[]> {
  return await mapLimited(hosts, ports.concurrency, async (host) => {
    const surveyed = ports.drain.aborted ? notReached<T>(host) : await surveyHost(host, stage, () => program(host), ports);
    const { run, clock, emit } = ports;
    const about = { event: 'surveyed', run, host: host.name, at: clock.now().toISOString() } as const;
    if (surveyed.failure !== undefined) emit({ ...about, summary: surveyed.failure.summary, failure: surveyed.failure });
    else emit({ ...about, verdict: stage.findingOf(surveyed.value).verdict, summary: stage.findingOf(surveyed.value).summary });
    return surveyed;
  });
}

async function surveyHost<T>(host: Host, { phase, seenOn }: SurveyStage<T>, program: () => Questions<T>, ports: SurveyPorts): Promise<Surveyed<T>> {
  let evidence: Evidence[] = [];
  say(host, 'connecting', `connecting to ${host.address}`, ports);
  try {
    return await readVisit(host, ports, async (session) => {
      evidence = [];
      say(host, phase, phase, ports);
      const value = await answerQuestions(program(), session, ports.clock, ports.evidence === 'keep' ? evidence : undefined);
      return { host, evidence, hostKey: session.hostKey, value: seenOn(value, session.hostKey) };
    });
  } catch (thrown) {
    return { host, evidence, failure: ports.signal.aborted ? INTERRUPTED : failureOf(thrown) };
  }
}

const INTERRUPTED: Failure = { kind: 'interrupted', summary: 'interrupted before this host was done' };

function notReached<T>(host: Host): Surveyed<T> {
  return { host, evidence: [], failure: INTERRUPTED };
}

function say(host: Host, phase: HostPhase, text: string, ports: SurveyPorts): void {
  ports.emit({ event: 'progress', run: ports.run, host: host.name, phase, text, at: ports.clock.now().toISOString() });
}
