/** Plans whole hosts with the playbooks that are shipped: order of steps, what is left alone, and why a host is not touched. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { splitCommandLine } from '../../src/core/bytes.js';
import type { Catalogue } from '../../src/core/catalogue.js';
import type { HostPlan, PlannedStep } from '../../src/core/plan.js';
import { planHost } from '../../src/core/plan-host.js';
import type { Questions } from '../../src/core/query.js';
import { findSecrets } from '../../src/kubelet/find-secrets.js';
import * as probes from '../../src/probes/index.js';
import { loadPlaybook } from '../../src/sources/playbook-file.js';
import * as steps from '../../src/steps/index.js';
import type { PlanCase, PlanExpectation, PlanNode } from './plan-case.js';
import { answerForPlan, planCases } from './plan-case.js';
import { part, parts } from './shown-intent.js';

const CATALOGUE: Catalogue = { steps, probes, findSecrets };
const PLAYBOOK = 'cis-3.2.5-streaming-connection-idle-timeout.yaml';
const cases = planCases();

it.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
  const { plan, trips } = planOf(one);
  expect(shownPlan(plan, one.expect, trips)).toEqual(one.expect);
});

it.each(cases.map((one) => [one.name, one] as const))('what a plan expects to run is proved before the restart and after it, and the old is what an undo must bring back: %s', (_, one) => {
  const { plan } = planOf(one);
  const restart = plan.steps.find((step) => step.phase === 'activate' && step.activation.do === 'restart');
  const healthy = plan.steps.find((step) => step.phase === 'verify' && step.check.check === 'healthy');
  expect(restart === undefined).toBe(plan.steps.length === 0);
  if (restart?.phase !== 'activate' || healthy?.phase !== 'verify') return;
  expect(healthy.check).toMatchObject({ unit: 'kubelet.service', forMs: 30_000, withinMs: 120_000 });
  const running = answerForPlan(one.node, { ask: 'process', pid: 900 }, 0);
  if (running.ask !== 'process' || !running.ok) throw new Error('the case has no process');
  expect(plan.baseline?.health.argv).toEqual(splitCommandLine(running.value.process?.cmdline ?? new Uint8Array()));
});

function planOf({ playbook, set, node }: PlanCase): { readonly plan: HostPlan; readonly trips: number } {
  const file = new URL(`../../playbooks/${playbook ?? PLAYBOOK}`, import.meta.url);
  const loaded = loadPlaybook(playbook ?? PLAYBOOK, readFileSync(file, 'utf8'), CATALOGUE, set ?? {});
  return answerAll(planHost('node-7', loaded, CATALOGUE, 'run-1'), node);
}

function answerAll(program: Questions<HostPlan>, node: PlanNode): { readonly plan: HostPlan; readonly trips: number } {
  let [looks, trips] = [0, 0];
  let next = program.next();
  while (next.done !== true) {
    trips += 1;
    const isLook = next.value.some((query) => query.ask === 'unit');
    next = program.next(next.value.map((query) => answerForPlan(node, query, isLook ? looks : looks - 1)));
    if (isLook) looks += 1;
  }
  return { plan: next.value, trips };
}

function shownPlan(plan: HostPlan, wanted: PlanExpectation, trips: number): unknown {
  const { finding, refusal } = plan;
  // What the audit remarked is the audit's to test.
  const notes = plan.notes.filter((note) => !finding.notes.includes(note));
  const diffs = plan.steps.flatMap((step) => (step.phase === 'change' ? [step.diff] : []));
  const reload = plan.steps.find((step) => step.phase === 'activate' && step.activation.do === 'daemonReload');
  return {
    verdict: finding.verdict,
    ...(plan.steps.length === 0 ? {} : { steps: plan.steps.map(shownStep) }),
    ...(refusal === undefined ? {} : { refusal: {
      kind: refusal.kind, summary: part(wanted.refusal?.summary, refusal.summary),
      ...(wanted.refusal?.next === undefined ? {} : { next: part(wanted.refusal.next, refusal.next ?? '-') }),
    } }),
    ...(wanted.argv === undefined ? {} : { argv: expectedWords(plan) }),
    ...(reload?.phase === 'activate' ? { reloadAfterUndoOf: reload.afterUndoOf } : {}),
    ...(wanted.notes === undefined && (plan.steps.length === 0 || notes.length === 0) ? {} : { notes: parts(wanted.notes ?? [], notes) }),
    ...(wanted.diff === undefined ? {} : { diff: parts(wanted.diff, diffs) }),
    ...(wanted.trips === undefined ? {} : { trips }),
  };
}

function shownStep(step: PlannedStep): string {
  switch (step.phase) {
    case 'change':
      return `change ${step.edit.path}`;
    case 'activate':
      return step.activation.do;
    case 'verify':
      return step.check.check;
  }
}

/** Before the restart and after it: the same words, or both are shown. */
function expectedWords({ steps: planned }: HostPlan): readonly string[] {
  const lists = planned.flatMap((step) => {
    if (step.phase === 'activate' && step.before?.check === 'commandLinePredicted') return [step.before.argv.slice(1)];
    return step.phase === 'verify' && step.check.check === 'healthy' ? [step.check.argv.slice(1)] : [];
  });
  const [before = [], after = []] = lists;
  return JSON.stringify(before) === JSON.stringify(after) ? before : [...before, 'BUT THEN', ...after];
}
