/** What the command line says of all hosts beside the inventory. It is joined into the hosts, and so kept with a run and a saved plan. Pure. */
import { resolve } from 'node:path';
import type { Host, HostSsh, JumpHost } from '../core/host.js';
import { formatJump, JUMP_EXPECTED, parseJump } from '../core/jump.js';
import type { SaidOfHosts } from '../core/ports.js';
import { badInput } from './bad-input.js';

export interface HostArguments {
  readonly identityFile?: string | undefined;
  readonly sshConfig?: string | undefined;
  readonly proxyJump?: string | undefined;
  readonly legacyAlgorithms?: boolean | undefined;
  readonly askPassword?: boolean | undefined;
  readonly askBecomePassword?: boolean | undefined;
}

/** For hosts of an inventory: a key file that the inventory names stays. Throws FleetmendError (badInput). */
export function saidOfHosts(args: HostArguments): SaidOfHosts {
  const { identityFile, proxyJump } = args;
  return {
    with: (host) => withChoices(identityFile === undefined ? host : { identityFile: resolve(identityFile), ...host }, args),
    ...(proxyJump === undefined ? {} : { proxyJump: jumpsOf(proxyJump) }),
  };
}

/**
 * For hosts of a past run or a saved plan, whose jumps are joined. The key files of another machine may not be there on this one:
 * what is said now wins. Throws FleetmendError (badInput).
 */
export function hostsAgain(hosts: readonly Host[], args: HostArguments): Host[] {
  const key = args.identityFile === undefined ? {} : { identityFile: resolve(args.identityFile) };
  const way = args.proxyJump === undefined ? undefined : { proxyJump: jumpsOf(args.proxyJump), jumpHosts: [] };
  return hosts.map((host) => {
    const again = withChoices({ ...host, ...key }, args);
    const { jumpHosts } = host.ssh ?? {};
    if (way !== undefined) return { ...again, ssh: { ...again.ssh, ...way } };
    return jumpHosts === undefined ? again : { ...again, ssh: { ...again.ssh, jumpHosts: jumpHosts.map((jump) => jumpAgain({ ...jump, ...key }, args)) } };
  });
}

function jumpAgain(jump: JumpHost, args: HostArguments): JumpHost {
  const said = sshChoices(jump.ssh, args);
  return Object.keys(said).length === 0 ? jump : { ...jump, ssh: { ...jump.ssh, ...said } };
}

function withChoices(host: Host, args: HostArguments): Host {
  // What the system's own ssh asks, nobody could answer.
  const said = sshChoices(host.ssh, host.transport === 'openssh' ? { ...args, askPassword: false } : args);
  const asksBecome = args.askBecomePassword === true && host.become !== 'none' && host.becoming?.password === undefined;
  return {
    ...host,
    ...(Object.keys(said).length === 0 ? {} : { ssh: { ...host.ssh, ...said } }),
    ...(asksBecome ? { becoming: { ...host.becoming, password: { from: 'prompt' } } } : {}),
  };
}

function sshChoices(own: Pick<HostSsh, 'password'> | undefined, { sshConfig, legacyAlgorithms, askPassword }: HostArguments): Pick<HostSsh, 'config' | 'legacyAlgorithms' | 'legacyJumps' | 'password'> {
  return {
    ...(sshConfig === undefined ? {} : { config: sshConfig === 'none' ? sshConfig : { file: resolve(sshConfig) } }),
    ...(legacyAlgorithms === true ? { legacyAlgorithms, legacyJumps: true as const } : {}),
    ...(askPassword === true && own?.password === undefined ? { password: { from: 'prompt' } } : {}),
  };
}

function jumpsOf(text: string): readonly string[] | 'none' {
  if (text === 'none') return text;
  return text.split(',').map((one) => {
    const jump = parseJump(one.trim());
    if (jump === undefined) throw badInput(`--proxy-jump: expected none, ${JUMP_EXPECTED}, or several with commas, got "${one}"`);
    return formatJump(jump);
  });
}
