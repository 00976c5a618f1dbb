/** Where keys of this controller come from: files and agents, each looked at once for the whole fleet. Never signs, never asks anybody. */
import { createAgentKeyLister } from './agent-keys.js';
import type { AgentKey, ListAgentKeys } from './agent-keys.js';
import { createKeyFileReader } from './key-files.js';
import type { KeyFile } from './key-files.js';
import { createCertificateReader } from './user-certificate.js';
import type { CertificateFile } from './user-certificate.js';

export interface KeySources {
  readKeyFile(file: string): Promise<KeyFile>;
  readCertificateFile(file: string): Promise<CertificateFile>;
  /** Rejects when the agent does not answer or cannot be reached; asked again then. */
  listAgentKeys(socketPath: string): Promise<readonly AgentKey[]>;
}

/** To be shared by everything of one command, so that a key is unlocked once. */
export function createKeySources(): KeySources {
  const listers = new Map<string, ListAgentKeys>();
  return {
    readKeyFile: createKeyFileReader(),
    readCertificateFile: createCertificateReader(),
    listAgentKeys(socketPath) {
      const list = listers.get(socketPath) ?? createAgentKeyLister(socketPath);
      listers.set(socketPath, list);
      return list();
    },
  };
}
