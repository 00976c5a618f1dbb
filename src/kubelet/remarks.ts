/** Remarks beside a verdict: what is odd on this node, what scanners will say, what has no effect. Never changes a verdict. */
import { formatDuration } from './duration.js';
import { flagUses, lastFlag } from './flags.js';
import { literalValue } from './literal.js';
import type { DurationSetting } from './setting.js';
import { FOUR_HOURS_NS } from './setting.js';
import { settingValue } from './setting-value.js';
import { flagSources } from './source.js';
import type { ConfigFile, RunningKubelet, StoppedKubelet } from './survey-types.js';

const SHORT_NS = 60_000_000_000n;

export function runningRemarks(survey: RunningKubelet, setting: DurationSetting): string[] {
  return [
    ...survey.notes,
    ...valueRemarks(survey, setting),
    ...flagRemarks(survey, setting),
    ...fileRemarks(survey, setting),
    ...startRemarks(survey, setting),
  ];
}

export function stoppedRemarks(survey: StoppedKubelet, setting: DurationSetting): string[] {
  return [...survey.notes, ...startRemarks(survey, setting)];
}

function valueRemarks({ command, files, staleConfig }: RunningKubelet, setting: DurationSetting): string[] {
  const value = settingValue(command, files, setting, staleConfig);
  const literal = literalValue(command, files, setting);
  if (!value.known) return [];
  const remarks: string[] = [];
  if (value.from.by === 'default' && value.from.because !== undefined) {
    remarks.push(`${value.from.because}, ${formatDuration(value.ns)}; scanners disagree about such a file, an explicit value ends that`);
  }
  if (value.from.by === 'dropIn' && literal.state === 'written') remarks.push(`drop-in ${value.from.path} overrides ${literal.path ?? 'the config file'}`);
  if (value.ns > 0n && value.ns < SHORT_NS) remarks.push(`${formatDuration(value.ns)} is very short: sessions would end at once`);
  if (value.ns > FOUR_HOURS_NS) remarks.push(`${formatDuration(value.ns)} is longer than the 4h after which the kubelet ends every connection anyway`);
  return remarks;
}

function flagRemarks({ command, files }: RunningKubelet, setting: DurationSetting): string[] {
  const remarks: string[] = [];
  const uses = flagUses(command.flags, setting.flag);
  const configs = flagUses(command.flags, 'config');
  const used = lastFlag(command.flags, setting.flag);
  if (uses.length > 1) remarks.push(`--${setting.flag} is given ${uses.length} times (${uses.map((use) => use.value).join(', ')}): the last one counts`);
  if (configs.length > 1) remarks.push(`--config is given ${configs.length} times: the last one counts`);
  const inFile = literalValue({ ...command, flags: { flags: [], positional: [] } }, files, setting);
  if (used !== undefined && inFile.state === 'written') remarks.push(`the flag overrides ${inFile.shown} in ${inFile.path ?? 'the config file'}`);
  const swallower = command.flags.flags.find((use) => use.words === 2 && use.value.replaceAll('_', '-').startsWith(`--${setting.flag}`));
  if (swallower !== undefined) remarks.push(`${swallower.value} is the value of --${swallower.name}, not a flag`);
  if (command.flags.error !== undefined) remarks.push(`the running command line does not parse here: ${command.flags.error}`);
  return remarks;
}

function fileRemarks({ command, files }: RunningKubelet, setting: DurationSetting): string[] {
  const { config, directory } = files;
  const remarks: string[] = [];
  if (config === undefined && lastFlag(command.flags, 'config-dir') === undefined) remarks.push('the kubelet runs without --config: only its flags count');
  if (config !== undefined) remarks.push(...contentRemarks(config, setting.key));
  if (directory?.state === 'link') remarks.push(`--config-dir ${directory.path} is a symlink, so the kubelet loads no drop-in from it`);
  if (directory?.state === 'notDirectory') remarks.push(`--config-dir ${directory.path} is not a directory`);
  if (directory !== undefined && directory.skipped.length > 0) {
    remarks.push(`not loaded from ${directory.path}, because only names ending in .conf are: ${directory.skipped.slice(0, 5).join(', ')}`);
  }
  for (const dropIn of directory?.dropIns ?? []) remarks.push(...contentRemarks(dropIn, setting.key));
  return remarks;
}

function contentRemarks({ path, decoded }: ConfigFile, key: string): string[] {
  if (decoded?.ok !== true) return [];
  const misspelt = Object.keys(decoded.value).filter((name) => name !== key && name.toLowerCase() === key.toLowerCase());
  return [...decoded.warnings.map((warning) => `${path}: ${warning}`), ...misspelt.map((name) => `${path}: ${name} is ignored, the key is ${key}`)];
}

function startRemarks(survey: RunningKubelet | StoppedKubelet, setting: DurationSetting): string[] {
  const { next } = survey;
  const remarks = next.predicted ? next.prediction.ignored.map((line) => `systemd ignores a part: ${line}`) : [`the next start could not be predicted: ${next.reason}`];
  return [...remarks, ...flagSources(survey, setting.flag).mentions];
}
