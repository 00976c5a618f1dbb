/** Why a login failed, with what was tried and what helps. Never holds a secret. */
import { cleanText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import type { Barrier } from '../core/password-trials.js';
import { quotePeer, targetOf } from './failures.js';
import type { Hop } from './route.js';

/** `tried` and `remarks` are lines for people: keys by fingerprint, and why others were not used. */
export interface LoginRecord {
  readonly tried: readonly string[];
  readonly remarks: readonly string[];
}

/** `next`: absent where keys were refused. */
export function authenticationFailure(host: Hop, reason: string, record: LoginRecord, next?: string): Failure {
  const lines = linesOf(record);
  return {
    kind: 'authentication', summary: `${targetOf(host)} did not let ${cleanText(host.user)} in (${quotePeer(reason)})`,
    ...(lines.length > 0 ? { detail: lines.join('\n') } : {}),
    next: next ?? `check that one of these keys is in authorized_keys of ${cleanText(host.user)}; it is not tried again, because sshd counts failures`,
  };
}

export function linesOf({ tried, remarks }: LoginRecord): readonly string[] {
  return [...tried.map((what) => `tried: ${what}`), ...remarks];
}

/** Nothing was sent to the host: there is no usable key on this side. */
export function noKeyFailure(host: Hop, reason: string, next: string, remarks: readonly string[] = []): Failure {
  return {
    kind: 'authentication', summary: `no key to log in to ${targetOf(host)} as ${cleanText(host.user)}: ${reason}`,
    ...(remarks.length > 0 ? { detail: remarks.join('\n') } : {}),
    next,
  };
}

export function wrongPassphraseFailure(host: Hop, file: string, next: string): Failure {
  return { kind: 'authentication', summary: `the passphrase given for ${file} does not open it, so nothing was sent to ${targetOf(host)}`, next: `give the right one, or ${next}` };
}

export function barredPasswordFailure(host: Hop, barrier: Barrier): Failure {
  const whose = `the password of ${cleanText(host.user)}`;
  switch (barrier.by) {
    case 'refused':
      return { kind: 'authentication', summary: `${targetOf(host)} refused ${whose} before, so it was not sent again`, next: 'check the password, then start again' };
    case 'unanswered':
      return {
        kind: 'authentication', summary: `${targetOf(host)} got ${whose} before and did not answer in time; it is not sent again`,
        next: 'read the log of its sshd, and look at its load; a new run sends it again',
      };
    case 'others': {
      const names = barrier.names.map((name) => cleanText(name)).join(', ');
      return {
        kind: 'authentication',
        summary: `${whose} was not sent to ${targetOf(host)}: ${barrier.names.length} hosts refused it (${names}) and none accepted it, and more failures could lock the account`,
        next: 'check the password, then start again; if it is right, look at the hosts that refused it, and start again without them',
      };
    }
  }
}

/** Where a login stands when there is nothing left to send. */
export interface Situation {
  /** What the server would take. */
  readonly methods: readonly string[];
  /** A part of what it wants was right. */
  readonly isPartial: boolean;
  readonly keysLeft: number;
  readonly keysTried: number;
  readonly password: 'none' | 'unused' | 'spent';
}

/** `advice`: absent where keys were refused. */
export function reasonToGiveUp({ methods, isPartial, keysLeft, keysTried, password }: Situation): { readonly reason: string; readonly advice?: string } {
  const wanted = methods.join(', ');
  if (password === 'spent' && !isPartial) return { reason: 'the password was refused', advice: 'check the password; it is not sent there again, because failures may lock the account' };
  const takesPasswords = methods.includes('password') || methods.includes('keyboard-interactive');
  const advice = takesPasswords && password === 'none' ? { advice: 'give it a password (ssh.password in the inventory, or --ask-password)' } : {};
  if (isPartial) return { reason: `what was sent is right, but the server also wants: ${wanted}`, ...advice };
  if (keysLeft > 0 || keysTried === 0) return { reason: `the server takes no keys, only: ${wanted}`, ...advice };
  return { reason: `none of ${keysTried} keys was accepted`, ...advice };
}
