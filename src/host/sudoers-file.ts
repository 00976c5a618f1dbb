/** The rules that a playbook takes on its nodes, as a file for /etc/sudoers.d and what to know about it. Pure. */
import type { Becoming, BecomeMethod } from '../core/host.js';
import { narrowCommands } from './narrow-rules.js';
import { doasLine, rootCommand, sudoersLine, sudoersUser } from './sudo-rules.js';

/** One way of one login to root, and the hosts that use it. */
export interface RootLogin {
  readonly user: string;
  readonly become: BecomeMethod;
  readonly becoming?: Becoming | undefined;
  readonly hosts: readonly string[];
}

export interface SudoersFileOptions {
  /** `cis-3.2.5-...`. */
  readonly playbook: string;
  readonly logins: readonly RootLogin[];
  /** That may have to be read as root; for logins without a root shell. */
  readonly files: readonly string[];
}

const HOSTS_SHOWN = 5;

export function sudoersFile({ playbook, logins, files }: SudoersFileOptions): string {
  const lines = [
    `# What the playbook ${playbook} takes on its nodes. Install it as /etc/sudoers.d/fleetmend (mode 0440);`,
    '# check it first: visudo -c -f FILE',
  ];
  for (const login of logins) lines.push('', ...aboutLogin(login, files));
  return `${lines.join('\n')}\n`;
}

function aboutLogin({ user, become, becoming, hosts }: RootLogin, files: readonly string[]): string[] {
  const where = hosts.length === 0 ? [] : [`# On ${hosts.slice(0, HOSTS_SHOWN).join(', ')}${hosts.length > HOSTS_SHOWN ? ` and ${hosts.length - HOSTS_SHOWN} more` : ''}.`];
  if (become === 'none') return [...where, `# ${user} logs in with the rights that it needs: no rule.`];
  if (becoming?.scope === 'commands') return [...where, ...NARROW, ...narrowCommands(files).map((command) => `${sudoersUser(user)} ALL=(root) NOPASSWD: ${command}`)];
  switch (become) {
    case 'sudo':
      return [...where, ...ONE_SHELL, sudoersLine(user, rootCommand(become, becoming), becoming)];
    case 'doas':
      return [...where, ...ONE_SHELL, '# For /etc/doas.conf, not for sudoers:', `# ${doasLine(user, rootCommand(become, becoming), becoming)}`];
    case 'su':
      return [...where, `# ${user} becomes root by su, which takes root's password and no rule.`];
  }
}

const ONE_SHELL = [
  '# audit, plan, apply, undo: one root shell, fed with a fixed text and data. No rule can be narrower than root here: what a',
  '# service of root reads as its configuration decides what root runs, so whoever may write that is root. For looking',
  '# without a root shell: fleetmend sudoers PLAYBOOK --scope commands.',
];

const NARROW = [
  '# audit and plan alone (`become: {method: sudo, scope: commands}`): single commands that only read; everything else is done',
  '# with the rights of the login. readlink and find tell which programs run. A file that a host keeps elsewhere, and this',
  '# login may not read, is added with --file; a host whose rules lack it is refused with the line that it takes.',
];
