/** Why a unit has no running main process, in words. Reads only systemd's properties. */
import type { UnitAnswer } from '../core/query.js';
import type { StoppedKubelet } from './survey-types.js';

type Stopped = Pick<StoppedKubelet, 'why' | 'reason'>;

export function describeStopped(unit: string, answer: UnitAnswer): Stopped {
  const { LoadState, ActiveState = 'unknown', SubState = '', Result = '', NRestarts = '0', ExecMainStatus = '' } = answer.properties;
  if (LoadState === 'masked') return { why: 'masked', reason: `${unit} is masked and does not run` };
  if (ActiveState === 'failed') {
    const limit = Result === 'start-limit-hit' ? ': systemd has given up starting it' : '';
    return { why: 'failed', reason: `${unit} has failed (${Result}, exit status ${ExecMainStatus})${limit}` };
  }
  if (ActiveState === 'activating') {
    const crash = SubState === 'auto-restart' ? `crashes: last exit status ${ExecMainStatus}, ${NRestarts} restarts so far` : `is being started (${SubState})`;
    return { why: 'starting', reason: `${unit} ${crash}` };
  }
  if (ActiveState === 'inactive') return { why: 'inactive', reason: `${unit} is stopped` };
  return { why: 'other', reason: `${unit} is ${ActiveState} (${SubState}) without a main process` };
}

/** A short life after automatic restarts looks like a crash loop caught between two crashes (kubelet.md 9, row 66). */
export function restartNotes(unit: string, answer: UnitAnswer): string[] {
  const restarts = Number(answer.properties['NRestarts'] ?? '0');
  const startedUs = Number(answer.properties['ExecMainStartTimestampMonotonic'] ?? '0');
  const upSeconds = Math.round((answer.monotonicUs - startedUs) / 1e6);
  if (!(restarts > 0) || !(upSeconds < FRESH_SECONDS)) return [];
  return [`${unit} has been up for ${upSeconds} s after ${restarts} automatic restarts: it may be crashing again and again`];
}

const FRESH_SECONDS = 120;
