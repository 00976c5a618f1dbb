/**
 * The two requests that a login makes of an ssh-agent (draft-ietf-sshm-ssh-agent): list and sign. One connection each; every answer
 * is bounded in time and size. Never adds, never removes, never forwards, and believes no length that the agent states.
 */
import { connect } from 'node:net';
import { readWire, sshString, uint32 } from './wire.js';
import type { WireReader } from './wire.js';

export interface ListedKey {
  /** A public key or a certificate, of any type. */
  readonly blob: Buffer;
  readonly comment: string;
}

export interface SignRequest {
  readonly blob: Buffer;
  readonly data: Buffer;
  /** `rsa-sha2-512`: RSA keys alone know more than one. */
  readonly algorithm: string;
  /** A person may have to touch a device first. */
  readonly needsTouch: boolean;
}

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
const SIGN_FLAGS: Readonly<Record<string, number>> = { 'rsa-sha2-256': 2, 'rsa-sha2-512': 4 };

export const ANSWER_WITHIN_MS = 10_000;
/** The login has its own limit, which is shorter as a rule. */
const TOUCH_WITHIN_MS = 60_000;
/** OpenSSH's own limit of a message (AGENT_MAX_LEN). */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Rejects when the agent cannot be reached, does not answer in time, or answers something else. */
export async function listAgent(socketPath: string, withinMs = ANSWER_WITHIN_MS): Promise<readonly ListedKey[]> {
  const answer = await ask(socketPath, Buffer.from([REQUEST_IDENTITIES]), withinMs);
  const listed = readWire(answer, readIdentities);
  if (listed === undefined) throw new Error('an answer that is no list of keys');
  return listed;
}

/** The signature as it goes over the wire. Rejects as above, and when the agent refuses. */
export async function signWithAgent(socketPath: string, { blob, data, algorithm, needsTouch }: SignRequest): Promise<Buffer> {
  const request = Buffer.concat([Buffer.from([SIGN_REQUEST]), sshString(blob), sshString(data), uint32(SIGN_FLAGS[algorithm] ?? 0)]);
  const answer = await ask(socketPath, request, needsTouch ? TOUCH_WITHIN_MS : ANSWER_WITHIN_MS);
  const signature = readWire(answer, (reader) => (reader.byte() === SIGN_RESPONSE ? reader.string() : undefined));
  if (signature === undefined) throw new Error('the ssh-agent does not sign with this key');
  const made = readWire(signature, (reader) => reader.text());
  if (made !== algorithm) throw new Error(`the ssh-agent made a signature of another kind than ${algorithm}`);
  return signature;
}

function readIdentities(reader: WireReader): ListedKey[] | undefined {
  if (reader.byte() !== IDENTITIES_ANSWER) return undefined;
  const count = reader.uint32();
  const keys: ListedKey[] = [];
  while (keys.length < count) keys.push({ blob: reader.string(), comment: reader.text() });
  return keys;
}

function ask(socketPath: string, request: Buffer, withinMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    let bytes = 0;
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const fail = (reason: string): void => settle(() => reject(new Error(reason)));
    const timer = setTimeout(() => fail(`no answer within ${withinMs / 1000} s`), withinMs);
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'socket error'));
    socket.on('close', () => fail('it closed the connection'));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes < 4) return;
      const received = Buffer.concat(chunks);
      const length = received.readUInt32BE(0);
      if (length > MAX_ANSWER_BYTES) fail(`an answer of ${length} bytes`);
      else if (received.length >= 4 + length) settle(() => resolve(received.subarray(4, 4 + length)));
    });
    socket.write(sshString(request));
  });
}
