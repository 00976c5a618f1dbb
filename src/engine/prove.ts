/**
 * Proves that a node is back in its old state: every touched file has its old bytes, systemd holds
 * what is on the disk, and the health that held before holds again. Never repairs anything.
 */
import { digestOf, splitCommandLine } from '../core/bytes.js';
import { dueActivations } from '../core/decide.js';
import type { HealthCheck } from '../core/health.js';
import { sameWords } from '../core/health.js';
import type { HostFact } from '../core/journal.js';
import type { HostState } from '../core/fold.js';
import type { HostPlan } from '../core/plan.js';
import type { Clock, ReadSession } from '../core/ports.js';
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
  const restarted = wasRestarted(plan, state);
  const [unit] = await answerQuestions(ask({ ask: 'unit', unit: health.unit } as const), session, ports.clock);
  if (!unit.ok) return notProved(`${health.unit} could not be looked at: ${unit.detail}`);
  const { NeedDaemonReload, ActiveState, InvocationID } = unit.value.properties;
  if (NeedDaemonReload === 'yes') return notProved(`systemd has not loaded what is on disk for ${health.unit}`);
  // Without a restart of ours the old process must still run: another one has read who knows which bytes.
  if (!restarted && InvocationID !== invocationId) {
    return ActiveState === 'active' ? { type: 'otherLife', unit: health.unit } : notProved(`${health.unit} is ${ActiveState ?? 'gone'}, and not by us`);
  }
  const well = await verify(restarted ? health : onOneLook(health), session, ports);
  if (!well.ok) return notProved(well.failure.summary);
  return { type: 'proved', ok: true, detail: `all files have their old bytes; ${well.detail}` };
}

/** By us, or by the guard: which at a boot leaves the start to systemd. */
function wasRestarted(plan: HostPlan, state: HostState): boolean {
  const byGuard = plan.steps.filter((step) => step.phase === 'activate' && state.reactivated[step.id] === 'done');
  return [...dueActivations(plan, state), ...byGuard].some((step) => step.phase === 'activate' && step.activation.do === 'restart');
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

/** Touched files whose content is neither from before this run nor from it: somebody else changed them since. */
export async function foreignFiles(plan: HostPlan, state: HostState, session: ReadSession, clock: Clock): Promise<string[]> {
  const known = new Map<string, Set<string>>();
  for (const step of plan.steps) {
    if (step.phase !== 'change' || (state.steps[step.id] ?? 'untouched') === 'untouched') continue;
    const digests = known.get(step.edit.path) ?? new Set<string>();
    known.set(step.edit.path, digests.add(step.edit.before).add(step.edit.do === 'write' ? step.edit.after : 'absent'));
  }
  const foreign: string[] = [];
  for (const [path, digests] of known) {
    const [file] = await answerQuestions(ask({ ask: 'file', path } as const), session, clock);
    if (!digests.has(digestNow(file))) foreign.push(path);
  }
  return foreign;
}

/**
 * Does the service run with another command line than this run left it with? Then more than our files changed since, and
 * bringing those back would not bring the old state back.
 */
export async function hasOtherCommandLine(plan: HostPlan, session: ReadSession, clock: Clock): Promise<boolean> {
  const health = plan.steps.flatMap((step) => (step.phase === 'verify' && step.check.check === 'healthy' ? [step.check] : []))[0];
  if (health === undefined) return false;
  const [unit] = await answerQuestions(ask({ ask: 'unit', unit: health.unit } as const), session, clock);
  if (!unit.ok || unit.value.process === undefined) return false;
  return !sameWords(splitCommandLine(unit.value.process.cmdline), health.argv);
}

function digestNow(answer: AnswerTo<{ ask: 'file'; path: string }>): string {
  if (!answer.ok) return `unreadable: ${answer.detail}`;
  return answer.value.exists ? digestOf(answer.value.bytes) : 'absent';
}

function notProved(what: string): HostFact {
  return { type: 'proved', ok: false, failure: { kind: 'notProved', summary: what } };
}
