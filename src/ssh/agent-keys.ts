/**
 * Keys that an ssh-agent holds: listed once, and each offered as an agent of its own, so that it is known which key was
 * tried. Never forwards the agent to a host. Certificates and `sk-` keys are passed over: ssh2 cannot use them (ssh.md 2.3).
 */
import ssh2 from 'ssh2';
import type { BaseAgent, ParsedKey } from 'ssh2';
import { SHA1_REFUSED } from './key-files.js';

export interface AgentKey {
  readonly publicBlob: Buffer;
  readonly type: string;
  readonly agent: BaseAgent;
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

const ANSWER_WITHIN_MS = 10_000;

function listKeys(socketPath: string): Promise<readonly AgentKey[]> {
  const agent = new ssh2.OpenSSHAgent(socketPath);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)), ANSWER_WITHIN_MS);
    agent.getIdentities((error, keys) => {
      clearTimeout(timer);
      if (error) return reject(error);
      resolve((keys ?? []).flatMap((key) => ('getPublicSSH' in key ? [agentKey(agent, key)] : [])));
    });
  });
}

function agentKey(agent: BaseAgent, key: ParsedKey): AgentKey {
  return { publicBlob: key.getPublicSSH(), type: key.type, agent: new OneKeyAgent(agent, key) };
}

type SignCallback = (error: Error | null | undefined, signature?: Buffer) => void;

/** ssh2 recognises an agent by its class. */
class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: BaseAgent;
  readonly #key: ParsedKey;

  constructor(agent: BaseAgent, key: ParsedKey) {
    super();
    this.#agent = agent;
    this.#key = key;
  }

  override getIdentities(callback: (error: Error | null, keys: ParsedKey[]) => void): void {
    callback(null, [this.#key]);
  }

  override sign(key: ParsedKey, data: Buffer, options: { hash?: string } | SignCallback, callback?: SignCallback): void {
    const answer = typeof options === 'function' ? options : callback;
    const hash = typeof options === 'function' ? undefined : options.hash;
    if (answer === undefined) return;
    if (key.type === 'ssh-rsa' && hash !== 'sha256' && hash !== 'sha512') return answer(new Error(SHA1_REFUSED));
    this.#agent.sign(key, data, hash === undefined ? {} : { hash: hash as 'sha256' | 'sha512' }, (error, signature) => {
      try {
        answer(error ?? null, signature);
      } catch (thrown) {
        // A signature that ssh2 cannot convert throws here, outside of any handler: hand it back as a failed attempt.
        answer(thrown instanceof Error ? thrown : new Error('unusable signature'));
      }
    });
  }
}
