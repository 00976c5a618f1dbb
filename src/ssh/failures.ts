/**
 * Every way in which reaching a host can go wrong, as a Failure with its text: what happened, and what to do next
 * (design: errors; kinds of ssh.md 4.8). Text of a peer is cleaned and shortened here. Never holds a secret.
 */
import { cleanText, cutText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import type { AlgorithmOffer } from './algorithms.js';

/** Where to: `10.0.0.7:22`, `[fd00::7]:22`. */
export function targetOf(host: Hop): string {
  const address = cleanText(host.address);
  return `${address.includes(':') ? `[${address}]` : address}:${host.port}`;
}

/** Text of a peer on one line. */
export function quotePeer(text: string): string {
  return cutText(cleanText(text).replace(/\s+/g, ' ').trim(), 300);
}

const MAX_STARTUPS_ADVICE =
  'the likely cause is a limit of its sshd (MaxStartups, or PerSourcePenalties since OpenSSH 9.8): try again after a minute with fewer connections at once';

export function dnsFailure(host: Hop, reason: string): Failure {
  const target = cleanText(host.address);
  return {
    kind: 'dns', summary: `${target} could not be resolved (${reason})`, target,
    next: 'check the address in the inventory and the name server of this machine',
  };
}

export function refusedFailure(host: Hop, code: string): Failure {
  return {
    kind: 'refusedConnection', summary: `${targetOf(host)} refused the connection (${code})`,
    next: 'check that sshd runs there and listens on this port',
  };
}

export function connectTimeoutFailure(host: Hop, reason: string): Failure {
  return {
    kind: 'connectTimeout', summary: `${targetOf(host)} could not be reached (${reason})`,
    next: 'check that the host is up, its address and port, and the firewalls between',
  };
}

/** `firstText`: what the server said instead of an SSH greeting. */
export function lostBeforeHandshakeFailure(host: Hop, reason: string, firstText: string): Failure {
  const said = quotePeer(firstText);
  return {
    kind: 'lostBeforeHandshake',
    summary: `${targetOf(host)} closed the connection before the SSH handshake was done (${quotePeer(reason)})`,
    ...(said === '' ? {} : { detail: `the server said: ${said}` }),
    next: said === '' ? MAX_STARTUPS_ADVICE : `read what the server said, and check that it is an SSH server; if it is, ${MAX_STARTUPS_ADVICE}`,
  };
}

export function lostInLoginFailure(host: Hop, reason: string): Failure {
  return {
    kind: 'lostBeforeHandshake', summary: `${targetOf(host)} closed the connection during the login (${quotePeer(reason)})`,
    next: 'read the log of its sshd',
  };
}

export function handshakeTimeoutFailure(host: Hop, timeoutMs: number, firstText: string): Failure {
  const said = quotePeer(firstText);
  return {
    kind: 'handshakeTimeout', summary: `${targetOf(host)} did not finish the SSH handshake within ${timeoutMs} ms`,
    detail: said === '' ? 'the server accepted the connection and said nothing' : `the server said: ${said}`,
    next: 'check that this port is an SSH server, and that it is not overloaded',
  };
}

/** `method`: what the server did not answer. */
export function loginTimeoutFailure(host: Hop, timeoutMs: number, method: string | undefined): Failure {
  return {
    kind: 'handshakeTimeout', summary: `${targetOf(host)} did not finish the login within ${timeoutMs} ms`,
    detail: method === undefined ? 'the handshake was done; the server had not started the login' : `the handshake was done; the method ${method} was under way`,
    next: 'read the log of its sshd, and look at its load and at what its logins ask (PAM, a directory, DNS)',
  };
}

export function noCommonAlgorithmFailure(host: Hop, category: string, offered: readonly string[], ours: readonly string[], legacyHelps = false): Failure {
  return {
    kind: 'noCommonAlgorithm', summary: `${targetOf(host)} and fleetmend have no ${category} in common`,
    detail: `the server offers: ${quotePeer(offered.join(', '))}\nfleetmend accepts: ${ours.join(', ')}`,
    next: legacyHelps
      ? 'update its sshd; where that cannot be, --legacy-algorithms (or ssh: { legacyAlgorithms: true } in the inventory) reaches it with weak ones'
      : 'enable one of these on the server, or update it',
  };
}

export const CATEGORY_WORDS: Record<keyof AlgorithmOffer, string> = {
  kex: 'key exchange', hostKeys: 'host key type', ciphers: 'cipher', macs: 'integrity check', compression: 'compression mode',
};

export function protocolFailure(host: Hop, reason: string): Failure {
  return {
    kind: 'protocol', summary: `${targetOf(host)} broke the SSH protocol (${quotePeer(reason)})`,
    next: 'check that this port is an SSH server',
  };
}

export function channelRefusedFailure(host: Hop, reason: string): Failure {
  return {
    kind: 'channelRefused', summary: `${targetOf(host)} accepted the login but started no shell (${quotePeer(reason)})`,
    next: `check MaxSessions and ForceCommand of its sshd and the login shell of ${cleanText(host.user)}`,
  };
}

export function connectionLostFailure(host: Hop, reason: string): Failure {
  return {
    kind: 'connectionLost', summary: `the connection to ${targetOf(host)} was lost (${quotePeer(reason)})`,
    next: 'what the host was doing may still go on; contact it again before anything else',
  };
}

export function interruptedFailure(host: Hop): Failure {
  return { kind: 'interrupted', summary: `the connection to ${targetOf(host)} was given up` };
}

/** The code of a system error, for texts; never its message, which may quote a peer. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown error';
}

