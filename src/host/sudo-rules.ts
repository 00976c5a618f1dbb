/** The rules that let a login become root as a visit does it: lines of sudoers and of doas.conf. Pure; says what is allowed, never whether it is wise. */
import type { Becoming, BecomeMethod } from '../core/host.js';
import { ROOT_COMMAND, ROOT_COMMAND_ON_TERMINAL, rootWay } from './start-command.js';

/** The words of what root runs, the program first. */
export function rootCommand(become: BecomeMethod, becoming: Becoming = {}): readonly string[] {
  const { terminal, saysRoot } = rootWay(become, becoming);
  if (!saysRoot) return ['/bin/sh', '-s'];
  return ['/bin/sh', '-c', terminal ? ROOT_COMMAND_ON_TERMINAL : ROOT_COMMAND];
}

/** One line of sudoers; without a password unless one is configured. */
export function sudoersLine(user: string, command: readonly string[], becoming: Becoming = {}): string {
  return `${sudoersUser(user)} ALL=(root) ${becoming.password === undefined ? 'NOPASSWD: ' : ''}${sudoersCommand(command)}`;
}

/** sudo compares all arguments as one pattern, in which blanks need no mark and these characters do (sudoers(5)); a backslash twice, for the file and for the pattern. */
export function sudoersCommand([program = '', ...args]: readonly string[]): string {
  return [program, args.join(' ').replaceAll(/[\\,:=*?[\]!#]/g, (mark) => (mark === '\\' ? '\\\\\\\\' : `\\${mark}`))].join(' ').trimEnd();
}

export function sudoersUser(user: string): string {
  return user.replaceAll(/[^A-Za-z0-9_.-]/g, (mark) => `\\${mark}`);
}

/** One line of doas.conf. */
export function doasLine(user: string, command: readonly string[], becoming: Becoming = {}): string {
  const [program, ...args] = command.map((word) => (/^[A-Za-z0-9_./-]+$/.test(word) ? word : `"${word.replaceAll(/["\\]/g, (mark) => `\\${mark}`)}"`));
  return `permit ${becoming.password === undefined ? 'nopass ' : ''}${user} as root cmd ${program} args ${args.join(' ')}`;
}

/** What a person must do so that this login gets its root shell. */
export function howToAllow(user: string, become: BecomeMethod, becoming: Becoming = {}): string {
  const command = rootCommand(become, becoming);
  switch (become) {
    case 'sudo':
      return `allow it in sudoers: ${sudoersLine(user, command, becoming)}`;
    case 'doas':
      return `allow it in doas.conf: ${doasLine(user, command, becoming)}`;
    case 'su':
    case 'none':
      return becoming.password === undefined ? 'say where root\'s password comes from: `passwordEnv` or `passwordCommand` of `become` in the inventory, or --ask-become-password' : `see with \`su root\` as ${user} whether this login may use it with that password`;
  }
}
