/**
 * Which keys a login may offer, in which order: the host's own key file and nothing else when it names one; otherwise the
 * agent's keys, then the default key files that exist. Never offers a key twice: each attempt counts against the server's
 * MaxAuthTries (ssh.md 2.3).
 */
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import { cleanText } from '../core/clean-text.js';
import { FleetmendError } from '../core/failure.js';
import type { Hop } from './route.js';
import type { AgentKey, ListAgentKeys } from './agent-keys.js';
import { codeOf, noKeyFailure } from './failures.js';
import { fingerprintOf } from './fingerprint.js';
import type { ReadKeyFile } from './key-files.js';

export interface Identity {
  /** For people: type, fingerprint, where from. */
  readonly label: string;
  readonly publicBlob: Buffer;
  attempt(user: string): AnyAuthMethod;
}

export interface Identities {
  readonly identities: readonly Identity[];
  /** Why other keys are not offered. */
  readonly remarks: readonly string[];
}

export interface KeySources {
  readonly readKeyFile: ReadKeyFile;
  listAgentKeys(socketPath: string): ReturnType<ListAgentKeys>;
}

/** Rejects with FleetmendError (authentication) when there is no usable key: no connection is wasted then. */
export async function findIdentities(host: Hop, sources: KeySources): Promise<Identities> {
  const agent = await askAgent(host.login.agentSocket, sources);
  const [own] = host.login.identityFiles;
  if (own !== undefined) return { identities: [await ownIdentity(host, own, agent, sources)], remarks: [] };

  const found = await defaultIdentities(host, agent, sources);
  if (found.identities.length > 0) return found;
  const advice = 'name a key file in the inventory (identityFile), or load a key into the agent with ssh-add';
  throw new FleetmendError(noKeyFailure(host, 'the agent and the default key files have none', advice, found.remarks));
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

async function ownIdentity(host: Hop, file: string, agent: AgentAnswer, sources: KeySources): Promise<Identity> {
  const read = await sources.readKeyFile(file);
  const fail = (reason: string, next: string): never => {
    throw new FleetmendError(noKeyFailure(host, reason, next, agent.remarks));
  };
  switch (read.state) {
    case 'usable':
      return fileIdentity(file, read.key, read.publicBlob);
    case 'encrypted': {
      const held = agent.keys.find((key) => key.publicBlob.equals(read.publicBlob));
      return held ? agentIdentity(held) : fail(`${file} is encrypted and not in the ssh-agent`, `load it into the agent: ssh-add ${file}`);
    }
    case 'absent':
      return fail(`${file} does not exist`, 'correct identityFile in the inventory');
    case 'unusable':
      return fail(`${file} ${read.reason}`, 'correct the file, or identityFile in the inventory');
  }
}

async function defaultIdentities(host: Hop, agent: AgentAnswer, sources: KeySources): Promise<Identities> {
  const identities = agent.keys.map(agentIdentity);
  const remarks = [...agent.remarks];
  const isOffered = (blob: Buffer): boolean => identities.some((identity) => identity.publicBlob.equals(blob));
  for (const file of host.login.defaultIdentityFiles) {
    const read = await sources.readKeyFile(file);
    if (read.state === 'usable' && !isOffered(read.publicBlob)) identities.push(fileIdentity(file, read.key, read.publicBlob));
    if (read.state === 'encrypted' && !isOffered(read.publicBlob)) remarks.push(`not tried: ${file} is encrypted and not in the ssh-agent (ssh-add ${file})`);
    if (read.state === 'unusable') remarks.push(`not tried: ${file} ${read.reason}`);
  }
  return { identities, remarks };
}

function fileIdentity(file: string, key: ParsedKey, publicBlob: Buffer): Identity {
  return { label: labelOf(key, publicBlob, file), publicBlob, attempt: (username) => ({ type: 'publickey', username, key }) };
}

function agentIdentity(key: AgentKey): Identity {
  return { label: labelOf(key, key.publicBlob, 'ssh-agent'), publicBlob: key.publicBlob, attempt: (username) => ({ type: 'agent', username, agent: key.agent }) };
}

function labelOf(key: { readonly type: string }, publicBlob: Buffer, origin: string): string {
  return `${key.type} ${fingerprintOf(publicBlob)} (${origin})`;
}
