/**
 * Decides about the host key of one connection. Called by ssh2 again at every rekey (ssh.md 2.2), when only the very first
 * key will do. Never records anything: at this point the server has not proved the key yet.
 */
import type { Failure } from '../core/failure.js';
import type { Hop } from './route.js';
import { hostKeyChangedFailure, hostKeyRevokedFailure, hostKeyUnknownFailure, protocolFailure } from './failures.js';
import type { PresentedKey } from './failures.js';
import { fingerprintOf, keyTypeOf } from './fingerprint.js';
import type { HostKeyVerdict, LookupName } from './known-hosts.js';
import type { HostKeys } from './known-hosts-file.js';

export interface HostKeyPolicy {
  readonly mode: 'strict' | 'acceptNew';
  readonly learningFile: string;
}

export type HostKeyDecision =
  | { readonly decision: 'accept' }
  /** Trust on first use: record it once the server has proved it. */
  | { readonly decision: 'acceptAndLearn' }
  /** Other types are recorded: ask the server for one of those before anybody is alarmed. */
  | { readonly decision: 'askForKnownType'; readonly types: ReadonlySet<string>; readonly failure: Failure }
  | { readonly decision: 'refuse'; readonly failure: Failure };

export function presentedKey(blob: Uint8Array): PresentedKey {
  return { keyType: keyTypeOf(blob) ?? 'unknown', fingerprint: fingerprintOf(blob) };
}

/** `asked`: the types that were offered first. A known type that was asked for and not shown is as bad as a changed key. */
export function decideHostKey(
  host: Hop, name: LookupName, blob: Uint8Array, keys: HostKeys, asked: ReadonlySet<string>, policy: HostKeyPolicy,
): HostKeyDecision {
  const verdict = keys.known.judge(name, blob);
  const refusal = refusalOf(host, presentedKey(blob), verdict);
  if (refusal) return { decision: 'refuse', failure: refusal };
  if (verdict.verdict !== 'unknown') return { decision: 'accept' };

  const [other] = verdict.otherTypes;
  const types = keys.known.types(name);
  const wasAsked = [...types].every((type) => asked.has(type));
  const unknown = unknownFailure(host, blob, verdict, keys, policy);
  if (!wasAsked) return { decision: 'askForKnownType', types, failure: unknown };
  if (other) return { decision: 'refuse', failure: hostKeyChangedFailure(host, presentedKey(blob), other) };
  return policy.mode === 'acceptNew' ? { decision: 'acceptAndLearn' } : { decision: 'refuse', failure: unknown };
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

function unknownFailure(host: Hop, blob: Uint8Array, verdict: HostKeyVerdict & { verdict: 'unknown' }, keys: HostKeys, policy: HostKeyPolicy): Failure {
  const authorities = verdict.certAuthorities.map(
    (place) => `${place.file}:${place.line} trusts a certificate authority for this host; host certificates are not supported, so record the plain key`,
  );
  const unreadable = keys.unreadable.slice(0, 3).map((place) => `${place} could not be read`);
  return hostKeyUnknownFailure(host, presentedKey(blob), policy.learningFile, [...authorities, ...unreadable]);
}
