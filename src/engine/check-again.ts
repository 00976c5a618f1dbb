/** Looks at hosts that were changed some time ago: do they still pass the audit, and are they well? Over connections that cannot write. */
import type { Failure } from '../core/failure.js';
import { failureOf } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { HealthCheck, Look } from '../core/health.js';
import { lookAtHealth } from '../core/health.js';
import { auditHost } from '../core/plan-host.js';
import type { HostPlan } from '../core/plan.js';
import type { Clock, ReadSession } from '../core/ports.js';
import { answerQuestions } from './answer-questions.js';
import { readVisit } from './read-visit.js';
import type { SurveyPorts } from './survey-fleet.js';

export type CheckAgainPorts = Pick<SurveyPorts, 'run' | 'connector' | 'playbook' | 'catalogue' | 'clock' | 'emit' | 'signal'>;

/** A service that is about to be well gets so many looks, a second apart. */
const LOOKS = 5;
const LOOK_EVERY_MS = 1_000;

/** `unseen`: nobody can say how it is. */
export interface Relapse {
  readonly is: 'notWell' | 'unseen';
  readonly failure: Failure;
}

/** Undefined when the host is as its proof left it. */
export async function checkAgain(host: Host, plan: HostPlan, ports: CheckAgainPorts): Promise<Relapse | undefined> {
  const { clock, signal } = ports;
  ports.emit({ event: 'progress', run: ports.run, host: host.name, phase: 'verifying', text: 'looking again before the next wave', at: clock.now().toISOString() });
  try {
    const waits = { connector: ports.connector, clock, signal };
    return await readVisit(host, waits, async (session) => (await healthRelapse(plan, session, ports)) ?? (await auditRelapse(session, ports)));
  } catch (thrown) {
    // Whoever was stopped while looking has seen nothing.
    if (signal.aborted) return undefined;
    const failure = failureOf(thrown);
    return { is: 'unseen', failure: { ...failure, summary: `could not be looked at again: ${failure.summary}`, done: 'it was changed and proved before' } };
  }
}

/** What cannot be judged is no reason to take a proved change back: whether the service is well was asked before. */
async function auditRelapse(session: ReadSession, { playbook, catalogue, clock }: CheckAgainPorts): Promise<Relapse | undefined> {
  const finding = await answerQuestions(auditHost(playbook, catalogue), session, clock);
  if (finding.verdict === 'pass') return undefined;
  const failure: Failure = { kind: finding.verdict === 'fail' ? 'notProved' : 'notJudged', summary: `the audit passes no more: ${finding.verdict}: ${finding.summary}` };
  return { is: finding.verdict === 'fail' ? 'notWell' : 'unseen', failure };
}

async function healthRelapse(plan: HostPlan, session: ReadSession, { clock, signal }: CheckAgainPorts): Promise<Relapse | undefined> {
  for (const step of plan.steps) {
    if (step.phase !== 'verify' || step.check.check !== 'healthy') continue;
    const seen = await lookUntilWell(step.check, session, clock, signal);
    if (seen.state === 'well') continue;
    // Without a life there was no answer from systemd: that says nothing of the service.
    if (seen.state === 'notYet' && seen.life === undefined) return { is: 'unseen', failure: { kind: 'notJudged', summary: seen.why } };
    return { is: 'notWell', failure: { kind: 'unhealthy', summary: `well no more: ${seen.why}` } };
  }
  return undefined;
}

async function lookUntilWell(check: HealthCheck, session: ReadSession, clock: Clock, signal: AbortSignal): Promise<Look> {
  for (let look = 1; ; look++) {
    const seen = await answerQuestions(lookAtHealth(check), session, clock);
    if (seen.state !== 'notYet' || look === LOOKS) return seen;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}
