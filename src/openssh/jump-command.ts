/**
 * The way through jump hosts that the inventory names, as one ProxyCommand: `ssh -W` at the last of them, by a ProxyCommand of its own
 * through those before. Not `-J`, which tells the `ssh` of a jump host nothing of which host keys to trust. Jump hosts that only
 * ssh_config names are none of these: they are reached and trusted as it says. Pure; never holds a secret.
 */
import { cleanText } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import type { Host } from '../core/host.js';
import { parseJump } from '../core/jump.js';
import type { ArgumentChoices, Server } from './server-options.js';
import { checkWord, checkedAddress, serverArguments, withoutTokens } from './server-options.js';

/** Each hop quotes those before it once more. A word of a program may have 128 KiB. */
const MOST_LENGTH = 100 * 1024;
/**
 * Without details: what it says goes to the standard error of the command. `SessionType` would contradict -W; a master connection of ssh_config to the
 * jump host is used as ever.
 */
const JUMP_OPTIONS: readonly string[] = ['LogLevel=ERROR'];

export type NamedJump = Server & { readonly isWayNone: boolean };

/** The nearest first. Throws FleetmendError (badInput). */
export function jumpsOf({ ssh }: Pick<Host, 'ssh'>): readonly NamedJump[] {
  const { proxyJump, jumpHosts = [], config, legacyJumps } = ssh ?? {};
  if (proxyJump === undefined || proxyJump === 'none') return [];
  const own = { ...(config === undefined ? {} : { config }), ...(legacyJumps === undefined ? {} : { legacyAlgorithms: true as const }) };
  return proxyJump.map((text) => {
    const jump = parseJump(checkWord('proxyJump', text));
    if (jump === undefined) throw notAJump(text);
    const { host, user, port } = jump;
    const place = { address: host, ...(user === undefined ? {} : { user }), ...(port === undefined ? {} : { port }) };
    const entry = jumpHosts.find((one) => one.jump === text);
    if (entry === undefined) return { name: host, ssh: own, isWayNone: false, ...place };
    const { jump: _text, ssh: said = {}, ...rest } = entry;
    const { proxyJump: way, ...saidOfIt } = said;
    return { ...rest, ssh: saidOfIt, isWayNone: way === 'none', ...place };
  });
}

/** A value of `ProxyCommand`, for the shell that `ssh` hands it to. Throws FleetmendError. */
export function jumpCommand(jumps: readonly NamedJump[], choices: ArgumentChoices): string {
  const command = jumps.reduce<string | undefined>((before, jump) => commandOf(jump, before, choices), undefined) ?? '';
  if (command.length > MOST_LENGTH) throw new FleetmendError({ kind: 'badInput', summary: `${jumps.length} jump hosts in a row are too many for the ssh program`, next: 'leave transport: openssh out for this host' });
  return command;
}

function commandOf(jump: NamedJump, before: string | undefined, choices: ArgumentChoices): string {
  const newer = (choices.newer ?? []).filter((option) => !option.startsWith('SessionType='));
  const way = before === undefined ? (jump.isWayNone ? NO_WAY : []) : wayBy(before);
  const words = [choices.program ?? 'ssh', ...serverArguments(jump, choices, [...JUMP_OPTIONS, ...newer, ...way])];
  // The tokens are those of the server behind: `ssh` puts them in.
  return [...words.map(ownWord), '-W', quoteWord('[%h]:%p'), '--', ownWord(checkedAddress(jump))].join(' ');
}

export const NO_WAY: readonly string[] = ['ProxyJump=none', 'ProxyCommand=none'];

/** What says first how a server is reached wins; with `-W` there is no socket to hand over. */
export function wayBy(command: string): readonly string[] {
  return [`ProxyCommand=${command}`, 'ProxyUseFdpass=no'];
}

function ownWord(word: string): string {
  return quoteWord(withoutTokens(word));
}

/**
 * One word for any shell that a person may have (`ssh` uses $SHELL). A backslash stands outside of the quotes: fish, and the reader of
 * ssh_config, which has the command first, would else see an escape.
 */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll(/['\\]/g, "'\\$&'")}'`;
}

function notAJump(text: string): FleetmendError {
  return new FleetmendError({ kind: 'badInput', summary: `proxyJump: expected a name that the ssh program accepts, got "${cleanText(text).slice(0, 100)}"`, next: 'correct it in the inventory' });
}
