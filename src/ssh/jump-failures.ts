/**
 * What goes wrong on the way to a host, as failures. A jump host's text names no host behind it, so it is the same for all of
 * them, and is shown once. Never holds a secret.
 */
import { cleanText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { quotePeer, targetOf } from './failures.js';
import type { Hop } from './route.js';

function nameOf(jump: Hop): string {
  return `jump host ${cleanText(jump.name)}`;
}

/** `reason`: what its own connection failed of. One that is about a jump host before it, or not about servers at all, stays as it is. */
export function jumpHostFailure(jump: Hop, reason: Failure): Failure {
  if (reason.kind === 'jumpHost' || reason.kind === 'interrupted' || reason.kind === 'badInput' || reason.kind === 'bug') return reason;
  const next = reason.kind === 'connectionLost' ? 'what the hosts behind it were doing may still go on; look after the jump host, and contact them again' : reason.next;
  return {
    kind: 'jumpHost', summary: `${nameOf(jump)}: ${reason.summary}`,
    ...(reason.detail === undefined ? {} : { detail: reason.detail }),
    ...(next === undefined ? {} : { next }),
  };
}

export function forwardingForbiddenFailure(jump: Hop): Failure {
  const user = cleanText(jump.user);
  return {
    kind: 'jumpHost', summary: `${nameOf(jump)}: ${targetOf(jump)} let ${user} in, but does not forward its connections to the host behind it`,
    next: `check AllowTcpForwarding, PermitOpen and DisableForwarding of its sshd, and the options of the key in authorized_keys of ${user} there (restrict, no-port-forwarding, permitopen)`,
  };
}

export function noChannelFailure(jump: Hop): Failure {
  return {
    kind: 'jumpHost', summary: `${nameOf(jump)}: ${targetOf(jump)} has no resources for a single forwarded connection`,
    next: 'look at the load, the memory and the open files of the jump host',
  };
}

export function noRoomFailure(jump: Hop, connections: number, channels: number, waitedMs: number): Failure {
  return {
    kind: 'jumpHost', summary: `${nameOf(jump)}: no room within ${Math.ceil(waitedMs / 1_000)} s: it carries ${channels} hosts on each of ${connections} connections`,
    next: 'use a smaller --concurrency, or raise the limits of the jump host',
  };
}

/** Of the host behind: the jump host is well, and could not get through to it. `said`: text of the jump host. */
export function unreachableFromFailure(host: Hop, jump: Hop, said: string): Failure {
  return {
    kind: 'connectTimeout', summary: `${targetOf(host)} could not be reached from ${nameOf(jump)} (${quotePeer(said)})`,
    next: 'check that the host is up, its address and port as seen from the jump host, and the firewalls between the two',
  };
}

/** `what` it did; `said`: the start of its stderr. */
export function proxyCommandFailure(host: Hop, what: string, said: string): Failure {
  const text = cleanText(said).trim();
  return {
    kind: 'connectTimeout', summary: `the ProxyCommand to ${targetOf(host)} ${what} before the server said anything`,
    ...(text === '' ? {} : { detail: `the ProxyCommand said: ${text}` }),
    next: 'run the command by hand: it must give what the server says, in less time than ConnectTimeout (`connectTimeout` in the inventory)',
  };
}
