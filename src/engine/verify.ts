/** Carries out one check on a node: asks, waits where a check needs time, and says what was wrong. Never changes anything. */
import type { Catalogue } from '../core/catalogue.js';
import type { Check, SourceFile } from '../core/check.js';
import { cleanLine } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import type { HealthCheck, Soak } from '../core/health.js';
import { lookAtHealth, sameWords, soakOn } from '../core/health.js';
import { auditHost } from '../core/plan-host.js';
import type { Playbook } from '../core/playbook.js';
import type { Clock, ReadSession } from '../core/ports.js';
import { ask } from '../core/query.js';
import { predictStart } from '../kubelet/start-sources.js';
import { answerQuestions } from './answer-questions.js';

export type CheckResult = { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly failure: Failure };

export interface VerifyPorts {
  readonly playbook: Playbook;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A line for the screen while a check takes its time. */
  readonly say: (text: string) => void;
}

export async function verify(check: Check, session: ReadSession, ports: VerifyPorts): Promise<CheckResult> {
  switch (check.check) {
    case 'commandLinePredicted':
      return await verifyPrediction(check, session, ports);
    case 'status':
      return await verifyStatus(check.unit, session, ports);
    case 'healthy':
      return await soak(check, session, ports);
    case 'audit':
      return await verifyAudit(session, ports);
  }
}

async function verifyPrediction(
  check: Extract<Check, { check: 'commandLinePredicted' }>,
  session: ReadSession,
  ports: VerifyPorts,
): Promise<CheckResult> {
  const service = await answerQuestions(predictStart(check.unit), session, ports.clock);
  if (!service.ok) return wrong('notProved', `what systemd would start for ${check.unit} cannot be told: ${service.reason}`);
  const foreign = foreignEdit(check.sources, service.startSources);
  if (foreign !== undefined) return wrong('drift', cleanLine(`${foreign} since the plan: the restart would take that up too`));
  if (service.reloadNeeded) return wrong('notProved', `systemd has not loaded what is on disk for ${check.unit}`);
  const words = service.prediction.words.map((word) => word.value);
  if (sameWords(words, check.argv)) return { ok: true, detail: words.join(' ') };
  return wrong('notProved', `systemd would start ${check.unit} with another command line than planned`, [
    `planned:   ${check.argv.join(' ')}`,
    `predicted: ${service.prediction.wouldNotStart ?? words.join(' ')}`,
  ]);
}

/** The first file that is not as planned. */
function foreignEdit(planned: readonly SourceFile[], now: readonly SourceFile[]): string | undefined {
  const digests = new Map(now.map((source) => [source.path, source.digest]));
  for (const { path, digest } of planned) {
    const found = digests.get(path) ?? 'absent';
    if (found !== digest) return `${path} was ${found === 'absent' ? 'taken away' : digest === 'absent' ? 'added' : 'changed'} by someone else`;
  }
  const expected = new Set(planned.map((source) => source.path));
  const added = now.find((source) => source.digest !== 'absent' && !expected.has(source.path));
  return added === undefined ? undefined : `${added.path} was added by someone else`;
}

async function verifyStatus(unit: string, session: ReadSession, ports: VerifyPorts): Promise<CheckResult> {
  const [status] = await answerQuestions(ask({ ask: 'status', unit } as const), session, ports.clock);
  if (!status.ok) return wrong('notProved', `systemctl status ${unit} gave no answer: ${status.detail}`);
  if (status.value.exit === 0) return { ok: true, detail: status.value.text };
  return wrong('unhealthy', `systemctl status ${unit} says it is not active (exit ${status.value.exit})`, [status.value.text]);
}

const LOOK_EVERY_MS = 1_000;

async function soak(check: HealthCheck, session: ReadSession, ports: VerifyPorts): Promise<CheckResult> {
  let state: Soak = { startedMs: ports.clock.monotonicMs() };
  for (;;) {
    const look = await answerQuestions(lookAtHealth(check), session, ports.clock);
    const verdict = soakOn(state, look, check, ports.clock.monotonicMs());
    if (verdict.state === 'healthy') return { ok: true, detail: `${check.unit} well for ${check.forMs / 1000} s without a break` };
    if (verdict.state === 'sick') return wrong('unhealthy', verdict.why);
    state = verdict.soak;
    ports.say(soakText(state, check, ports.clock.monotonicMs()));
    await ports.clock.sleep(LOOK_EVERY_MS, ports.signal);
  }
}

function soakText(soak: Soak, check: HealthCheck, nowMs: number): string {
  if (soak.wellSinceMs === undefined) return `waiting for ${check.unit}: ${soak.lastWhy ?? 'not well yet'}`;
  return `${check.unit} well for ${Math.floor((nowMs - soak.wellSinceMs) / 1000)} of ${check.forMs / 1000} s`;
}

async function verifyAudit(session: ReadSession, ports: VerifyPorts): Promise<CheckResult> {
  const finding = await answerQuestions(auditHost(ports.playbook, ports.catalogue), session, ports.clock);
  // Somebody who wrote meanwhile leaves a disk that is not what runs: then nothing is proved.
  if (finding.verdict === 'pass' && finding.drift.length > 0) {
    return wrong('drift', `the audit passes, but the disk differs from what runs: ${finding.drift.join('; ')}`);
  }
  if (finding.verdict === 'pass') return { ok: true, detail: finding.summary };
  return wrong('notProved', `the audit after the change says ${finding.verdict}: ${finding.summary}`);
}

function wrong(kind: Failure['kind'], summary: string, detail: readonly string[] = []): CheckResult {
  return { ok: false, failure: { kind, summary, ...(detail.length > 0 ? { detail: detail.join('\n') } : {}) } };
}
