/** The argument list of `ssh` for one host. No shell reads it, but for the ProxyCommand through jump hosts (jump-command.ts). Pure; never holds a secret. */
import type { Host } from '../core/host.js';
import { jumpCommand, jumpsOf, NO_WAY, wayBy } from './jump-command.js';
import type { ArgumentChoices } from './server-options.js';
import { checkedAddress, serverArguments } from './server-options.js';

/**
 * Of the target only. `ControlPath`: a visit over somebody's old connection would prove neither the host key nor that a new login still
 * works. `LogLevel` instead of -v: that would also reach the `ssh` of a jump host, and so the standard error of the command.
 */
const TARGET_OPTIONS: readonly string[] = ['LogLevel=DEBUG1', 'ControlMaster=no', 'ControlPath=none'];

/** Throws FleetmendError: badInput for a name that `ssh` must not see, authentication for a password, which this transport cannot send. */
export function sshArguments(host: Host, command: string, logFile: string, choices: ArgumentChoices, terminal?: 'pty'): string[] {
  const address = checkedAddress(host);
  return [
    ...serverArguments(host, choices, [...TARGET_OPTIONS, ...(choices.newer ?? []), ...wayOptions(host, choices)]),
    terminal === 'pty' ? '-tt' : '-T',
    '-E', logFile,
    '--', address, command,
  ];
}

function wayOptions(host: Host, choices: ArgumentChoices): readonly string[] {
  if (host.ssh?.proxyJump === 'none') return NO_WAY;
  const jumps = jumpsOf(host);
  return jumps.length === 0 ? [] : wayBy(jumpCommand(jumps, choices));
}
