/**
 * The verdict on one duration setting of a surveyed node under a playbook's policy. Three-valued: a reading that fails is
 * a fail whatever is not known, and what is not known is never a pass.
 */
import type { Finding, Verdict } from '../core/finding.js';
import { formatDuration } from './duration.js';
import { effectiveReading, literalReading, nextStartReading } from './reading.js';
import type { JudgedReading } from './reading.js';
import { runningRemarks, stoppedRemarks } from './remarks.js';
import { minimumNs } from './setting.js';
import type { DurationSetting, SettingPolicy } from './setting.js';
import type { KubeletSurvey, RunningKubelet, StoppedKubelet } from './survey-types.js';

export function judgeSetting(survey: KubeletSurvey, setting: DurationSetting, policy: SettingPolicy): Finding {
  switch (survey.state) {
    case 'running':
      return judgeRunning(survey, setting, policy);
    case 'notRunning':
      return judgeStopped(survey, setting, policy);
    case 'unknown':
    case 'notApplicable':
      return {
        verdict: survey.state, summary: survey.reason, expected: describePolicy(setting, policy),
        actual: survey.state === 'unknown' ? 'unknown' : 'not applicable', readings: [], drift: [], notes: [],
      };
  }
}

function judgeRunning(survey: RunningKubelet, setting: DurationSetting, policy: SettingPolicy): Finding {
  const literal = literalReading(survey, setting, policy);
  const effective = effectiveReading(survey, setting, policy);
  const next = nextStartReading(survey, setting, policy);
  const { crash } = next;
  const deciding = policy.judge === 'both' ? [effective, literal] : [policy.judge === 'literal' ? literal : effective];
  // A next start with a value that fails is a node on its way to fail; the text alone does not look ahead.
  const ahead = policy.judge === 'literal' ? [] : [next];
  const failing = crash !== undefined ? next : [...deciding, ...ahead].find((reading) => reading.verdict === 'fail');
  const decisive = failing ?? deciding.find((reading) => reading.verdict === 'unknown');
  const verdict: Verdict = decisive?.verdict ?? 'pass';
  return {
    verdict,
    summary: summarise(decisive, effective, literal, setting, policy),
    expected: describePolicy(setting, policy),
    actual: describeActual(decisive, effective, literal, policy),
    readings: [literal, effective, next].map(withoutReason),
    drift: survey.drift,
    ...(crash === undefined ? {} : { latentCrash: crash }),
    notes: runningRemarks(survey, setting),
  };
}

/** What a stopped kubelet runs with cannot be known; what it would run with is shown (kubelet.md 9, row 67). */
function judgeStopped(survey: StoppedKubelet, setting: DurationSetting, policy: SettingPolicy): Finding {
  const next = nextStartReading(survey, setting, policy);
  const { crash } = next;
  const ahead = next.verdict === 'unknown' ? '' : `; a start would give ${next.value}, from ${next.source}`;
  return {
    verdict: 'unknown',
    summary: `${survey.reason}${ahead}`,
    expected: describePolicy(setting, policy),
    actual: 'not running',
    readings: [withoutReason(next)],
    drift: [],
    ...(crash === undefined ? {} : { latentCrash: crash }),
    notes: stoppedRemarks(survey, setting),
  };
}

function summarise(decisive: JudgedReading | undefined, effective: JudgedReading, literal: JudgedReading, { key }: DurationSetting, policy: SettingPolicy): string {
  if (decisive === undefined) {
    const shown = policy.judge === 'literal' ? literal : effective;
    return `${key} is ${shown.value}, from ${shown.source}`;
  }
  const reason = decisive.reason ?? '';
  if (decisive.verdict === 'unknown') return `${key} could not be proved: ${reason}`;
  switch (decisive.name) {
    case 'effective':
      return `the kubelet runs with ${key} ${decisive.value}, from ${decisive.source}: ${reason}`;
    case 'literal':
      return `the benchmark's text finds ${decisive.value}, from ${decisive.source}: ${reason}${effective.verdict === 'pass' ? `; the kubelet runs with ${effective.value}` : ''}`;
    case 'nextStart':
      return decisive.crash !== undefined ? `the next start would fail: ${reason}` : `the next start would run with ${key} ${decisive.value}, from ${decisive.source}: ${reason}`;
  }
}

function describeActual(decisive: JudgedReading | undefined, effective: JudgedReading, literal: JudgedReading, policy: SettingPolicy): string {
  const shown = decisive ?? (policy.judge === 'literal' ? literal : effective);
  if (shown.verdict === 'unknown') return 'unknown';
  return shown.name === 'nextStart' ? `${shown.value} at the next start` : `${shown.value}, from ${shown.source}`;
}

function describePolicy({ flag }: DurationSetting, policy: SettingPolicy): string {
  const least = minimumNs(policy);
  return [
    least === undefined ? 'not 0' : `at least ${formatDuration(least)}`,
    ...(policy.mustBeExplicit === true ? ['set explicitly'] : []),
    ...(policy.flagForbidden === true ? [`without --${flag}`] : []),
  ].join(', ');
}

function withoutReason({ name, value, verdict, source }: JudgedReading): Finding['readings'][number] {
  return { name, value, verdict, source };
}
