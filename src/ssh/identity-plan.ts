/**
 * Which keys a login may offer, in which order. Named keys first, each certificate before its key; then the agent's others, unless
 * they are ruled out. A hop that names none: the agent's keys, then the default files. Never offers a key twice, for each attempt
 * counts against the server's MaxAuthTries (ssh.md 2.3). Never unlocks, never signs.
 */
import { cleanText } from '../core/clean-text.js';
import type { AgentKey } from './agent-keys.js';
import type { Certificate } from './certificate.js';
import { codeOf } from './failures.js';
import { fingerprintOf, keyTypeOf } from './fingerprint.js';
import type { KeyFile, LockedKeyFile } from './key-files.js';
import type { KeySources } from './key-sources.js';
import type { Hop } from './route.js';
import { signatureAlgorithms } from './signature-algorithms.js';
import type { Signer } from './signer.js';
import { nameOfCertificate, refusalOfCertificate } from './user-certificate.js';

/** A key that needs a passphrase first. */
export interface LockedKey {
  readonly file: string;
  readonly key: LockedKeyFile;
}

export interface Offer {
  /** For people: type, fingerprint, where from. */
  readonly label: string;
  /** What the server is shown. Absent: known once the key is unlocked. */
  readonly blob?: Buffer;
  readonly isCertificate: boolean;
  readonly key: Signer | LockedKey;
}

export interface IdentityPlan {
  readonly offers: readonly Offer[];
  /** Why other keys are not offered. */
  readonly remarks: readonly string[];
}

/** Never rejects: what cannot be read is a remark. */
export async function planIdentities(hop: Hop, sources: KeySources, now: Date): Promise<IdentityPlan> {
  const { login } = hop;
  if (login.methods && !login.methods.includes('publickey')) return { offers: [], remarks: ['not tried: keys, for ssh_config turns them off'] };
  const isNamed = login.identityFiles.length > 0;
  const names = isNamed ? login.identityFiles : login.defaultIdentityFiles;
  const agent = await askAgent(login.agentSocket, sources);
  const files = await Promise.all(names.map(async (file) => ({ file, read: await sources.readKeyFile(file) })));
  const plan = createPlan({ files, agent: agent.keys, signatures: login.signatures, now });
  for (const remark of agent.remarks) plan.remark(remark);

  for (const file of login.certificateFiles) await offerCertificateFile(plan, file, sources, 'named');
  if (!isNamed && !login.identitiesOnly) plan.offerAgent();
  for (const { file, read } of files) {
    if (read.state === 'absent' && !isNamed) continue;
    // As OpenSSH: the certificate beside a key counts where none is named.
    if (login.certificateFiles.length === 0) await offerCertificateFile(plan, certificateBeside(file), sources, 'beside');
    plan.offerFile(file, read, isNamed);
  }
  if (isNamed && !login.identitiesOnly) plan.offerAgent();
  return plan.done();
}

function certificateBeside(file: string): string {
  return `${file.replace(/\.pub$/, '')}-cert.pub`;
}

interface AgentAnswer {
  readonly keys: readonly AgentKey[];
  readonly remarks: readonly string[];
}

async function askAgent(socketPath: string | undefined, sources: KeySources): Promise<AgentAnswer> {
  if (socketPath === undefined) return { keys: [], remarks: ['not tried: no ssh-agent is set'] };
  try {
    const keys = await sources.listAgentKeys(socketPath);
    return { keys, remarks: keys.length === 0 ? ['not tried: the ssh-agent holds no usable key'] : [] };
  } catch (error) {
    return { keys: [], remarks: [`not tried: the ssh-agent could not be asked (${cleanText(error instanceof Error ? error.message : codeOf(error))})`] };
  }
}

async function offerCertificateFile(plan: Plan, file: string, sources: KeySources, how: 'named' | 'beside'): Promise<void> {
  const read = await sources.readCertificateFile(file);
  if (read.state === 'usable') plan.offerCertificate(read.certificate, read.blob, file);
  else if (read.state === 'unusable') plan.remark(`not tried: ${file} ${read.reason}`);
  else if (how === 'named') plan.remark(`not tried: ${file} does not exist`);
}

interface Plan {
  remark(text: string): void;
  offerAgent(): void;
  offerCertificate(certificate: Certificate, blob: Buffer, origin: string): void;
  /** `mustAsk`: a passphrase is asked for although other keys may do. */
  offerFile(file: string, read: KeyFile, mustAsk: boolean): void;
  done(): IdentityPlan;
}

interface AtHand {
  readonly files: readonly { readonly file: string; readonly read: KeyFile }[];
  readonly agent: readonly AgentKey[];
  readonly signatures: readonly string[];
  readonly now: Date;
}

function createPlan({ files, agent, signatures, now }: AtHand): Plan {
  const offers: Offer[] = [];
  const remarks: string[] = [];
  const lastResorts: Offer[] = [];

  const add = (offer: Offer, to = offers): void => {
    const keyType = 'sign' in offer.key ? offer.key.keyType : offer.blob && keyTypeOf(offer.blob);
    if (keyType !== undefined && signatureAlgorithms(keyType, offer.isCertificate, signatures).length === 0) {
      remarks.push(`not tried: ${offer.label}: no algorithm of its kind is allowed (PubkeyAcceptedAlgorithms)`);
    } else if (!offers.some(({ blob }) => blob !== undefined && offer.blob?.equals(blob))) to.push(offer);
  };
  const inAgent = (publicBlob: Buffer | undefined): AgentKey | undefined =>
    publicBlob && (agent.find((key) => key.blob.equals(publicBlob)) ?? agent.find((key) => key.publicBlob.equals(publicBlob)));
  const keyFor = (publicBlob: Buffer): Signer | LockedKey | undefined => {
    const usable = files.flatMap(({ read }) => (read.state === 'usable' ? [read.signer] : [])).find((signer) => signer.publicBlob.equals(publicBlob));
    return usable ?? inAgent(publicBlob) ?? files.flatMap(({ file, read }) => (read.state === 'locked' && read.publicBlob?.equals(publicBlob) ? [{ file, key: read }] : []))[0];
  };
  const offerCertificate = (certificate: Certificate, blob: Buffer, origin: string): void => {
    const label = `${certificate.keyType} ${fingerprintOf(certificate.publicBlob)} (${origin}, ${nameOfCertificate(certificate)})`;
    const key = keyFor(certificate.publicBlob);
    const refusal = refusalOfCertificate(certificate, now) ?? (key ? undefined : 'is for a key that is not at hand');
    if (refusal === undefined && key) add({ label, blob, isCertificate: true, key });
    else remarks.push(`not tried: ${label} ${refusal}`);
  };
  const offerAgentKey = (key: AgentKey): void => {
    if (key.certificate) offerCertificate(key.certificate, key.blob, key.origin);
    else add(plainOffer(key));
  };

  return {
    remark: (text) => remarks.push(text),
    offerAgent: () => agent.forEach(offerAgentKey),
    offerCertificate,
    offerFile(file, read, mustAsk) {
      if (read.state === 'absent') return void remarks.push(`not tried: ${file} does not exist`);
      if (read.state === 'unusable') return void remarks.push(`not tried: ${file} ${read.reason}`);
      const publicBlob = read.state === 'usable' ? read.signer.publicBlob : read.publicBlob;
      agent.filter((key) => key.certificate && publicBlob && key.publicBlob.equals(publicBlob)).forEach(offerAgentKey);
      if (read.state === 'usable') return add(plainOffer(read.signer));
      const held = inAgent(publicBlob);
      if (held) return add(plainOffer(held));
      if (read.state !== 'locked') return void remarks.push(`not tried: ${file} ${read.reason}`);
      add({ label: lockedLabel(file, read), isCertificate: false, key: { file, key: read }, ...(publicBlob ? { blob: publicBlob } : {}) }, mustAsk ? offers : lastResorts);
    },
    done() {
      if (offers.every(({ key }) => !('sign' in key))) return { offers: [...offers, ...lastResorts], remarks };
      const unasked = lastResorts.map(({ key }) => `not tried: ${'file' in key ? key.file : ''} is encrypted and not in the ssh-agent (ssh-add ${'file' in key ? key.file : ''})`);
      return { offers, remarks: [...remarks, ...unasked] };
    },
  };
}

function plainOffer(signer: Signer): Offer {
  return { label: `${signer.keyType} ${fingerprintOf(signer.publicBlob)} (${signer.origin})`, blob: signer.publicBlob, isCertificate: false, key: signer };
}

function lockedLabel(file: string, { publicBlob }: LockedKeyFile): string {
  return publicBlob ? `${keyTypeOf(publicBlob) ?? ''} ${fingerprintOf(publicBlob)} (${file})` : `the key in ${file}`;
}
