/**
 * What a duration setting amounts to, by the kubelet's own precedence (kubelet.md 2.1): last flag, drop-ins from the last,
 * main file, default. A value is certain, or it says why it is not. Never guesses.
 */
import { durationMember, dropInDurationMember } from './config-file.js';
import { parseDuration } from './duration.js';
import type { FlagUse } from './flags.js';
import { lastFlag } from './flags.js';
import type { KubeletCommand } from './command.js';
import type { DurationSetting } from './setting.js';
import type { ConfigFile, ConfigFiles } from './survey-types.js';

export type SettingValue =
  | { readonly known: true; readonly ns: bigint; readonly from: ValueSource }
  | { readonly known: false; readonly reason: string };

export type ValueSource =
  | { readonly by: 'flag'; readonly use: FlagUse }
  | { readonly by: 'dropIn' | 'config'; readonly path: string }
  /** `because`: a file says zero, which means the default there. */
  | { readonly by: 'default'; readonly because?: string };

/** First release that applies the defaults again after merging drop-ins, and first whose merge is known at all (kubelet.md 1.3). */
const DEFAULTS_AFTER_MERGE = 32;
const MERGE_KNOWN = 29;

/** `stale`: paths whose content need not be what the process has read. */
export function settingValue(command: KubeletCommand, files: ConfigFiles, setting: DurationSetting, stale: readonly string[]): SettingValue {
  const use = lastFlag(command.flags, setting.flag);
  if (use !== undefined) {
    const parsed = parseDuration(use.value);
    return parsed.ok ? { known: true, ns: parsed.ns, from: { by: 'flag', use } } : unknown(`--${setting.flag}: ${parsed.error}`);
  }
  if (command.flags.error !== undefined) return unknown(`the command line does not parse: ${command.flags.error}`);
  return fromDropIns(files, setting, stale) ?? fromConfig(files.config, setting, stale);
}

function fromDropIns({ directory, version }: ConfigFiles, setting: DurationSetting, stale: readonly string[]): SettingValue | undefined {
  if (directory === undefined) return undefined;
  if (directory.state === 'missing') return unknown(`${directory.path} does not exist`);
  if (directory.state === 'unread') return unknown(`${directory.path} could not be listed: ${directory.detail ?? 'no answer'}`);
  if (stale.includes(directory.path)) return unknown(`files in ${directory.path} were added or removed after the kubelet had started`);
  for (const dropIn of [...directory.dropIns].reverse()) {
    const value = fromDropIn(dropIn, setting, stale, version?.minor);
    if (value !== undefined) return value;
  }
  const reset = directory.dropIns.length > 0 && version?.minor !== undefined && version.minor < MERGE_KNOWN;
  return reset ? unknown(`kubelet 1.${version.minor} may reset settings when it merges the drop-ins of ${directory.path}`) : undefined;
}

function fromDropIn(dropIn: ConfigFile, setting: DurationSetting, stale: readonly string[], minor: number | undefined): SettingValue | undefined {
  const content = contentOf(dropIn, stale);
  if (typeof content === 'string') return unknown(content);
  const member = dropInDurationMember(content, setting.key);
  if (member.state === 'absent') return undefined;
  if (member.state === 'fatal') return unknown(`${dropIn.path}: ${setting.key} ${member.shown} cannot be loaded`);
  if (member.state === 'set' && member.ns !== 0n) return { known: true, ns: member.ns, from: { by: 'dropIn', path: dropIn.path } };
  if (minor !== undefined && minor >= DEFAULTS_AFTER_MERGE) {
    const because = member.state === 'set' ? `zero in drop-in ${dropIn.path} means the default since 1.32` : `removed by drop-in ${dropIn.path}`;
    return { known: true, ns: setting.defaultNs, from: { by: 'default', because } };
  }
  if (member.state === 'set' && minor !== undefined && minor >= MERGE_KNOWN) return { known: true, ns: 0n, from: { by: 'dropIn', path: dropIn.path } };
  const written = member.state === 'set' ? 'zero' : 'null';
  return unknown(`${dropIn.path} sets ${setting.key} to ${written}, and what that means to ${minor === undefined ? 'a kubelet of unknown version' : `kubelet 1.${minor}`} is not known`);
}

function fromConfig(config: ConfigFile | undefined, setting: DurationSetting, stale: readonly string[]): SettingValue {
  if (config === undefined) return { known: true, ns: setting.defaultNs, from: { by: 'default' } };
  const content = contentOf(config, stale);
  if (typeof content === 'string') return unknown(content);
  const member = durationMember(content, setting.key);
  if (member.state === 'fatal') return unknown(`${config.path}: ${setting.key} ${member.shown} cannot be loaded, so the kubelet has started with other content`);
  if (member.state === 'absent') return { known: true, ns: setting.defaultNs, from: { by: 'default' } };
  if (member.ns === 0n) return { known: true, ns: setting.defaultNs, from: { by: 'default', because: `zero in ${config.path} means the default` } };
  return { known: true, ns: member.ns, from: { by: 'config', path: config.path } };
}

/** The decoded object, or why it is not known what the kubelet has read. */
function contentOf({ path, file, decoded }: ConfigFile, stale: readonly string[]): Record<string, unknown> | string {
  if (!file.ok) return `${path} could not be read: ${file.detail}`;
  if (!file.value.exists) return `${path} does not exist`;
  if (stale.includes(path)) return `${path} was changed after the kubelet had started`;
  if (decoded === undefined) return `${path} is not a file`;
  return decoded.ok ? decoded.value : `${path} cannot be loaded: ${decoded.error}`;
}

function unknown(reason: string): SettingValue {
  return { known: false, reason };
}
