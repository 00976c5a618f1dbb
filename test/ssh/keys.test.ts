/** Which keys are offered, in which order, and what is said of those that are not. */
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { Secrets } from '../../src/core/ports.js';
import { createCredentials } from '../../src/ssh/credentials.js';
import type { HopCredentials } from '../../src/ssh/credentials.js';
import { describeLogin } from '../../src/ssh/describe-login.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createKeyFileReader, parseKeyFile } from '../../src/ssh/key-files.js';
import { createKeySources } from '../../src/ssh/key-sources.js';
import { plainRoute } from './plain-route.js';
import type { PlainRouteOptions } from './plain-route.js';
import type { Hop, LoginRules } from '../../src/ssh/route.js';
import { secretsNeeded } from '../../src/ssh/secrets-needed.js';
import { isSignatureOf } from '../../src/ssh/verify-signature.js';
import { startAgent } from './agents.js';
import { createLab, never, scratchForTest } from './lab.js';
import { noSecrets } from './plain-transport.js';
import { failureIn, hostAt, makeKey } from './scratch.js';
import type { KeyKind } from './scratch.js';

function hop(overrides: Partial<Host> = {}, login: Partial<PlainRouteOptions> = {}, rules: Partial<LoginRules> = {}): Hop {
  const { target } = plainRoute(hostAt(22, overrides), { hostKeys: 'strict', knownHostsFiles: [], defaultIdentityFiles: [], ...login });
  return { ...target, login: { ...target.login, ...rules } };
}

function credentialsOf(host: Hop, secrets: Secrets = noSecrets): Promise<HopCredentials> {
  return createCredentials(createKeySources(), secrets).forHop({ jumps: [], target: host }, never);
}

async function blobsOf(host: Hop): Promise<readonly string[]> {
  return (await credentialsOf(host)).identities.map(({ blob }) => blob.toString('base64'));
}

const inBase64 = (keys: readonly { readonly blob: Buffer }[]): readonly string[] => keys.map(({ blob }) => blob.toString('base64'));

it.each<[KeyKind, string]>([['ed25519', 'ssh-ed25519'], ['ecdsa', 'ecdsa-sha2-nistp256'], ['rsa', 'rsa-sha2-256'], ['rsa', 'rsa-sha2-512']])('a %s key signs as %s what its public half verifies', async (kind, algorithm) => {
  const key = makeKey(kind);
  const file = parseKeyFile(key.privateText, 'id');
  if (file.state !== 'usable') throw new Error(file.state);
  const data = Buffer.from('data');
  expect(file.signer.publicBlob).toEqual(key.blob);
  expect(isSignatureOf(key.blob, await file.signer.sign(data, algorithm), data)).toBe(true);
});

it.each(['ssh-dss', 'ssh-ed25519-cert-v01@openssh.com', ''])('a key never signs as %j, which it does not know', async (algorithm) => {
  const file = parseKeyFile(makeKey().privateText, 'id');
  if (file.state !== 'usable') throw new Error(file.state);
  await expect(file.signer.sign(Buffer.from('data'), algorithm)).rejects.toThrow('is not known here');
});

it('an encrypted key is known by its public half, and opens with its passphrase alone', () => {
  const key = makeKey('ed25519', 'secret words');
  const file = parseKeyFile(key.privateText, 'id');
  if (file.state !== 'locked') throw new Error(file.state);
  expect(file.publicBlob).toEqual(key.blob);
  expect(file.unlock('other words')).toBeUndefined();
  expect(file.unlock('secret words')?.publicBlob).toEqual(key.blob);
});

it.each(['pkcs8', 'pkcs1'] as const)('an encrypted key in the old format %s opens with its passphrase, and is known before by the public file beside it', async (type) => {
  const scratch = scratchForTest();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const file = scratch.write('id', privateKey.export({ type, format: 'pem', cipher: 'aes-128-cbc', passphrase: 'old words' }) as string);
  const locked = await createKeyFileReader()(file);
  if (locked.state !== 'locked') throw new Error(locked.state);
  expect(locked.publicBlob).toBeUndefined();
  const opened = locked.unlock('old words');
  expect(opened?.keyType).toBe('ssh-rsa');
  scratch.write('id.pub', `ssh-rsa ${opened?.publicBlob.toString('base64')}\n`);
  expect(await createKeyFileReader()(file)).toMatchObject({ state: 'locked', publicBlob: opened?.publicBlob });
});

it('a passphrase is tried once, however many hosts need the key', () => {
  const file = parseKeyFile(makeKey('ed25519', 'secret words').privateText, 'id');
  if (file.state !== 'locked') throw new Error(file.state);
  expect(file.unlock('secret words')).toBe(file.unlock('secret words'));
});

it.each([
  ['a certificate', 'ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQ= comment', /is a certificate/],
  ['some other file', 'hello', /is not a private key/],
  ['a broken key', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', /format that is not supported/],
  ['a DSA key', generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, /format that is not supported/],
])('%s is refused with a reason of its own', (_name, text, reason) => {
  expect(parseKeyFile(text, 'id')).toMatchObject({ state: 'unusable', reason: expect.stringMatching(reason) as string });
});

it('the key file of the host is the only key that is offered', async () => {
  const scratch = scratchForTest();
  const [own, other] = [makeKey(), makeKey()];
  const file = scratch.write('own', own.privateText);
  const { socket } = await startAgent(scratch, [scratch.write('in-agent', makeKey().privateText)]);
  const found = await credentialsOf(hop({ identityFile: file }, { agentSocket: socket, defaultIdentityFiles: [scratch.write('other', other.privateText)] }));
  expect(found.identities.map((identity) => identity.label)).toEqual([`ssh-ed25519 ${fingerprintOf(own.blob)} (${file})`]);
});

it('the agent goes first, then the default files; a key that both have is offered once', async () => {
  const scratch = scratchForTest();
  const [inBoth, inAgent, inFile] = [makeKey(), makeKey('ecdsa'), makeKey('ecdsa')];
  const files = [scratch.write('both', inBoth.privateText), scratch.path('absent'), scratch.write('file', inFile.privateText)];
  const { socket } = await startAgent(scratch, [scratch.write('agent', inAgent.privateText), files[0] ?? '']);
  expect(await blobsOf(hop({}, { agentSocket: socket, defaultIdentityFiles: files }))).toEqual(inBase64([inAgent, inBoth, inFile]));
});

it('named keys go before the others of the agent, and alone where the others are ruled out', async () => {
  const scratch = scratchForTest();
  const [named, inAgent, both] = [makeKey(), makeKey(), makeKey()];
  const { socket } = await startAgent(scratch, [scratch.write('agent', inAgent.privateText), scratch.write('both', both.privateText)]);
  const files = [scratch.write('named', named.privateText), scratch.write('both.pub', both.publicText)];
  expect(await blobsOf(hop({}, { agentSocket: socket }, { identityFiles: files }))).toEqual(inBase64([named, both, inAgent]));
  expect(await blobsOf(hop({}, { agentSocket: socket }, { identityFiles: files, identitiesOnly: true }))).toEqual(inBase64([named, both]));
});

it.each(['the public half', 'the name of an absent private half', 'an encrypted private half'])('%s selects a key of the agent', async (what) => {
  const scratch = scratchForTest();
  const [wanted, other] = [makeKey(), makeKey()];
  const { socket } = await startAgent(scratch, [scratch.write('other', other.privateText), scratch.write('wanted', wanted.privateText)]);
  const select = { 'the public half': () => scratch.write('id.pub', wanted.publicText), 'the name of an absent private half': () => scratch.write('id.pub', wanted.publicText).slice(0, -4),
    'an encrypted private half': () => lock(scratch.write('id', wanted.privateText)) }[what];
  expect(await blobsOf(hop({ identityFile: select?.() ?? '' }, { agentSocket: socket }))).toEqual(inBase64([wanted]));
});

it('the public half of a key that nobody holds is named', async () => {
  const file = scratchForTest().write('id.pub', makeKey().publicText);
  expect(await failureIn(credentialsOf(hop({ identityFile: file })))).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('is a public key, and the ssh-agent does not hold its private half') as string });
});

it('an encrypted default key is passed over where there are others, and no text holds key material', async () => {
  const scratch = scratchForTest();
  const [locked, plain] = [makeKey('ed25519', 'secret words'), makeKey()];
  const files = [scratch.write('locked', locked.privateText), scratch.write('plain', plain.privateText)];
  const where = hop({}, { defaultIdentityFiles: files });
  const found = await credentialsOf(where);
  expect(found.identities.length).toBe(1);
  expect(found.remarks.join('\n')).toContain(`${files[0]} is encrypted and not in the ssh-agent (ssh-add ${files[0]})`);
  expect(await secretsNeeded(where, createKeySources())).toEqual([]);
  expect(JSON.stringify([found.identities.map((identity) => identity.label), found.remarks])).not.toContain('PRIVATE');
});

it('an encrypted key is asked for where there is no other, and its passphrase is checked before any host', async () => {
  const scratch = scratchForTest();
  const file = scratch.write('locked', makeKey('ed25519', 'secret words').privateText);
  for (const where of [hop({ identityFile: file }), hop({}, { defaultIdentityFiles: [file] })]) {
    const sources = createKeySources();
    const [request, ...others] = await secretsNeeded(where, sources);
    expect(others).toEqual([]);
    expect(request).toMatchObject({ source: { from: 'prompt' }, label: `passphrase of ${file}`, otherwise: `load it into the agent: ssh-add ${file}` });
    expect(request?.optional).toBeUndefined();
    expect([await request?.check?.('other words'), await request?.check?.('secret words')]).toEqual([false, true]);
    expect((await describeLogin(where, sources)).join()).toContain('encrypted: its passphrase is asked for');
    const found = await createCredentials(sources, { read: () => Promise.resolve('secret words') }).forHop({ jumps: [], target: where }, never);
    expect(found.identities).toHaveLength(1);
  }
});

it('an encrypted named key whose passphrase nobody gives is passed over only where there are others', async () => {
  const scratch = scratchForTest();
  const file = scratch.write('locked', makeKey('ed25519', 'secret words').privateText);
  const other = scratch.write('other', makeKey().privateText);
  const both = hop({}, {}, { identityFiles: [file, other] });
  expect((await secretsNeeded(both, createKeySources())).map(({ optional }) => optional)).toEqual([true]);
  expect((await credentialsOf(both)).remarks.join()).toContain('its passphrase was not given');
  expect(await failureIn(credentialsOf(hop({ identityFile: file })))).toMatchObject({
    kind: 'authentication', summary: expect.stringContaining('is encrypted and not in the ssh-agent') as string, next: `load it into the agent: ssh-add ${file}`,
  });
});

it('a wrong passphrase is a clear error, and it is not shown', async () => {
  const file = scratchForTest().write('locked', makeKey('ed25519', 'secret words').privateText);
  const failure = await failureIn(credentialsOf(hop({ identityFile: file }), { read: () => Promise.resolve('wrong-words') }));
  expect(failure).toMatchObject({ kind: 'authentication', summary: expect.stringContaining(`the passphrase given for ${file} does not open it`) as string });
  expect(JSON.stringify(failure)).not.toContain('wrong-words');
});

it('an agent that cannot be reached is a remark while there are key files, and part of the error when there are none', async () => {
  const scratch = scratchForTest();
  const agentSocket = scratch.path('no-agent');
  const withFile = await credentialsOf(hop({}, { agentSocket, defaultIdentityFiles: [scratch.write('id', makeKey().privateText)] }));
  expect(withFile.remarks.join()).toContain('the ssh-agent could not be asked');
  const failure = await failureIn(credentialsOf(hop({}, { agentSocket })));
  expect(failure).toMatchObject({ kind: 'authentication', detail: expect.stringContaining('could not be asked') as string });
});

it('an agent that no longer signs is one failed attempt a key, and the login fails with the reason', async () => {
  const scratch = scratchForTest();
  const keys = [makeKey(), makeKey()];
  const lab = await createLab({ authorized: keys.map((key) => key.blob) });
  const { socket, forget } = await startAgent(scratch, keys.map((key, index) => scratch.write(`id-${index}`, key.privateText)));
  const transport = lab.transport({ agentSocket: socket, defaultIdentityFiles: [] });
  await (await transport.open(lab.host, 'true', never)).close();
  await forget();
  const failure = await failureIn(transport.open(lab.host, 'true', never));
  expect(failure.kind).toBe('authentication');
  expect(failure.detail?.split('\n').map((line) => line.split(':')[0])).toEqual(['tried', 'tried', 'failed here', 'failed here']);
});

it.each([
  ['a missing key file', (): string => '/nowhere/id', '/nowhere/id does not exist'],
  ['a file that is no key', (): string => scratchForTest().write('id', 'hello'), 'is not a private key'],
])('%s is named', async (_what, file, reason) => {
  expect(await failureIn(credentialsOf(hop({ identityFile: file() })))).toMatchObject({ kind: 'authentication', summary: expect.stringContaining(reason) as string });
});

it('a key file is read once for the whole fleet', async () => {
  const scratch = scratchForTest();
  const read = createKeyFileReader();
  const file = scratch.write('id', makeKey().privateText);
  const first = await read(file);
  scratch.write('id', 'something else');
  expect(await read(file)).toBe(first);
});

it('keys of which no signature is allowed are passed over with a remark', async () => {
  const scratch = scratchForTest();
  const files = [scratch.write('ecdsa', makeKey('ecdsa').privateText), scratch.write('ed', makeKey().privateText)];
  const found = await credentialsOf(hop({}, {}, { identityFiles: files, signatures: ['ssh-ed25519'] }));
  expect(found.identities.map(({ signer }) => signer.keyType)).toEqual(['ssh-ed25519']);
  expect(found.remarks.join()).toContain('PubkeyAcceptedAlgorithms');
});

it('no key is offered where ssh_config turns keys off', async () => {
  const scratch = scratchForTest();
  const where = hop({}, {}, { identityFiles: [scratch.write('id', makeKey().privateText)], methods: ['password'], password: { from: 'env', name: 'SECRET' } });
  const found = await credentialsOf(where, { read: () => Promise.resolve('word') });
  expect(found.identities).toEqual([]);
  expect(await describeLogin(where, createKeySources())).toEqual(['password with the password in the environment variable SECRET', 'not tried: keys, for ssh_config turns them off']);
});

it('a password that cannot be had is the failure where there are no keys', async () => {
  const password = { from: 'env', name: 'SECRET' } as const;
  expect(await failureIn(credentialsOf(hop({}, {}, { password })))).toMatchObject({ kind: 'authentication', summary: 'no password of tester' });
});

it.each<[LoginRules['methods'], string]>([
  [['password', 'keyboard-interactive'], 'allows only passwords, and none is named'], [[], 'allows no method that fleetmend has'],
])('ssh_config that allows only %j and no password is named as the reason', async (methods, words) => {
  const file = scratchForTest().write('id', makeKey().privateText);
  expect(await failureIn(credentialsOf(hop({ identityFile: file }, {}, { methods: methods ?? [] })))).toMatchObject({
    kind: 'authentication', summary: expect.stringContaining(words) as string, next: expect.stringContaining('--ask-password') as string,
  });
});

it('a key file that others may read is refused as ssh does, with the way to mend it', async () => {
  const scratch = scratchForTest();
  const key = makeKey();
  const file = scratch.write('open', key.privateText);
  chmodSync(file, 0o644);
  expect(await failureIn(credentialsOf(hop({ identityFile: file })))).toMatchObject({ kind: 'authentication', summary: expect.stringContaining(`(mode 0644), so it is not used, as with ssh: chmod 600 ${file}`) as string });
  expect(await createKeySources().readKeyFile(file)).toMatchObject({ state: 'publicHalf', publicBlob: key.blob });
  chmodSync(file, 0o600);
  expect(await blobsOf(hop({ identityFile: file }))).toHaveLength(1);
});

it('the order of a login is told: keys, then the password', async () => {
  const scratch = scratchForTest();
  const key = makeKey();
  const file = scratch.write('id', key.privateText);
  const where = hop({ identityFile: file, ssh: { password: { from: 'command', argv: ['pass', 'show', '{host}'] } } });
  expect(await describeLogin(where, createKeySources())).toEqual([
    `key ssh-ed25519 ${fingerprintOf(key.blob)} (${file})`, 'password or keyboard-interactive with the password that pass prints', 'not tried: no ssh-agent is set',
  ]);
  expect(await secretsNeeded(where, createKeySources())).toMatchObject([{ label: 'password of tester on node-1', host: { name: 'node-1', address: '127.0.0.1', user: 'tester' } }]);
});

it('a password that is asked for is asked for once for a user, whatever the host', async () => {
  const password = { ssh: { password: { from: 'prompt' } } } as const;
  const labels = await Promise.all(['a', 'b'].map(async (name) => (await secretsNeeded(hop({ name, ...password }), createKeySources())).map(({ label }) => label)));
  expect(labels).toEqual([['password of tester'], ['password of tester']]);
});

/** The same key, encrypted. */
function lock(file: string): string {
  execFileSync('ssh-keygen', ['-p', '-q', '-N', 'a passphrase', '-f', file], { stdio: 'ignore' });
  return file;
}
