/** A small plan as tests need it: two changes, reload, restart, two checks. */
import { digestOf, toBase64 } from '../../src/core/bytes.js';
import type { HostPlan, PlannedStep } from '../../src/core/plan.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);

export function changeStep(id: string, path: string): Extract<PlannedStep, { phase: 'change' }> {
  const [before, after] = [bytes(`${id} old`), bytes(`${id} new`)];
  return {
    id, title: `edit ${path}`, phase: 'change', diff: '',
    edit: { do: 'write', path, before: digestOf(before), after: digestOf(after), content: toBase64(after) },
  };
}

export const SAMPLE_STEPS: readonly PlannedStep[] = [
  changeStep('config', '/etc/config.json'),
  changeStep('dropIn', '/etc/drop-in.conf'),
  { id: 'reload', title: 'reload', phase: 'activate', activation: { do: 'daemonReload', timeoutMs: 1 }, afterUndoOf: ['dropIn'] },
  { id: 'restart', title: 'restart', phase: 'activate', activation: { do: 'restart', unit: 'kubelet.service', timeoutMs: 1 }, afterUndoOf: [] },
  { id: 'status', title: 'status', phase: 'verify', check: { check: 'status', unit: 'kubelet.service' } },
  { id: 'audit', title: 'audit again', phase: 'verify', check: { check: 'audit' } },
];

export function samplePlan(steps: readonly PlannedStep[] = SAMPLE_STEPS): HostPlan {
  return {
    host: 'node-1', steps, notes: [],
    finding: { verdict: 'fail', summary: 'zero', expected: 'not 0', actual: '0s', readings: [], drift: [], notes: [] },
  };
}
