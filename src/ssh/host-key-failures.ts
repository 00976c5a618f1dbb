/**
 * What can be wrong with the key or certificate that a host shows, as a Failure with its text: always the fingerprints and the line of
 * known_hosts to look at. Text of a peer is cleaned here.
 */
import { cleanText } from '../core/clean-text.js';
import type { Failure } from '../core/failure.js';
import { targetOf } from './failures.js';
import { whenToRemove } from './file-lock.js';
import type { KnownPlace } from './known-hosts.js';
import type { Hop } from './route.js';

export interface PresentedKey {
  readonly keyType: string;
  readonly fingerprint: string;
}

function scanCommand(host: Hop, keyType: string): string {
  const short = keyType.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa');
  return `ssh-keyscan -p ${host.port} -t ${cleanText(short)} ${cleanText(host.address)} | ssh-keygen -lf -`;
}

function aliasOf({ hostKeys }: Hop): string {
  return hostKeys.alias === undefined ? '' : ` under the name ${cleanText(hostKeys.alias)}`;
}

/** `remarks`: what else is known (other key types, certificates and their authorities, unreadable lines). `mayAccept`: accept-new would help. */
export function hostKeyUnknownFailure(host: Hop, shown: PresentedKey, learningFile: string, remarks: readonly string[], mayAccept = true): Failure {
  const accept = mayAccept ? ', or accept new keys with --host-keys accept-new' : '';
  return {
    kind: 'hostKeyUnknown', summary: `the host key of ${targetOf(host)} is not known: ${cleanText(shown.keyType)} ${shown.fingerprint}`,
    ...(remarks.length > 0 ? { detail: remarks.join('\n') } : {}),
    next: `compare it from a network that you trust (${scanCommand(host, shown.keyType)}) and add it to ${learningFile}${aliasOf(host)}${accept}`,
  };
}

/** `lock`: somebody else keeps the file. */
export function hostKeyNotRecordedFailure(host: Hop, shown: PresentedKey, file: string, reason: string, lock?: { readonly file: string; readonly holder: string }): Failure {
  return {
    kind: 'hostKeyUnknown',
    summary: `the new host key of ${targetOf(host)} (${cleanText(shown.keyType)} ${shown.fingerprint}) could not be recorded in ${file} (${cleanText(reason)})`,
    done: 'nothing was sent to log in',
    next: lock === undefined ? `make ${file} writable, or add the key by hand` : `remove ${lock.file} ${cleanText(whenToRemove(lock.holder))}`,
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

/** `fault` completes "the certificate ..."; `authority`: the line that trusts who signed it. */
export function hostCertificateFailure(host: Hop, shown: PresentedKey, authority: KnownPlace, fault: string): Failure {
  return {
    kind: 'hostKeyUnknown',
    summary: `the host certificate of ${targetOf(host)} does not hold: it ${fault}`,
    detail: `certified key: ${cleanText(shown.keyType)} ${shown.fingerprint}\nits authority: ${authority.fingerprint} (${authority.file}:${authority.line})`,
    next: 'have the authority sign the host key again (ssh-keygen -s AUTHORITY -h -n NAMES -I ID), with the name that the host is reached by, or record its plain key',
  };
}

/** `authority`: the revoked line. */
export function authorityRevokedFailure(host: Hop, shown: PresentedKey, authority: KnownPlace): Failure {
  return {
    kind: 'hostKeyRevoked',
    summary: `the authority that signed the host key of ${targetOf(host)} is revoked: ${authority.fingerprint} (${authority.file}:${authority.line})`,
    detail: `certified key: ${cleanText(shown.keyType)} ${shown.fingerprint}`,
    next: 'somebody marked this authority as stolen; give the host a certificate of another one before you connect',
  };
}
