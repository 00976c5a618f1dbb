/**
 * Decides about the host key of one connection. Called by ssh2 again at every rekey (ssh.md 2.2), when only the very first
 * key will do. Never records anything: at this point the server has not proved the key yet.
 */
import type { Failure } from '../core/failure.js';
import { hostKeysFor, whyNotOffered } from './algorithms.js';
import type { KeyWish } from './algorithms.js';
import { parseCertificate, plainName } from './certificate.js';
import type { Certificate } from './certificate.js';
import { protocolFailure } from './failures.js';
import { fingerprintOf, keyTypeOf } from './fingerprint.js';
import { faultOf } from './host-certificate.js';
import { authorityRevokedFailure, hostCertificateFailure, hostKeyChangedFailure, hostKeyRevokedFailure, hostKeyUnknownFailure } from './host-key-failures.js';
import type { PresentedKey } from './host-key-failures.js';
import { principalOf } from './known-hosts.js';
import type { HostKeyVerdict, LookupName } from './known-hosts.js';
import type { HostKeys } from './known-hosts-file.js';
import type { Hop } from './route.js';

export interface HostKeyPolicy {
  readonly mode: 'strict' | 'acceptNew';
  readonly learningFile: string;
}

export type HostKeyDecision =
  /** `hostKey`: the plain key, also of a certificate, so that a renewed certificate is no new host. */
  | { readonly decision: 'accept'; readonly hostKey: Buffer }
  /** Trust on first use: record it once the server has proved it. */
  | { readonly decision: 'acceptAndLearn'; readonly hostKey: Buffer }
  /** Other keys are recorded: ask the server for one of those before anybody is alarmed. */
  | { readonly decision: 'askAgain'; readonly wish: KeyWish; readonly failure: Failure }
  | { readonly decision: 'refuse'; readonly failure: Failure };

export interface HostKeyQuestion {
  readonly host: Hop;
  readonly name: LookupName;
  readonly keys: HostKeys;
  /** What was asked for. A known type that was asked for and not shown is as bad as a changed key. */
  readonly wish: KeyWish;
  readonly policy: HostKeyPolicy;
  readonly nowMs: number;
}

/** Before the first connection: hashed lines are not looked at, each would cost an HMAC. */
export function firstWish(keys: HostKeys, name: LookupName): KeyWish {
  return { types: keys.known.typesUnhashed(name), certificates: keys.known.hasAuthority(name) };
}

export function presentedKey(blob: Uint8Array): PresentedKey {
  return { keyType: keyTypeOf(blob) ?? 'unknown', fingerprint: fingerprintOf(blob) };
}

/** `shown`: the blob as it came: a key or a certificate. */
export function decideHostKey(question: HostKeyQuestion, shown: Uint8Array): HostKeyDecision {
  if (plainName(keyTypeOf(shown) ?? '') === undefined) return decidePlainKey(question, Buffer.from(shown), {});
  const certificate = parseCertificate(shown);
  if (certificate === undefined) return refuse(protocolFailure(question.host, 'its host certificate cannot be read'));
  return decideCertificate(question, certificate);
}

/** As in OpenSSH, a certificate that does not hold still stands for its plain key; but such a key is never learned. */
function decideCertificate(question: HostKeyQuestion, certificate: Certificate): HostKeyDecision {
  const { host, name, keys } = question;
  const hostKey = Buffer.from(certificate.publicBlob);
  const plain = keys.known.judge(name, hostKey);
  if (plain.verdict === 'revoked') return refuse(hostKeyRevokedFailure(host, presentedKey(hostKey), plain.place));
  const authority = keys.known.judgeAuthority(name, certificate.authority);
  switch (authority.verdict) {
    case 'revoked':
      return refuse(authorityRevokedFailure(host, presentedKey(hostKey), authority.place));
    case 'unknown': {
      const { keyType, fingerprint } = presentedKey(certificate.authority);
      return decidePlainKey(question, hostKey, { remark: `its certificate is signed by ${keyType} ${fingerprint}, which no line trusts for this host` });
    }
    case 'trusted': {
      const fault = faultOf(certificate, principalOf(name), question.nowMs);
      if (fault === undefined) return { decision: 'accept', hostKey };
      return decidePlainKey(question, hostKey, { fault: hostCertificateFailure(host, presentedKey(hostKey), authority.place, fault) });
    }
  }
}

/** Where the key came in a certificate: what is to be told of it, and `fault` where the certificate should have been good. */
interface Certification {
  readonly remark?: string;
  readonly fault?: Failure;
}

function decidePlainKey(question: HostKeyQuestion, hostKey: Buffer, certification: Certification): HostKeyDecision {
  const { host, name, keys, wish, policy } = question;
  const verdict = keys.known.judge(name, hostKey);
  const refusal = refusalOf(host, presentedKey(hostKey), verdict);
  if (refusal) return refuse(refusal);
  if (verdict.verdict !== 'unknown') return { decision: 'accept', hostKey };

  const types = keys.known.types(name);
  const cameInCertificate = certification.remark !== undefined || certification.fault !== undefined;
  const failure = certification.fault ?? unknownFailure(question, hostKey, verdict, certification.remark);
  const otherWish = { types, certificates: false };
  const isWorthAsking = [...types].some((type) => !wish.types.has(type)) || (cameInCertificate && types.size > 0);
  // The server would show the same key again, and again.
  const isAnotherQuestion = hostKeysFor(host.algorithms, otherWish).join() !== hostKeysFor(host.algorithms, wish).join();
  if (isWorthAsking && isAnotherQuestion) return { decision: 'askAgain', wish: otherWish, failure };
  if (certification.fault) return refuse(certification.fault);
  const missed = verdict.otherTypes.find(({ keyType }) => whyNotOffered(host.algorithms, keyType) === undefined);
  if (missed) return refuse(hostKeyChangedFailure(host, presentedKey(hostKey), missed));
  if (verdict.otherTypes.length > 0) return refuse(failure);
  return policy.mode === 'acceptNew' ? { decision: 'acceptAndLearn', hostKey } : refuse(failure);
}

function refuse(failure: Failure): HostKeyDecision {
  return { decision: 'refuse', failure };
}

/** Verdicts that no policy accepts. */
export function refusalOf(host: Hop, shown: PresentedKey, verdict: HostKeyVerdict): Failure | undefined {
  if (verdict.verdict === 'revoked') return hostKeyRevokedFailure(host, shown, verdict.place);
  if (verdict.verdict === 'changed') return hostKeyChangedFailure(host, shown, verdict.place);
  return undefined;
}

/** A rekey with another key. */
export function swappedKeyFailure(host: Hop): Failure {
  return protocolFailure(host, 'it changed its host key within the connection');
}

function unknownFailure({ host, keys, policy }: HostKeyQuestion, hostKey: Buffer, verdict: HostKeyVerdict & { verdict: 'unknown' }, remark: string | undefined): Failure {
  const authorities = verdict.certAuthorities.map((place) => `${place.file}:${place.line} trusts the authority ${place.fingerprint} for this host`);
  const withoutCertificate = authorities.length > 0 && remark === undefined ? ['the host showed no certificate'] : [];
  const unreadable = keys.unreadable.slice(0, 3).map((place) => `${place} could not be read`);
  const unasked = verdict.otherTypes.flatMap(({ keyType, file, line }) => {
    const why = whyNotOffered(host.algorithms, keyType);
    return why === undefined ? [] : [`${keyType} is recorded (${file}:${line}) and not offered here because ${why}`];
  });
  const remarks = [...(remark === undefined ? [] : [remark]), ...unasked, ...authorities, ...withoutCertificate, ...unreadable];
  return hostKeyUnknownFailure(host, presentedKey(hostKey), policy.learningFile, remarks, unasked.length === 0);
}
