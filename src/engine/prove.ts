/**
 * Proves that a node is back in its old state: every touched file has its old bytes, systemd holds
 * what is on the disk, and the health that held before holds again. Never repairs anything.
 */
import { digestOf } from '../core/bytes.js';
import { dueActivations } from '../core/decide.js';
import type { HealthCheck } from '../core/health.js';
import type { HostFact } from '../core/journal.js';
import type { HostState } from '../core/fold.js';
import type { HostPlan } from '../core/plan.js';
import type { ReadSession } from '../core/ports.js';
import type { AnswerTo } from '../core/query.js';
import { ask } from '../core/query.js';
import { answerQuestions } from './answer-questions.js';
import type { VerifyPorts } from './verify.js';
import { verify } from './verify.js';

export async function proveOldState(plan: HostPlan, state: HostState, session: ReadSession, ports: VerifyPorts): Promise<HostFact> {
  const wrong = await wrongFiles(plan, state, session, ports);
  if (wrong.length > 0) return notProved(wrong.join('; '));
  if (plan.baseline === undefined) return { type: 'proved', ok: true, detail: 'all files have their old bytes' };
  const { invocationId, health } = plan.baseline;
  const restarted = dueActivations(plan, state).some((step) => step.activation.do === 'restart');
  const other = await otherState(health.unit, restarted ? undefined : invocationId, session, ports);
  if (other !== undefined) return notProved(other);
  const well = await verify(restarted ? health : onOneLook(health), session, ports);
  if (!well.ok) return notProved(well.failure.summary);
  return { type: 'proved', ok: true, detail: `all files have their old bytes; ${well.detail}` };
}

/** A service that nobody restarted needs no soak. */
function onOneLook(health: HealthCheck): HealthCheck {
  return { ...health, forMs: 0 };
}

async function wrongFiles(plan: HostPlan, state: HostState, session: ReadSession, ports: VerifyPorts): Promise<string[]> {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const step of plan.steps) {
    if (step.phase !== 'change' || (state.steps[step.id] ?? 'untouched') === 'untouched') continue;
    // Of several edits of one file the first knows the old bytes.
    if (seen.has(step.edit.path)) continue;
    seen.add(step.edit.path);
    const [file] = await answerQuestions(ask({ ask: 'file', path: step.edit.path } as const), session, ports.clock);
    const now = digestNow(file);
    if (now !== step.edit.before) wrong.push(`${step.edit.path} does not have its old bytes (${now})`);
  }
  return wrong;
}

function digestNow(answer: AnswerTo<{ ask: 'file'; path: string }>): string {
  if (!answer.ok) return `unreadable: ${answer.detail}`;
  return answer.value.exists ? digestOf(answer.value.bytes) : 'absent';
}

/**
 * systemd must hold what is on the disk. And without a restart of ours (`invocationId` is given then) the old process must
 * still run: another one has read who knows which bytes.
 */
async function otherState(unit: string, invocationId: string | undefined, session: ReadSession, ports: VerifyPorts): Promise<string | undefined> {
  const [answer] = await answerQuestions(ask({ ask: 'unit', unit } as const), session, ports.clock);
  if (!answer.ok) return `${unit} could not be looked at: ${answer.detail}`;
  if (answer.value.properties['NeedDaemonReload'] === 'yes') return `systemd has not loaded what is on disk for ${unit}`;
  if (invocationId === undefined || answer.value.properties['InvocationID'] === invocationId) return undefined;
  return `${unit} was restarted by someone else while its files were changed`;
}

function notProved(what: string): HostFact {
  return { type: 'proved', ok: false, failure: { kind: 'notProved', summary: what } };
}
