/** The keys of a plan, ready to sign: passphrases are asked of whoever knows them. Never keeps one, never offers a key itself. */
import type { SecretRequest } from '../core/secret.js';
import { failureOf, FleetmendError } from '../core/failure.js';
import { fingerprintOf } from './fingerprint.js';
import type { IdentityPlan, LockedKey, Offer } from './identity-plan.js';
import { noKeyFailure, wrongPassphraseFailure } from './login-failures.js';
import type { Hop } from './route.js';
import type { Signer } from './signer.js';

export interface Identity {
  /** For people: type, fingerprint, where from. */
  readonly label: string;
  /** What the server is shown: the public key, or a certificate. */
  readonly blob: Buffer;
  readonly isCertificate: boolean;
  readonly signer: Signer;
}

export interface Identities {
  readonly identities: readonly Identity[];
  /** Why other keys are not offered. */
  readonly remarks: readonly string[];
}

export type ReadSecret = (request: SecretRequest) => Promise<string>;

/** Rejects with FleetmendError (authentication) when a passphrase is wrong, or missing where no other key could do. */
export async function unlockIdentities(hop: Hop, plan: IdentityPlan, read: ReadSecret): Promise<Identities> {
  const identities: Identity[] = [];
  const remarks = [...plan.remarks];
  for (const offer of plan.offers) {
    if (!isLocked(offer.key)) identities.push({ ...offer, blob: offer.blob ?? offer.key.publicBlob, signer: offer.key });
    else {
      const signer = await unlock(hop, offer.key, plan, read);
      if (signer === 'noPassphrase') remarks.push(`not tried: ${offer.key.file} is encrypted, and its passphrase was not given (${adviceFor(offer.key)})`);
      else identities.push({ ...offer, label: labelOf(offer, signer), blob: offer.blob ?? signer.publicBlob, signer });
    }
  }
  return { identities, remarks };
}

export function isLocked(key: Signer | LockedKey): key is LockedKey {
  return 'file' in key;
}

function labelOf(offer: Offer, signer: Signer): string {
  return offer.blob ? offer.label : `${signer.keyType} ${fingerprintOf(signer.publicBlob)} (${signer.origin})`;
}

async function unlock(hop: Hop, locked: LockedKey, plan: IdentityPlan, read: ReadSecret): Promise<Signer | 'noPassphrase'> {
  const request = passphraseRequest(hop, locked, plan);
  let passphrase;
  try {
    passphrase = await read(request);
  } catch (error) {
    const { kind, summary } = failureOf(error);
    if (kind !== 'authentication' && kind !== 'badInput') throw error;
    if (request.optional) return 'noPassphrase';
    throw new FleetmendError(noKeyFailure(hop, `${locked.file} is encrypted and not in the ssh-agent, and its passphrase is not known (${summary})`, adviceFor(locked), plan.remarks), { cause: error });
  }
  const signer = locked.key.unlock(passphrase);
  if (signer === undefined) throw new FleetmendError(wrongPassphraseFailure(hop, locked.file, adviceFor(locked)));
  return signer;
}

function adviceFor({ file }: LockedKey): string {
  return `load it into the agent: ssh-add ${file}`;
}

export function passphraseRequest(hop: Hop, locked: LockedKey, plan: IdentityPlan): SecretRequest {
  const hasOthers = hop.login.password !== undefined || plan.offers.some(({ key }) => !isLocked(key));
  return {
    source: { from: 'prompt' },
    label: `passphrase of ${locked.file}`,
    host: { name: hop.name, address: hop.address, user: hop.user },
    otherwise: adviceFor(locked),
    check: (passphrase) => Promise.resolve(locked.key.unlock(passphrase) !== undefined),
    ...(hasOthers ? { optional: true } : {}),
  };
}
