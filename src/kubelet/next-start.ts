/**
 * Would the kubelet load what is on disk if it were started now, and with which value (kubelet.md 2.2 to 2.5, 3.1)?
 * Knows command line, file format and the one setting; never checks the types of other members.
 */
import { durationMember, dropInDurationMember } from './config-file.js';
import type { KubeletCommand } from './command.js';
import { parseDuration } from './duration.js';
import { flagUses } from './flags.js';
import type { DurationSetting } from './setting.js';
import { settingValue } from './setting-value.js';
import type { SettingValue } from './setting-value.js';
import type { ConfigFile, ConfigFiles, RunningKubelet, StoppedKubelet } from './survey-types.js';

export type NextValue = SettingValue | { readonly known: 'fails'; readonly reason: string };

type Hurdle = { readonly kind: 'fatal' | 'unread'; readonly reason: string };

/** Flags that benchmark texts invented; the kubelet exits on them (kubelet.md 1, item 18). */
const INVENTED_FLAGS = ['rotate-kubelet-server-certificate'];

export function nextValue(survey: RunningKubelet | StoppedKubelet, setting: DurationSetting): NextValue {
  const { next } = survey;
  if (next.predicted) {
    const { command, prediction } = next;
    if (command === undefined) return { known: 'fails', reason: `systemd would not start it: ${prediction.wouldNotStart ?? 'no command'}` };
    return valueOrHurdle(command, next.files, setting, survey.state === 'running' ? survey.command : undefined);
  }
  if (survey.state !== 'running') return { known: false, reason: next.reason };
  // Whatever starts it, it reads the same files as long as nobody changes its command line.
  const value = valueOrHurdle(survey.command, survey.files, setting, survey.command);
  return value.known === 'fails' ? value : { known: false, reason: `the next command line is not known: ${next.reason}` };
}

function valueOrHurdle(command: KubeletCommand, files: ConfigFiles, setting: DurationSetting, running: KubeletCommand | undefined): NextValue {
  const hurdles = [...commandHurdles(command, setting, running), ...fileHurdles(files, setting)];
  const fatal = hurdles.find((hurdle) => hurdle.kind === 'fatal');
  if (fatal !== undefined) return { known: 'fails', reason: fatal.reason };
  const value = settingValue(command, files, setting, []);
  const [unread] = hurdles;
  return unread === undefined || !value.known ? value : { known: false, reason: unread.reason };
}

function commandHurdles({ flags }: KubeletCommand, setting: DurationSetting, running: KubeletCommand | undefined): Hurdle[] {
  if (flags.error !== undefined) return [fatal(`the command line is refused: ${flags.error}`)];
  const badValue = flagUses(flags, setting.flag).map((use) => parseDuration(use.value)).find((parsed) => !parsed.ok);
  if (badValue?.ok === false) return [fatal(`--${setting.flag} is refused: ${badValue.error}`)];
  const accepted = new Set(running?.flags.flags.map((use) => use.name));
  const invented = flags.flags.find((use) => !accepted.has(use.name) && (INVENTED_FLAGS.includes(use.name) || /[A-Z:]/.test(use.name)));
  return invented === undefined ? [] : [fatal(`unknown flag: --${invented.name}`)];
}

function fileHurdles({ config, directory }: ConfigFiles, setting: DurationSetting): Hurdle[] {
  const hurdles = [fileHurdle(config, setting, durationMember)];
  if (directory?.state === 'missing') hurdles.push(fatal(`--config-dir ${directory.path} does not exist`));
  if (directory?.state === 'unread') hurdles.push({ kind: 'unread', reason: `${directory.path} could not be listed: ${directory.detail ?? 'no answer'}` });
  for (const dropIn of directory?.dropIns ?? []) hurdles.push(fileHurdle(dropIn, setting, dropInDurationMember));
  return hurdles.filter((hurdle) => hurdle !== undefined);
}

function fileHurdle(config: ConfigFile | undefined, { key }: DurationSetting, memberOf: typeof dropInDurationMember): Hurdle | undefined {
  if (config === undefined) return undefined;
  const { path, file, decoded } = config;
  if (!file.ok) return { kind: 'unread', reason: `${path} could not be read: ${file.detail}` };
  if (!file.value.exists) return fatal(`${path} does not exist`);
  if (decoded === undefined) return fatal(`${path} is not a file`);
  if (!decoded.ok) return fatal(`${path}: ${decoded.error}`);
  const member = memberOf(decoded.value, key);
  return member.state === 'fatal' ? fatal(`${path}: ${key} is ${member.shown}: ${member.error}`) : undefined;
}

function fatal(reason: string): Hurdle {
  return { kind: 'fatal', reason };
}
