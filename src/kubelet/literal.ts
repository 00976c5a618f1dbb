/**
 * The benchmark's text taken literally: the flag on the running command line, else the member of the `--config` file,
 * "is not set to 0". It knows no drop-ins and no defaults; any spelling of zero counts as zero.
 */
import type { KubeletCommand } from './command.js';
import { parseDuration } from './duration.js';
import { lastFlag } from './flags.js';
import type { DurationSetting } from './setting.js';
import type { ConfigFiles } from './survey-types.js';

export type LiteralValue =
  | { readonly state: 'written'; readonly shown: string; readonly ns: bigint | undefined; readonly by: 'flag' | 'config'; readonly path?: string }
  | { readonly state: 'absent' }
  | { readonly state: 'unknown'; readonly reason: string };

export function literalValue(command: KubeletCommand, { config }: ConfigFiles, { flag, key }: DurationSetting): LiteralValue {
  const use = lastFlag(command.flags, flag);
  if (use !== undefined) return { state: 'written', shown: use.value, ns: amount(use.value), by: 'flag' };
  if (command.flags.error !== undefined) return { state: 'unknown', reason: `the command line does not parse: ${command.flags.error}` };
  if (config === undefined) return { state: 'absent' };
  const { path, file, decoded } = config;
  if (!file.ok) return { state: 'unknown', reason: `${path} could not be read: ${file.detail}` };
  if (decoded === undefined) return { state: 'unknown', reason: `${path} ${file.value.exists ? 'is not a file' : 'does not exist'}` };
  if (!decoded.ok) return { state: 'unknown', reason: `${path}: ${decoded.error}` };
  const member = Object.hasOwn(decoded.value, key) ? decoded.value[key] : undefined;
  if (member === undefined) return { state: 'absent' };
  return { state: 'written', shown: shownMember(member), ns: amount(member), by: 'config', path };
}

/** `undefined` for what is no duration: the text only asks whether it is 0. */
function amount(written: unknown): bigint | undefined {
  if (typeof written === 'number') return written === 0 ? 0n : undefined;
  if (typeof written !== 'string') return undefined;
  if (/^\s*[-+]?0+(?:\.0*)?\s*$/.test(written)) return 0n;
  const parsed = parseDuration(written);
  return parsed.ok ? parsed.ns : undefined;
}

function shownMember(member: unknown): string {
  return typeof member === 'string' && /^\S+$/.test(member) ? member : JSON.stringify(member);
}
