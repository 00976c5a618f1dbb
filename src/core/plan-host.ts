/**
 * From questions to the plan of one host: the audit, then what each step wants. Decides also that a
 * host must not be touched. Never changes anything and never asks by itself: it yields questions.
 */
import { digestOf, fromBase64 } from './bytes.js';
import type { Catalogue, StepIntent } from './catalogue.js';
import type { DiffSecrets } from './diff.js';
import { diffOf } from './diff.js';
import type { Edit } from './effect.js';
import type { Failure } from './failure.js';
import { boundFinding } from './bound-finding.js';
import type { Finding } from './finding.js';
import { guardDeadlineMs } from './guard.js';
import { lookAtHealth } from './health.js';
import { lookAtDisruption } from './look-at-disruption.js';
import type { LockVerdict } from './lock.js';
import { judgeLock } from './lock.js';
import { observe } from './observed.js';
import type { Baseline, HostPlan, PlannedStep } from './plan.js';
import type { Playbook, PlaybookStep } from './playbook.js';
import type { AnswerMemory } from './questions.js';
import { afterEdits, remember } from './questions.js';
import type { CapabilityAnswer, Questions } from './query.js';
import { ask } from './query.js';

/** The audit alone. */
export function* auditHost(playbook: Playbook, catalogue: Catalogue): Questions<Finding> {
  const probe = catalogue.probes[playbook.audit.probe];
  if (probe === undefined) throw new Error(`no such probe: ${playbook.audit.probe}`);
  return boundFinding(yield* probe.audit(playbook.audit.params));
}

/** `run`: who asks; a lock of the same run is no obstacle. */
export function* planHost(host: string, playbook: Playbook, catalogue: Catalogue, run: string): Questions<HostPlan> {
  const { value, observed } = yield* observe(planUnobserved(host, playbook, catalogue, run));
  return { ...value, observed };
}

function* planUnobserved(host: string, playbook: Playbook, catalogue: Catalogue, run: string): Questions<HostPlan> {
  const memory: AnswerMemory = new Map();
  const finding = yield* remember(auditHost(playbook, catalogue), memory);
  const lock = yield* lookAtLock(run, memory);
  const notes = lock.free && lock.note !== undefined ? [lock.note] : [];
  const untouched = { host, finding, steps: [], notes };
  if (!lock.free) return { ...untouched, refusal: lock.failure };
  if (finding.verdict === 'pass') return untouched;
  const refusal = refuseByFinding(finding) ?? (yield* refuseByCapability(playbook, memory));
  if (refusal !== undefined) return { ...untouched, refusal };
  const draft = yield* planSteps(playbook, catalogue, memory);
  if (draft.refusal !== undefined) return { ...untouched, refusal: draft.refusal, notes: draft.notes };
  const vain = yield* refuseInVain(playbook, catalogue, memory, draft);
  if (vain !== undefined) return { ...untouched, refusal: vain, notes: draft.notes };
  const sick = yield* refuseBySickness(draft);
  if (sick !== undefined) return { ...untouched, refusal: sick, notes: draft.notes };
  const steps = [...draft.steps, FINAL_AUDIT];
  const disruption = yield* lookAtDisruption(steps, memory);
  return {
    host, finding, disruption, notes: [...notes, ...finding.notes, ...draft.notes], steps,
    ...(draft.baseline ? { baseline: draft.baseline } : {}),
    ...(playbook.guard === 'none' ? {} : { guard: { deadlineMs: guardDeadlineMs(steps, playbook.guard.marginMs) } }),
  };
}

const FINAL_AUDIT: PlannedStep = { id: 'audit', title: 'audit again', phase: 'verify', check: { check: 'audit' } };

/** A host that cannot be judged, or whose disk is not what runs, is not touched. */
function refuseByFinding(finding: Finding): Failure | undefined {
  if (finding.verdict === 'unknown') {
    return { kind: 'notJudged', summary: `could not be judged: ${finding.summary}` };
  }
  if (finding.verdict === 'notApplicable') return { kind: 'unsupported', summary: finding.summary };
  if (finding.latentCrash !== undefined) {
    return {
      kind: 'latentCrash',
      summary: `the next start would fail: ${finding.latentCrash}`,
      next: 'an undo could not bring the service back from such files: repair them by hand first',
    };
  }
  const [drift] = finding.drift;
  if (drift === undefined) return undefined;
  return {
    kind: 'drift',
    summary: `the disk differs from what runs: ${drift}`,
    ...(finding.drift.length > 1 ? { detail: finding.drift.join('\n') } : {}),
    next: 'a restart would bring in more than this change: restart or revert by hand, then audit again',
  };
}

/** Who is at work on the node is not changed under, nor is it called compliant while another run may still turn back. */
function* lookAtLock(run: string, memory: AnswerMemory): Questions<LockVerdict> {
  const [lock, capability] = yield* remember(askLockAndCapability(), memory);
  if (lock.ok) return judgeLock(lock.value, run);
  // Only root can see a lock; who is not root is told so where it matters.
  if (lock.reason === 'denied' || (capability.ok && capability.value.uid !== 0)) return { free: true };
  return { free: false, failure: { kind: 'denied', summary: `the lock of this node could not be looked at: ${lock.detail}` } };
}

function askLockAndCapability() {
  return ask({ ask: 'lock' } as const, { ask: 'capability' } as const);
}

function* refuseByCapability(playbook: Playbook, memory: AnswerMemory): Questions<Failure | undefined> {
  const [capability] = yield* remember(askCapability(), memory);
  if (!capability.ok) return { kind: 'denied', summary: `the node could not be looked at: ${capability.detail}` };
  if (capability.value.uid === 0 || capability.value.scope === 'commands') return playbook.guard === 'none' ? undefined : refuseWithoutGuard(capability.value);
  return { kind: 'denied', summary: 'changing files and units takes root', next: 'connect as root or set `become: sudo` in the inventory' };
}

function refuseWithoutGuard({ systemd, tools }: CapabilityAnswer): Failure | undefined {
  if (systemd !== undefined && tools.includes('systemd-run')) return undefined;
  return {
    kind: 'missingTool',
    summary: `no guard can be armed: this node has no ${systemd === undefined ? 'systemd' : 'systemd-run'}, so it could not restore itself if the connection were lost for good`,
    next: 'say `guard: none` in the playbook, or `--guard none`, to go on without one',
  };
}

function askCapability() {
  return ask({ ask: 'capability' } as const);
}

interface Draft {
  readonly steps: PlannedStep[];
  readonly notes: string[];
  readonly baseline?: Baseline;
  readonly refusal?: Failure;
}

function* planSteps(playbook: Playbook, catalogue: Catalogue, memory: AnswerMemory): Questions<Draft> {
  let draft: Draft = { steps: [], notes: [] };
  const edits: Edit[] = [];
  for (const step of playbook.steps) {
    const kind = catalogue.steps[step.kind];
    if (kind === undefined) throw new Error(`no such step: ${step.kind}`);
    // Nothing was edited: nothing is to be activated or verified.
    if (step.phase !== 'change' && edits.length === 0) break;
    const intent = yield* remember(afterEdits(kind.plan(step.params, { earlier: draft.steps }), edits), memory);
    if (intent.want === 'refusal') return { ...draft, refusal: intent.failure };
    if (intent.want === 'edits') {
      const refusal = yield* refuseUnwritable(intent.edits);
      if (refusal !== undefined) return { ...draft, refusal };
      const steps = yield* changeSteps({ id: step.id, title: kind.title(step.params) }, intent.edits, edits, memory, { rule: playbook.secrets, find: catalogue.findSecrets });
      if (steps === undefined) return { ...draft, refusal: MOVING };
      draft = { ...draft, steps: [...draft.steps, ...steps] };
      edits.push(...intent.edits);
    }
    draft = take(draft, step, kind.title(step.params), intent);
  }
  if (edits.length > 0) return draft;
  return {
    ...draft,
    refusal: { kind: 'unsupported', summary: 'the audit fails, but no step of the playbook would change anything here', detail: draft.notes.join('\n') },
  };
}

function take(draft: Draft, step: PlaybookStep, title: string, intent: StepIntent): Draft {
  switch (intent.want) {
    case 'refusal':
      return draft;
    case 'nothing':
      return { ...draft, notes: [...draft.notes, `${title}: nothing to do (${intent.reason})`] };
    case 'edits':
      return { ...draft, notes: [...draft.notes, ...intent.notes] };
    case 'activation':
      return {
        ...draft,
        notes: [...draft.notes, ...intent.notes],
        steps: [...draft.steps, {
          id: step.id, title, phase: 'activate', activation: intent.activation, afterUndoOf: intent.afterUndoOf,
          ...(intent.before ? { before: intent.before } : {}),
        }],
      };
    case 'check':
      return {
        ...draft,
        steps: [...draft.steps, { id: step.id, title, phase: 'verify', check: intent.check }],
        ...(intent.baseline ? { baseline: intent.baseline } : {}),
      };
  }
}

const MOVING: Failure = { kind: 'drift', summary: 'a file changed while it was looked at', next: 'plan again' };

/** One planned step per edit, so that each is begun, done and undone by itself. Undefined when a file is no longer what the step saw. */
function* changeSteps(
  step: { readonly id: string; readonly title: string },
  wanted: readonly Edit[],
  earlier: readonly Edit[],
  memory: AnswerMemory,
  secrets: DiffSecrets,
): Questions<PlannedStep[] | undefined> {
  const steps: PlannedStep[] = [];
  for (const [index, edit] of wanted.entries()) {
    const before = yield* contentBefore(edit, earlier, memory);
    if (before === undefined) return undefined;
    const after = edit.do === 'remove' ? 'absent' : fromBase64(edit.content);
    const id = wanted.length === 1 ? step.id : `${step.id}.${index + 1}`;
    steps.push({ id, title: `${step.title} in ${edit.path}`, phase: 'change', edit, diff: diffOf(edit.path, before, after, secrets) });
  }
  return steps;
}

function* contentBefore(edit: Edit, earlier: readonly Edit[], memory: AnswerMemory): Questions<Uint8Array | 'absent' | undefined> {
  if (edit.before === 'absent') return 'absent';
  const [file] = yield* remember(afterEdits(askFile(edit.path), earlier), memory);
  return file.ok && file.value.exists && digestOf(file.value.bytes) === edit.before ? file.value.bytes : undefined;
}

function askFile(path: string) {
  return ask({ ask: 'file', path } as const);
}

function* refuseUnwritable(edits: readonly Edit[]): Questions<Failure | undefined> {
  for (const edit of edits) {
    const [answer] = yield* ask({ ask: 'writable', path: edit.path } as const);
    if (!answer.ok) return { kind: 'denied', summary: `cannot tell whether ${edit.path} can be written: ${answer.detail}` };
    // Who may not write looks no further: such a visit is refused where it matters, when it opens to write.
    if (!answer.value.writable && answer.value.reason === 'notRoot') continue;
    if (!answer.value.writable) {
      const kind = answer.value.reason === 'noSpace' ? 'noSpace' : 'readOnly';
      return { kind, summary: `${edit.path} cannot be written: ${answer.value.reason}`, detail: answer.value.detail };
    }
    if (answer.value.links > 1) {
      return { kind: 'unsupported', summary: `${edit.path} has ${answer.value.links} hard links; replacing it would part them` };
    }
  }
  return undefined;
}

/** What the audit would say after the next start, with the planned edits in place: a restart for nothing is not taken. */
function* refuseInVain(playbook: Playbook, catalogue: Catalogue, memory: AnswerMemory, draft: Draft): Questions<Failure | undefined> {
  const edits = draft.steps.flatMap((step) => (step.phase === 'change' ? [step.edit] : []));
  const after = yield* remember(afterEdits(auditHost(playbook, catalogue), edits), memory);
  const next = after.readings.find((reading) => reading.name === 'nextStart');
  if (after.latentCrash === undefined && (next === undefined || next.verdict === 'pass')) return undefined;
  return {
    kind: 'unsupported',
    summary: `the steps would not make the audit pass; ${after.latentCrash ?? `the next start would have ${next?.value ?? 'nothing'} (${next?.source ?? 'unknown'})`}`,
    next: 'look at the parameters of the playbook, or mend this node by hand',
  };
}

/** A node that was sick before is refused, not "mended". */
function* refuseBySickness(draft: Draft): Questions<Failure | undefined> {
  if (draft.baseline === undefined) {
    const activates = draft.steps.some((step) => step.phase === 'activate');
    if (!activates) return undefined;
    return { kind: 'unsupported', summary: 'the playbook activates something but has no step that watches health, so nothing could be proved' };
  }
  const look = yield* lookAtHealth(draft.baseline.health);
  if (look.state === 'well' && look.life.invocationId !== draft.baseline.invocationId) {
    return { kind: 'drift', summary: `${draft.baseline.health.unit} was restarted while it was looked at`, next: 'plan again' };
  }
  if (look.state === 'well') return undefined;
  return { kind: 'unhealthy', summary: `sick before anything was touched: ${look.why}`, next: 'mend the node first, then run again' };
}
