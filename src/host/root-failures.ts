/** What can keep a login from becoming root, as failures: what happened, and the rule that would allow it. Never decides by a text. */
import { cleanLine, cutText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import type { Host } from '../core/host.js';
import type { Barrier } from '../core/password-trials.js';
import { rootWay } from './start-command.js';
import { narrowLine } from './narrow-rules.js';
import { howToAllow, sudoersLine, rootCommand } from './sudo-rules.js';

/** Who wanted to become root: the login's name as far as it is known here. */
export interface Login {
  readonly host: Host;
  readonly user: string;
}

export function rootRefused({ host, user }: Login, why: string, complaints: string): Failure {
  const hint = host.become === 'sudo' && rootWay(host.become, host.becoming).terminal === undefined ? ' (where sudo asks for a terminal: `become: {method: sudo, tty: true}`)' : '';
  return {
    kind: 'rootRefused',
    summary: `${host.become} gave ${user} no root shell${why}`,
    ...(complaints === '' ? {} : { detail: complaints }),
    next: `${howToAllow(user, host.become, host.becoming)}${hint}`,
  };
}

export function passwordNotAccepted({ host, user }: Login, complaints: string): Failure {
  return {
    kind: 'rootRefused',
    summary: `${host.become} did not accept the password of ${host.become === 'su' ? 'root' : user}`,
    ...(complaints === '' ? {} : { detail: complaints }),
    done: 'it was tried once and is not sent to this host again',
    next: 'run again with the right password',
  };
}

export function passwordBarred({ host, user }: Login, barrier: Barrier): Failure {
  const password = `the password of ${host.become === 'su' ? 'root' : user}`;
  const summary = (why: string): string => `${host.become} was not started: ${why}`;
  switch (barrier.by) {
    case 'refused':
      return { kind: 'rootRefused', summary: summary(`this host refused ${password} before`), done: 'nothing was sent to it again: more tries could lock the account', next: 'run again with the right password' };
    case 'unanswered':
      return {
        kind: 'rootRefused', summary: summary(`this host got ${password} before and did not answer in time`), done: 'it is not sent again',
        next: 'see what the host does for so long (PAM, a directory, DNS); a new run sends it again',
      };
    case 'others':
      return {
        kind: 'rootRefused', summary: summary(`${barrier.names.length} hosts refused ${password} (${barrier.names.map(cleanLine).join(', ')}) and none accepted it`),
        done: 'it was not sent: more tries could lock the account', next: 'run again with the right password; if it is right, look at the hosts that refused it, and run without them',
      };
  }
}

export function passwordNotGiven({ host, user }: Login, complaints: string): Failure {
  return {
    kind: 'rootRefused',
    summary: `${host.become} asks ${user} for a password, and the inventory names none`,
    ...(complaints === '' ? {} : { detail: complaints }),
    next: 'name its source in the inventory (`passwordEnv` or `passwordCommand` of `become`), or give --ask-become-password',
  };
}

/** `waiting`: what was printed last has no end of its line, as a question has. */
export function rootTooLate({ host, user }: Login, timeoutMs: number, waiting: boolean, complaints: string): Failure {
  const within = `within ${Math.ceil(timeoutMs / 1000)} s`;
  if (!waiting) return { kind: 'timeout', summary: `${host.become} gave ${user} no root shell ${within}`, ...(complaints === '' ? {} : { detail: complaints }), done: 'the connection was closed' };
  return {
    kind: 'rootRefused',
    summary: `${host.become} asks ${user} for something else than the password`,
    detail: complaints,
    done: `nothing was sent as an answer, and the connection was closed ${within}`,
    next: 'let this login become root with a password alone, or with none',
  };
}

/** In a visit without a root shell: one of its commands is in no rule. */
export function commandRefused({ user }: Login, command: string): Failure {
  const shown = cutText(cleanLine(command), 1_024);
  return {
    kind: 'rootRefused',
    summary: `sudo does not let ${user} run: ${shown}`,
    next: `allow it in sudoers: ${narrowLine(user, shown)} (\`fleetmend sudoers PLAYBOOK --scope commands\` prints all of them)`,
  };
}

/** A change takes one root shell; the inventory allows none. */
export function narrowWrite(host: Host, user: string): Failure {
  return {
    kind: 'rootRefused',
    summary: 'the inventory allows single commands as root only (`scope: commands`), and a change takes a root shell',
    done: 'nothing was changed',
    next: `take \`scope: commands\` away and allow the root shell: ${sudoersLine(user, rootCommand(host.become))}`,
  };
}
