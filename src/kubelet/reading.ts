/** The three readings of one setting side by side, each with its own verdict: the text, the process, the next start. */
import type { Reading, Verdict } from '../core/finding.js';
import { formatDuration } from './duration.js';
import { lastFlag } from './flags.js';
import { literalValue } from './literal.js';
import { nextValue } from './next-start.js';
import type { NextValue } from './next-start.js';
import { minimumNs } from './setting.js';
import type { DurationSetting, SettingPolicy } from './setting.js';
import { settingValue } from './setting-value.js';
import type { SettingValue, ValueSource } from './setting-value.js';
import type { RunningKubelet, StoppedKubelet } from './survey-types.js';
import { describeOrigin, predictedOrigin, runningOrigin, unitFilesMoved } from './word-origin.js';

export interface JudgedReading extends Reading {
  /** Why it fails, or why nothing is known; absent when it passes. */
  readonly reason?: string;
  /** Of the next start: the kubelet would not come up, and why. */
  readonly crash?: string;
}

/** What the policy holds against a value; `undefined`: nothing. */
function objection(ns: bigint, policy: SettingPolicy): string | undefined {
  const least = minimumNs(policy);
  if (ns === 0n) return 'it is zero';
  if (ns < 0n) return 'it is negative';
  return least !== undefined && ns < least ? `it is less than ${formatDuration(least)}` : undefined;
}

export function literalReading(survey: RunningKubelet, setting: DurationSetting, policy: SettingPolicy): JudgedReading {
  const literal = literalValue(survey.command, survey.files, setting);
  const flag = lastFlag(survey.command.flags, setting.flag);
  const forbidden = flag !== undefined && policy.flagForbidden === true ? `--${setting.flag} is on the command line, which the policy forbids` : undefined;
  switch (literal.state) {
    case 'unknown':
      return { name: 'literal', value: 'unknown', verdict: 'unknown', source: literal.reason, reason: literal.reason };
    case 'absent': {
      const unset = policy.mustBeExplicit === true && !isSetInDropIns(survey, setting) ? 'it is not set explicitly' : undefined;
      return verdictOf('literal', 'absent', 'no flag, and no such key in the --config file', unset);
    }
    case 'written': {
      const source = literal.by === 'flag' ? flagSource(survey, setting) : (literal.path ?? '');
      return verdictOf('literal', literal.shown, source, forbidden ?? (literal.ns === undefined ? undefined : objection(literal.ns, policy)));
    }
  }
}

export function effectiveReading(survey: RunningKubelet, setting: DurationSetting, policy: SettingPolicy): JudgedReading {
  const value = settingValue(survey.command, survey.files, setting, survey.staleConfig);
  const forbidden = policy.flagForbidden === true && lastFlag(survey.command.flags, setting.flag) !== undefined;
  return ofValue('effective', value, (source) => describeSource(source, () => flagSource(survey, setting)), policy, forbidden);
}

export function nextStartReading(survey: RunningKubelet | StoppedKubelet, setting: DurationSetting, policy: SettingPolicy): JudgedReading {
  const value = nextValue(survey, setting);
  const command = survey.next.predicted ? survey.next.command : undefined;
  const forbidden = policy.flagForbidden === true && command !== undefined && lastFlag(command.flags, setting.flag) !== undefined;
  return ofValue('nextStart', value, (source) => describeSource(source, (use) => {
    const origin = predictedOrigin(survey.next, use);
    return origin === undefined ? 'flag, source unknown' : describeOrigin(origin);
  }), policy, forbidden);
}

function ofValue(name: Reading['name'], value: NextValue | SettingValue, describe: (source: ValueSource) => string, policy: SettingPolicy, forbidden: boolean): JudgedReading {
  if (value.known === 'fails') return { name, value: 'does not load', verdict: 'fail', source: value.reason, reason: value.reason, crash: value.reason };
  if (!value.known) return { name, value: 'unknown', verdict: 'unknown', source: value.reason, reason: value.reason };
  const unset = policy.mustBeExplicit === true && value.from.by === 'default' && value.from.because === undefined ? 'it is not set explicitly' : undefined;
  const fault = forbidden ? 'the flag is there, which the policy forbids' : (objection(value.ns, policy) ?? unset);
  return verdictOf(name, formatDuration(value.ns), describe(value.from), fault);
}

function verdictOf(name: Reading['name'], value: string, source: string, fault: string | undefined): JudgedReading {
  const verdict: Verdict = fault === undefined ? 'pass' : 'fail';
  return { name, value, verdict, source, ...(fault === undefined ? {} : { reason: fault }) };
}

function describeSource(source: ValueSource, describeFlag: (use: Extract<ValueSource, { by: 'flag' }>['use']) => string): string {
  switch (source.by) {
    case 'flag':
      return describeFlag(source.use);
    case 'dropIn':
      return `drop-in ${source.path}`;
    case 'config':
      return source.path;
    case 'default':
      return source.because === undefined ? 'default' : `default: ${source.because}`;
  }
}

/** Of the flag that counts on the running command line. */
function flagSource(survey: RunningKubelet, setting: DurationSetting): string {
  const use = lastFlag(survey.command.flags, setting.flag);
  const origin = use === undefined ? undefined : runningOrigin(survey, use);
  if (origin !== undefined) return describeOrigin(origin);
  return unitFilesMoved(survey) ? 'flag of the running command line, no longer in the unit files' : 'flag of the running command line, source unknown';
}

function isSetInDropIns({ files }: RunningKubelet, { key }: DurationSetting): boolean {
  return (files.directory?.dropIns ?? []).some(({ decoded }) => decoded?.ok === true && (decoded.value[key] ?? null) !== null);
}
