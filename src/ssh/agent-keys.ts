/**
 * Keys that an ssh-agent holds, of every kind: plain ones, certificates, FIDO keys. Listed once. Never forwards the agent to a host.
 */
import { listAgent, signWithAgent } from './agent-client.js';
import { parseCertificate } from './certificate.js';
import type { Certificate } from './certificate.js';
import { keyTypeOf } from './fingerprint.js';
import type { Signer } from './signer.js';

export interface AgentKey extends Signer {
  /** What the agent knows it by: the public key, or the certificate. */
  readonly blob: Buffer;
  readonly certificate?: Certificate;
}

/** Rejects when the agent does not answer or cannot be reached. */
export type ListAgentKeys = () => Promise<readonly AgentKey[]>;

/** Asked once; after a failure asked again. */
export function createAgentKeyLister(socketPath: string): ListAgentKeys {
  let listed: Promise<readonly AgentKey[]> | undefined;
  return () => {
    listed ??= listKeys(socketPath).catch((error: unknown) => {
      listed = undefined;
      throw error;
    });
    return listed;
  };
}

async function listKeys(socketPath: string): Promise<readonly AgentKey[]> {
  const keys = await listAgent(socketPath);
  return keys.flatMap(({ blob }) => agentKey(socketPath, blob) ?? []);
}

/** A certificate of an unknown type has no plain key that could be told. */
function agentKey(socketPath: string, blob: Buffer): AgentKey | undefined {
  const certificate = parseCertificate(blob);
  const keyType = certificate?.keyType ?? keyTypeOf(blob);
  if (keyType === undefined || (certificate === undefined && keyType.includes('-cert-'))) return undefined;
  const needsTouch = keyType.startsWith('sk-');
  return {
    blob, keyType, publicBlob: certificate?.publicBlob ?? blob, origin: 'ssh-agent',
    sign: (data, algorithm) => signWithAgent(socketPath, { blob, data, algorithm, needsTouch }),
    ...(certificate ? { certificate } : {}),
  };
}
