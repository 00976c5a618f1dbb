/**
 * Every way in which reaching a host can go wrong, as a Failure with its text: what happened, and what to do next
 * (design: errors; kinds of ssh.md 4.8). Text of a peer is cleaned and shortened here. Never holds a secret.
 */
import { cleanText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import type { AlgorithmOffer } from './algorithms.js';
import type { KnownPlace } from './known-hosts.js';

/** Where to: `10.0.0.7:22`, `[fd00::7]:22`. */
export function targetOf(host: Hop): string {
  const address = cleanText(host.address);
  return `${address.includes(':') ? `[${address}]` : address}:${host.port}`;
}

/** Text of a peer on one line. */
export function quotePeer(text: string): string {
  const line = cleanText(text).replace(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}...` : line;
}

const MAX_STARTUPS_ADVICE =
  'the likely cause is a limit of its sshd (MaxStartups, or PerSourcePenalties since OpenSSH 9.8): try again after a minute with fewer connections at once';

export function dnsFailure(host: Hop, reason: string): Failure {
  return {
    kind: 'dns', summary: `the name ${cleanText(host.address)} could not be resolved (${reason})`,
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
    kind: 'handshakeTimeout', summary: `${targetOf(host)} did not finish the SSH handshake and login within ${timeoutMs} ms`,
    detail: said === '' ? 'the server accepted the connection and said nothing' : `the server said: ${said}`,
    next: 'check that this port is an SSH server, and that it is not overloaded',
  };
}

export function noCommonAlgorithmFailure(host: Hop, category: string, offered: readonly string[], ours: readonly string[]): Failure {
  return {
    kind: 'noCommonAlgorithm', summary: `${targetOf(host)} and fleetmend have no ${category} in common`,
    detail: `the server offers: ${quotePeer(offered.join(', '))}\nfleetmend accepts: ${ours.join(', ')}`,
    next: 'enable one of these on the server, or update it',
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

export interface PresentedKey {
  readonly keyType: string;
  readonly fingerprint: string;
}

function scanCommand(host: Hop, keyType: string): string {
  const short = keyType.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa');
  return `ssh-keyscan -p ${host.port} -t ${cleanText(short)} ${cleanText(host.address)} | ssh-keygen -lf -`;
}

/** `remarks`: what else is known (other key types, certificate authorities, unreadable lines). */
export function hostKeyUnknownFailure(host: Hop, shown: PresentedKey, learningFile: string, remarks: readonly string[]): Failure {
  return {
    kind: 'hostKeyUnknown', summary: `the host key of ${targetOf(host)} is not known: ${cleanText(shown.keyType)} ${shown.fingerprint}`,
    ...(remarks.length > 0 ? { detail: remarks.join('\n') } : {}),
    next: `compare it from a network that you trust (${scanCommand(host, shown.keyType)}) and add it to ${learningFile}, or accept new keys with --host-keys accept-new`,
  };
}

export function hostKeyNotRecordedFailure(host: Hop, shown: PresentedKey, file: string, reason: string): Failure {
  return {
    kind: 'hostKeyUnknown',
    summary: `the new host key of ${targetOf(host)} (${cleanText(shown.keyType)} ${shown.fingerprint}) could not be recorded in ${file} (${cleanText(reason)})`,
    next: `make ${file} writable, or add the key by hand`,
  };
}

export function knownHostsUnreadableFailure(file: string, reason: string): Failure {
  return {
    kind: 'hostKeyUnknown', summary: `${file} could not be read (${reason}), so no host key can be checked`,
    next: 'check the file and its permissions',
  };
}

const CHANGED_NEXT =
  'find out why: somebody may be between you and the host, or it was installed again; only when you are sure, replace that line with the new key';

export function hostKeyChangedFailure(host: Hop, shown: PresentedKey, recorded: KnownPlace): Failure {
  const sameType = shown.keyType === recorded.keyType;
  return {
    kind: 'hostKeyChanged',
    summary: sameType
      ? `the host key of ${targetOf(host)} has changed: recorded ${recorded.fingerprint} (${recorded.file}:${recorded.line}), shown ${shown.fingerprint}`
      : `${targetOf(host)} no longer shows its recorded host key ${recorded.keyType} ${recorded.fingerprint} (${recorded.file}:${recorded.line}), but ${cleanText(shown.keyType)} ${shown.fingerprint}`,
    next: CHANGED_NEXT,
  };
}

export function hostKeyRevokedFailure(host: Hop, shown: PresentedKey, recorded: KnownPlace): Failure {
  return {
    kind: 'hostKeyRevoked',
    summary: `the host key of ${targetOf(host)} is revoked: ${shown.fingerprint} (${recorded.file}:${recorded.line})`,
    next: 'somebody marked this key as stolen; give the host a new key before you connect',
  };
}

/** `tried` and `remarks` are lines for people: keys by fingerprint, and why others were not used. */
export function authenticationFailure(host: Hop, reason: string, tried: readonly string[], remarks: readonly string[]): Failure {
  const lines = [...tried.map((key) => `tried: ${key}`), ...remarks];
  return {
    kind: 'authentication', summary: `${targetOf(host)} did not let ${cleanText(host.user)} in (${quotePeer(reason)})`,
    ...(lines.length > 0 ? { detail: lines.join('\n') } : {}),
    next: `check that one of these keys is in authorized_keys of ${cleanText(host.user)}; it is not tried again, because sshd counts failures`,
  };
}

/** Nothing was sent to the host: there is no usable key on this side. */
export function noKeyFailure(host: Hop, reason: string, next: string, remarks: readonly string[] = []): Failure {
  return {
    kind: 'authentication', summary: `no key to log in to ${targetOf(host)} as ${cleanText(host.user)}: ${reason}`,
    ...(remarks.length > 0 ? { detail: remarks.join('\n') } : {}),
    next,
  };
}

/** The code of a system error, for texts; never its message, which may quote a peer. */
export function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown error';
}

