/** An agent that is slow, gone or mad costs a key, never the process. */
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { listAgent, signWithAgent } from '../../src/ssh/agent-client.js';
import { sshString, uint32 } from '../../src/ssh/wire.js';
import { makeFidoKey, startAgent, startAgentDouble, startRawAgent } from './agents.js';
import { scratchForTest } from './lab.js';
import { makeKey } from './scratch.js';
import type { KeyKind } from './scratch.js';

const data = Buffer.from('what is to be signed');

it.each<[KeyKind, ...string[]]>([['ed25519', 'ssh-ed25519'], ['ecdsa', 'ecdsa-sha2-nistp256'], ['rsa', 'rsa-sha2-256', 'rsa-sha2-512']])('ssh-agent lists a key (%s) and signs with it as %s', async (kind, ...algorithms) => {
  const scratch = scratchForTest();
  const key = makeKey(kind);
  const { socket } = await startAgent(scratch, [scratch.write('key', key.privateText)]);
  expect((await listAgent(socket)).map(({ blob }) => blob)).toEqual([key.blob]);
  for (const algorithm of algorithms) {
    const signature = await signWithAgent(socket, { blob: key.blob, data, algorithm, needsTouch: false });
    expect(signature.subarray(0, 4 + algorithm.length)).toEqual(sshString(algorithm));
  }
});

it('a FIDO key is listed, and its flags and counter stay with its signature', async () => {
  const key = makeFidoKey('sk-ssh-ed25519@openssh.com');
  const { socket } = await startAgentDouble(scratchForTest(), [key]);
  expect((await listAgent(socket)).map(({ blob }) => blob)).toEqual([key.blob]);
  const signature = await signWithAgent(socket, { blob: key.blob, data, algorithm: 'sk-ssh-ed25519@openssh.com', needsTouch: true });
  expect(signature.subarray(-5)).toEqual(Buffer.from([1, 0, 0, 0, 1]));
});

it('a signature of another kind than was asked for is not taken: an old agent makes SHA-1 of what should be SHA-2', async () => {
  const answer = sshString(Buffer.concat([Buffer.from([14]), sshString(Buffer.concat([sshString('ssh-rsa'), sshString('x')]))]));
  const socket = await startRawAgent(scratchForTest(), (connection) => connection.write(answer));
  await expect(signWithAgent(socket, { blob: makeKey().blob, data, algorithm: 'rsa-sha2-512', needsTouch: false })).rejects.toThrow('another kind');
});

it('an agent that refuses says so', async () => {
  const socket = await startRawAgent(scratchForTest(), (connection) => connection.write(sshString(Buffer.from([5]))));
  await expect(signWithAgent(socket, { blob: makeKey().blob, data, algorithm: 'ssh-ed25519', needsTouch: false })).rejects.toThrow('does not sign with this key');
});

it.each<[string, (connection: Socket) => void, RegExp]>([
  ['says nothing', () => undefined, /no answer within/],
  ['hangs up', (connection) => connection.destroy(), /closed the connection/],
  ['announces 4 GB', (connection) => connection.write(Buffer.alloc(8, 0xff)), /an answer of 4294967295 bytes/],
  ['claims more keys than it lists', (connection) => connection.write(sshString(Buffer.concat([Buffer.from([12]), uint32(4_000_000_000), sshString('x'), sshString('')]))), /no list of keys/],
  ['answers something else', (connection) => connection.write(sshString(Buffer.from([6]))), /no list of keys/],
  ['sends an empty answer', (connection) => connection.write(sshString('')), /no list of keys/],
])('an agent that %s is a clear error', async (_what, act, reason) => {
  await expect(listAgent(await startRawAgent(scratchForTest(), act), 300)).rejects.toThrow(reason);
});

it('a socket without an agent is a clear error', async () => {
  await expect(listAgent('/nowhere/agent.sock')).rejects.toThrow('ENOENT');
});
