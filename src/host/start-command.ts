/**
 * How a shell of ours starts on a node, as plain data: the command for the login shell, and how its way to root goes. Pure; never
 * holds a password. Where a password may be asked for, or root cannot be told from its absence, the root shell first prints
 * ROOT_LINE: what is sent before that could be taken for a password, or a password for a command.
 */
import type { Becoming, BecomeMethod } from '../core/host.js';

/** Constant, so that a rule of sudoers can list the command. */
export const ROOT_LINE = 'fm-root\n';

const SHELL = '/bin/sh -s';
/** Starts what may ask for a password: a program that asks and hears nothing has failed, as PAM counts. */
export const GO_LINE = 'go\n';

/** What root runs where ROOT_LINE is waited for. */
export const ROOT_COMMAND = 'echo fm-root; exec /bin/sh -s';
/** The same on a terminal: bytes pass unchanged, nothing is echoed, and only the answers come back. `+i`: a terminal would make some shells talk. */
export const ROOT_COMMAND_ON_TERMINAL = 'stty raw -echo; echo fm-root; exec /bin/sh +i -s 2>/dev/null';

export interface RootWay {
  readonly terminal?: 'pty';
  /** Whether ROOT_LINE is waited for. */
  readonly saysRoot: boolean;
  /** No root shell at all: single commands (narrow.sh). */
  readonly isNarrow?: true;
  /** How its question for a password is known: sudo prints what we give it, su and doas have their own words. */
  readonly prompt?: 'ours' | 'theirs';
}

/** su and doas ask on a terminal only, so a password for them takes one. */
export function rootWay(become: BecomeMethod, becoming: Becoming = {}): RootWay {
  if (become === 'none') return { saysRoot: false };
  if (becoming.scope === 'commands') return { saysRoot: false, isNarrow: true };
  const mayAsk = becoming.password !== undefined;
  const onTerminal = becoming.terminal === 'pty' || (mayAsk && become !== 'sudo');
  return {
    ...(onTerminal ? { terminal: 'pty' as const } : {}),
    saysRoot: onTerminal || mayAsk || become === 'su',
    ...(mayAsk ? { prompt: become === 'sudo' ? ('ours' as const) : ('theirs' as const) } : {}),
  };
}

/** A command for any login shell: plain words and one quoted word without `!`, `$` or newline (ssh.md 4.5). */
export function startCommand(become: BecomeMethod, nonce: string, becoming: Becoming = {}): string {
  const way = rootWay(become, becoming);
  const terminal = way.terminal ? 'stty -opost -echo; ' : '';
  const wait = way.prompt ? 'read fm_go && ' : '';
  return `exec /bin/sh -c '${terminal}echo ${upLine(nonce)}; ${wait}exec ${rootWords(become, nonce, way)}'`;
}

function rootWords(become: BecomeMethod, nonce: string, { terminal, saysRoot, isNarrow, prompt }: RootWay): string {
  if (isNarrow) return SHELL;
  const command = `"${terminal ? ROOT_COMMAND_ON_TERMINAL : ROOT_COMMAND}"`;
  const shell = saysRoot ? `/bin/sh -c ${command}` : SHELL;
  switch (become) {
    case 'none':
      return SHELL;
    case 'sudo':
      return `sudo ${!prompt ? '-n' : `${terminal ? '' : '-S '}-p ${promptText(nonce)}`} -- ${shell}`;
    case 'doas':
      return `env LC_ALL=C doas ${prompt ? '' : '-n '}${shell}`;
    case 'su':
      // Without a terminal su would take our first line for a password: it gets an empty input, and its shell ours.
      return terminal ? `env LC_ALL=C su root -s /bin/sh -c ${command}` : 'env LC_ALL=C su root -s /bin/sh -c "echo fm-root; exec /bin/sh -s <&3" 3<&0 </dev/null';
  }
}

export function upLine(nonce: string): string {
  return `fm-up-${nonce}`;
}

export function promptText(nonce: string): string {
  return `fm-password-${nonce}`;
}

/** For a node's side: the nonce of a start command; `undefined` when the command is not ours. */
export function nonceOfCommand(command: string): string | undefined {
  return /\bfm-up-([0-9a-f]{32})\b/.exec(command)?.[1];
}
