/** Which keys are offered, and what is said of those that are not. */
import { spawn } from 'node:child_process';
import { expect, it, onTestFinished } from 'vitest';
import { createAgentKeyLister } from '../../src/ssh/agent-keys.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { findIdentities } from '../../src/ssh/identities.js';
import type { KeySources } from '../../src/ssh/identities.js';
import { createKeyFileReader, parseKeyFile } from '../../src/ssh/key-files.js';
import type { Host } from '../../src/core/host.js';
import { plainRoute } from '../../src/ssh/plain-route.js';
import type { PlainRouteOptions } from '../../src/ssh/plain-route.js';
import type { Hop } from '../../src/ssh/route.js';
import ssh2 from 'ssh2';
import { createLab, never, scratchForTest } from './lab.js';
import { failureIn, hostAt, makeKey } from './scratch.js';
import type { KeyKind, Scratch, TestKey } from './scratch.js';
import { endChild } from './sshd.js';

const SOURCES: KeySources = { readKeyFile: createKeyFileReader(), listAgentKeys: (socketPath) => createAgentKeyLister(socketPath)() };

function hop(overrides: Partial<Host> = {}, login: Partial<PlainRouteOptions> = {}): Hop {
  return plainRoute(hostAt(22, overrides), { hostKeys: 'strict', knownHostsFiles: [], defaultIdentityFiles: [], ...login }).target;
}

async function agentWith(scratch: Scratch, keys: readonly TestKey[]): Promise<string> {
  const socket = scratch.path('agent.sock');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => endChild(agent));
  await new Promise((resolve) => agent.stdout.once('data', resolve));
  for (const [index, key] of keys.entries()) {
    const add = spawn('ssh-add', ['-q', scratch.write(`agent-${index}`, key.privateText)], { stdio: 'ignore', env: { ...process.env, SSH_AUTH_SOCK: socket } });
    expect(await new Promise((resolve) => add.once('exit', resolve))).toBe(0);
  }
  return socket;
}

it.each<KeyKind>(['ed25519', 'ecdsa', 'rsa'])('a %s key signs what its public half verifies', (kind) => {
  const key = makeKey(kind);
  const file = parseKeyFile(key.privateText);
  if (file.state !== 'usable') throw new Error(file.state);
  const hash = kind === 'rsa' ? 'sha256' : undefined;
  const signature = file.key.sign(Buffer.from('data'), hash);
  const publicKey = ssh2.utils.parseKey(key.publicText);
  if (publicKey instanceof Error) throw publicKey;
  expect(publicKey.verify(Buffer.from('data'), signature, hash)).toBe(true);
  expect(file.publicBlob.equals(key.blob)).toBe(true);
});

it.each([undefined, 'sha1'])('an RSA key never signs with SHA-1 (%s)', (hash) => {
  const file = parseKeyFile(makeKey('rsa').privateText);
  if (file.state !== 'usable') throw new Error(file.state);
  expect(file.key.sign(Buffer.from('data'), hash)).toBeInstanceOf(Error);
});

it('an encrypted key is known by its public half', () => {
  const key = makeKey('ed25519', 'secret words');
  expect(parseKeyFile(key.privateText)).toEqual({ state: 'encrypted', publicBlob: key.blob });
});

it.each([
  ['a certificate', 'ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQ= comment', /is a certificate/],
  ['a public key', makeKey().publicText, /is a public key/],
  ['some other file', 'hello', /is not a private key/],
  ['an old encrypted file', '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n', /is encrypted in an old format/],
  ['a broken key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', /format that is not supported/],
])('%s is refused with a reason of its own', (_name, text, reason) => {
  expect(parseKeyFile(text)).toMatchObject({ state: 'unusable', reason: expect.stringMatching(reason) as string });
});

it('the key file of the host is the only key that is offered', async () => {
  const scratch = scratchForTest();
  const [own, other] = [makeKey(), makeKey()];
  const file = scratch.write('own', own.privateText);
  const found = await findIdentities(hop({ identityFile: file }, { defaultIdentityFiles: [scratch.write('other', other.privateText)] }), SOURCES);
  expect(found.identities.map((identity) => identity.label)).toEqual([`ssh-ed25519 ${fingerprintOf(own.blob)} (${file})`]);
});

it('the agent goes first, then the default files; a key that both have is offered once', async () => {
  const scratch = scratchForTest();
  const [inBoth, inAgent, inFile] = [makeKey(), makeKey('rsa'), makeKey('ecdsa')];
  const files = [scratch.write('both', inBoth.privateText), scratch.path('absent'), scratch.write('file', inFile.privateText)];
  const agentSocket = await agentWith(scratch, [inAgent, inBoth]);
  const found = await findIdentities(hop({}, { agentSocket, defaultIdentityFiles: files }), SOURCES);
  expect(found.identities.map((identity) => identity.publicBlob.toString('base64'))).toEqual([inAgent, inBoth, inFile].map((key) => key.blob.toString('base64')));
});

it('an encrypted default key is passed over with a remark, and no text holds key material', async () => {
  const scratch = scratchForTest();
  const [locked, plain] = [makeKey('ed25519', 'secret words'), makeKey()];
  const files = [scratch.write('locked', locked.privateText), scratch.write('plain', plain.privateText)];
  const found = await findIdentities(hop({}, { defaultIdentityFiles: files }), SOURCES);
  expect(found.identities.length).toBe(1);
  expect(found.remarks.join('\n')).toContain(`${files[0]} is encrypted and not in the ssh-agent (ssh-add ${files[0]})`);
  expect(JSON.stringify([found.identities.map((identity) => identity.label), found.remarks])).not.toContain('PRIVATE');
});

it('an encrypted key file of the host says how to go on', async () => {
  const scratch = scratchForTest();
  const file = scratch.write('locked', makeKey('ed25519', 'secret words').privateText);
  expect(await failureIn(findIdentities(hop({ identityFile: file }), SOURCES))).toMatchObject({
    kind: 'authentication', summary: expect.stringContaining('is encrypted and not in the ssh-agent') as string, next: `load it into the agent: ssh-add ${file}`,
  });
});

it('an agent that cannot be reached is a remark while there are key files, and part of the error when there are none', async () => {
  const scratch = scratchForTest();
  const agentSocket = scratch.path('no-agent');
  const withFile = await findIdentities(hop({}, { agentSocket, defaultIdentityFiles: [scratch.write('id', makeKey().privateText)] }), SOURCES);
  expect(withFile.remarks.join()).toContain('the ssh-agent could not be asked');
  const failure = await failureIn(findIdentities(hop({}, { agentSocket }), SOURCES));
  expect(failure).toMatchObject({ kind: 'authentication', detail: expect.stringContaining('could not be asked') as string });
});

it('an agent that no longer signs is one failed attempt a key, and the login fails with the reason', async () => {
  const scratch = scratchForTest();
  const keys = [makeKey(), makeKey()];
  const lab = await createLab({ authorized: keys.map((key) => key.blob) });
  const agentSocket = await agentWith(scratch, keys);
  const transport = lab.transport({ agentSocket, defaultIdentityFiles: [] });
  await (await transport.open(lab.host, 'true', never)).close();
  const forget = spawn('ssh-add', ['-q', '-D'], { stdio: 'ignore', env: { ...process.env, SSH_AUTH_SOCK: agentSocket } });
  await new Promise((resolve) => forget.once('exit', resolve));
  const failure = await failureIn(transport.open(lab.host, 'true', never));
  expect(failure.kind).toBe('authentication');
  expect(failure.detail?.split('\n').map((line) => line.split(':')[0])).toEqual(['tried', 'tried', 'failed here', 'failed here']);
});

it('a missing key file is named', async () => {
  expect(await failureIn(findIdentities(hop({ identityFile: '/nowhere/id' }), SOURCES))).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('/nowhere/id does not exist') as string });
});

it('a key file is read once for the whole fleet', async () => {
  const scratch = scratchForTest();
  const read = createKeyFileReader();
  const file = scratch.write('id', makeKey().privateText);
  const first = await read(file);
  scratch.write('id', 'something else');
  expect(await read(file)).toBe(first);
});
