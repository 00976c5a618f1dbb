/** Agents for the tests of the login: the real ssh-agent, and doubles that speak its protocol over software FIDO keys or nonsense. */
import { execFile, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { publicBlobOf, signWith } from '../../src/ssh/private-key.js';
import { readWire, sshString, uint32 } from '../../src/ssh/wire.js';
import type { Scratch } from './scratch.js';
import { endChild } from './sshd.js';

/** Files: private keys, with or without a certificate beside them. */
export async function startAgent(scratch: Scratch, files: readonly string[]): Promise<{ readonly socket: string; add(file: string): Promise<void>; forget(): Promise<void> }> {
  const socket = scratch.path('agent.sock');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => endChild(agent));
  await new Promise((resolve) => agent.stdout.once('data', resolve));
  const sshAdd = async (...words: readonly string[]): Promise<void> => {
    await promisify(execFile)('ssh-add', ['-q', ...words], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  };
  for (const file of files) await sshAdd(file);
  return { socket, add: sshAdd, forget: () => sshAdd('-D') };
}

export interface SoftKey {
  readonly blob: Buffer;
  /** `ssh-ed25519 AAAA...` */
  readonly publicText: string;
  /** The whole answer to a request to sign, without its length. */
  answer(data: Buffer): Promise<Buffer> | Buffer;
}

const APPLICATION = 'ssh:';
const SIGN_RESPONSE = Buffer.from([14]);
const FAILURE = Buffer.from([5]);
/** A person was there. */
const TOUCHED = Buffer.from([1]);

/** A FIDO key in software (PROTOCOL.u2f of OpenSSH): what the device signs is not the data but digests, flags and a counter. */
export function makeFidoKey(kind: 'sk-ssh-ed25519@openssh.com' | 'sk-ecdsa-sha2-nistp256@openssh.com'): SoftKey {
  const isEd25519 = kind === 'sk-ssh-ed25519@openssh.com';
  const { privateKey } = isEd25519 ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const plain = publicBlobOf(privateKey) ?? Buffer.alloc(0);
  const fields = readWire(plain, (reader) => {
    reader.string();
    return reader.rest;
  });
  const blob = Buffer.concat([sshString(kind), fields ?? Buffer.alloc(0), sshString(APPLICATION)]);
  let counter = 0;
  return {
    blob, publicText: `${kind} ${blob.toString('base64')}`,
    async answer(data) {
      counter += 1;
      const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest();
      const signed = Buffer.concat([sha256(APPLICATION), TOUCHED, uint32(counter), sha256(data)]);
      const bytes = isEd25519 ? sshString(sign(null, signed, privateKey)) : readWire(await signWith(privateKey, signed, 'ecdsa-sha2-nistp256'), (reader) => {
        reader.string();
        return sshString(reader.string());
      }) ?? Buffer.alloc(0);
      return Buffer.concat([SIGN_RESPONSE, sshString(Buffer.concat([sshString(kind), bytes, TOUCHED, uint32(counter)]))]);
    },
  };
}

/** Lists these keys, signs with them, and remembers how often. */
export async function startAgentDouble(scratch: Scratch, keys: readonly SoftKey[]): Promise<{ readonly socket: string; readonly signed: Buffer[] }> {
  const signed: Buffer[] = [];
  const socket = await startRawAgent(scratch, (connection, request) => {
    const answerTo = async (): Promise<Buffer> => {
      if (request[0] === 11) return Buffer.concat([Buffer.from([12]), uint32(keys.length), ...keys.flatMap(({ blob }) => [sshString(blob), sshString('a comment')])]);
      const asked = readWire(request.subarray(1), (reader) => ({ blob: reader.string(), data: reader.string() }));
      const key = keys.find(({ blob }) => asked?.blob.equals(blob));
      if (asked === undefined || key === undefined) return FAILURE;
      signed.push(key.blob);
      return key.answer(asked.data);
    };
    void answerTo().then((answer) => connection.write(sshString(answer)));
  });
  return { socket, signed };
}

/** `onRequest`: each request whole, without its length. */
export async function startRawAgent(scratch: Scratch, onRequest: (connection: Socket, request: Buffer) => void): Promise<string> {
  const path = scratch.path('agent-double.sock');
  const server = createServer((connection) => {
    let received = Buffer.alloc(0);
    connection.on('error', () => undefined);
    connection.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const request = readWire(received, (reader) => reader.string());
      if (request) onRequest(connection, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, () => { resolve(); }));
  onTestFinished(() => new Promise((resolve) => server.close(() => { resolve(); })));
  return path;
}
