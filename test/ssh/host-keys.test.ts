/** Whom we trust: negative cases first (ssh.md 2.6: a tool shipped "accept new" that checked nothing). */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import type { Transport } from '../../src/core/ports.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { plainRoute } from './plain-route.js';
import { createSshTransport } from '../../src/ssh/transport.js';
import { createAuthority, startCertifiedServer } from './host-authority.js';
import { createLab, never, scratchForTest, transportToAnything } from './lab.js';
import type { Lab } from './lab.js';
import { noSecrets } from './plain-transport.js';
import { failureIn, hostAt, makeKey } from './scratch.js';
import type { TestKey } from './scratch.js';
import { startSshServer } from './test-server.js';

const modes = ['strict', 'acceptNew'] as const;

function countLogins(): { readonly options: { onAuthentication: (context: { reject(): void }) => void }; count(): number } {
  let count = 0;
  return {
    options: {
      onAuthentication: (context) => {
        count += 1;
        context.reject();
      },
    },
    count: () => count,
  };
}

const file = (lab: Lab, text: string): { knownHostsFiles: string[] } => ({ knownHostsFiles: [lab.scratch.write('own', text)] });

it.each(modes)('a changed key is refused (%s), with both fingerprints and the line, before any login', async (hostKeys) => {
  const logins = countLogins();
  const lab = await createLab(logins.options);
  const old = makeKey();
  const failure = await failureIn(lab.transport({ hostKeys, ...file(lab, `# first line\n${lab.knownLine(old)}`) }).open(lab.host, 'true', never));
  expect(failure.kind).toBe('hostKeyChanged');
  for (const part of [fingerprintOf(old.blob), fingerprintOf(lab.hostKey.blob), `${lab.scratch.path('own')}:2`]) expect(failure.summary).toContain(part);
  expect(logins.count()).toBe(0);
  expect(readFileSync(lab.scratch.path('own'), 'utf8')).not.toContain(lab.hostKey.publicText);
});

it.each(modes)('a revoked key is refused (%s), although another line has it', async (hostKeys) => {
  const lab = await createLab();
  const failure = await failureIn(lab.transport({ hostKeys, ...file(lab, `${lab.knownLine()}@revoked * ${lab.hostKey.publicText}\n`) }).open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'hostKeyRevoked', summary: expect.stringContaining(`${lab.scratch.path('own')}:2`) as string });
});

it('an unknown key is refused, with its fingerprint and both ways on, and nothing is written', async () => {
  const logins = countLogins();
  const lab = await createLab(logins.options);
  const own = lab.scratch.path('none');
  const failure = await failureIn(lab.transport({ knownHostsFiles: [own] }).open(lab.host, 'true', never));
  expect(failure.kind).toBe('hostKeyUnknown');
  expect(failure.summary).toContain(fingerprintOf(lab.hostKey.blob));
  expect(failure.next).toContain(`ssh-keyscan -p ${lab.server.port} -t ed25519 127.0.0.1`);
  expect(failure.next).toContain('--host-keys accept-new');
  expect(existsSync(own)).toBe(false);
  expect(logins.count()).toBe(0);
});

it('a certificate authority and unreadable lines are mentioned when a key is unknown', async () => {
  const lab = await createLab();
  const failure = await failureIn(lab.transport(file(lab, `rubbish\n@cert-authority * ${makeKey().publicText}\n`)).open(lab.host, 'true', never));
  expect(failure.kind).toBe('hostKeyUnknown');
  expect(failure.detail).toMatch(/own:2 trusts the authority SHA256:\S+ for this host\nthe host showed no certificate\n\S+own:1 could not be read/);
});

it('a new key is recorded before anything is sent to log in', async () => {
  const own = scratchForTest().path('none');
  const recorded: boolean[] = [];
  const lab = await createLab({
    onAuthentication: (context) => {
      recorded.push(existsSync(own));
      context.reject(['password']);
    },
  });
  expect((await failureIn(lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [own] }).open(lab.host, 'true', never))).kind).toBe('authentication');
  expect(recorded).toEqual([true]);
});

it('a host whose key cannot be recorded gets no login at all', async () => {
  const logins = countLogins();
  const lab = await createLab(logins.options);
  const own = lab.scratch.path('own');
  const transport = lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: ['/proc/self/known_hosts'], secrets: { read: () => Promise.resolve('word') } });
  expect(await failureIn(transport.open({ ...lab.host, ssh: { password: { from: 'prompt' } } }, 'true', never))).toMatchObject({
    kind: 'hostKeyUnknown', summary: expect.stringContaining('could not be recorded') as string, done: 'nothing was sent to log in',
  });
  // A directory stands where the lock would be.
  mkdirSync(`${own}.lock`);
  expect((await failureIn(lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [own] }).open(lab.host, 'true', never))).kind).toBe('hostKeyUnknown');
  expect(logins.count()).toBe(0);
});

it('a certificate that does not hold is refused after one question, where ssh_config allows nothing but certificates', async () => {
  const scratch = scratchForTest();
  const hostKey = makeKey();
  const authority = createAuthority(scratch, 'ca', makeKey());
  const server = await startCertifiedServer(authority.sign(hostKey, { arguments: ['-h', '-n', '127.0.0.1', '-V', '20200101:20210101'] }), hostKey, (context) => context.reject());
  onTestFinished(() => server.close());
  const known = scratch.write('known', `[127.0.0.1]:${server.port} ${makeKey('rsa').publicText}\n@cert-authority * ${authority.key.publicText}\n`);
  const transport = offering((names) => names.filter((name) => name.includes('-cert-')), known, scratch.write('id', makeKey().privateText));
  expect((await failureIn(transport.open(hostAt(server.port), 'true', never))).summary).toContain('does not hold');
  expect(server.count).toBe(1);
});

it.each(modes)('a recorded key of a type that is not offered is no changed key (%s): the line is named', async (hostKeys) => {
  const lab = await createLab();
  const dsa = Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-dss'), Buffer.from([0, 0, 0, 1, 1])]).toString('base64');
  const failure = await failureIn(lab.transport({ hostKeys, ...file(lab, `[127.0.0.1]:${lab.server.port} ssh-dss ${dsa}\n`) }).open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'hostKeyUnknown', detail: `ssh-dss is recorded (${lab.scratch.path('own')}:1) and not offered here because fleetmend does not have it` });
  expect(failure.next).not.toContain('accept-new');
  const rsa = lab.scratch.write('rsa', lab.knownLine(makeKey('rsa')));
  const narrow = await failureIn(offering(() => ['ssh-ed25519'], rsa, lab.scratch.write('id', lab.userKey.privateText), hostKeys).open(lab.host, 'true', never));
  expect(narrow).toMatchObject({ kind: 'hostKeyUnknown', detail: expect.stringContaining('HostKeyAlgorithms of ssh_config leaves it out') as string });
});

/** With other host keys than ours. */
function offering(choose: (names: readonly string[]) => readonly string[], known: string, identity: string, hostKeys: 'strict' | 'acceptNew' = 'strict'): Transport {
  return createSshTransport({
    secrets: noSecrets,
    routeOf: (host) => {
      const route = plainRoute(host, { hostKeys, knownHostsFiles: [known], defaultIdentityFiles: [identity] });
      const { algorithms } = route.target;
      return Promise.resolve({ ...route, target: { ...route.target, algorithms: { ...algorithms, hostKeys: choose(algorithms.hostKeys) } } });
    },
  });
}

it('a key that cannot be recorded is not trusted', async () => {
  const lab = await createLab();
  const failure = await failureIn(
    lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [lab.scratch.path('new'), lab.scratch.write('plain', '')] }).open({ ...lab.host, address: 'host,with,commas' }, 'true', never),
  );
  expect(failure.kind).toBe('dns');
  const named = lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [lab.scratch.path('new')], resolve: () => Promise.resolve(['127.0.0.1']) });
  expect(await failureIn(named.open({ ...lab.host, address: 'host,with,commas' }, 'true', never))).toMatchObject({
    kind: 'hostKeyUnknown', summary: expect.stringContaining('could not be recorded') as string,
  });
});

it('20 parallel connections to new hosts record each key once', async () => {
  const labs = await Promise.all([createLab(), createLab()]);
  const own = scratchForTest().path('deep/known_hosts');
  const transports = labs.map((lab) => lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [own] }));
  const shells = await Promise.all(Array.from({ length: 20 }, (_, index) => {
    const lab = labs[index % 2];
    const transport = transports[index % 2];
    if (!lab || !transport) throw new Error('two labs');
    return transport.open(lab.host, 'true', never);
  }));
  await Promise.all(shells.map((shell) => shell.close()));
  expect(readFileSync(own, 'utf8').split('\n').sort()).toEqual(['', ...labs.map((lab) => lab.knownLine().trim())].sort());
});

async function serverWithTwoKeys(): Promise<{ lab: Lab; rsa: ReturnType<typeof makeKey>; port: number; close(): Promise<void>; count(): number }> {
  const lab = await createLab();
  const rsa = makeKey('rsa');
  const server = await startSshServer({ hostKeys: [lab.hostKey.privateText, rsa.privateText], authorized: [lab.userKey.blob] });
  return { lab, rsa, port: server.port, close: () => server.close(), count: () => server.count };
}

it('a good host whose RSA key is recorded under a hash raises no alarm: it is asked again for that key', async () => {
  const { lab, rsa, port, close, count } = await serverWithTwoKeys();
  try {
    const hashed = lab.scratch.write('hashed', `[127.0.0.1]:${port} ${rsa.publicText}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', hashed], { stdio: 'ignore' });
    const shell = await lab.transport({ knownHostsFiles: [hashed] }).open(hostAt(port), 'true', never);
    expect(shell.hostKey).toBe(fingerprintOf(rsa.blob));
    await shell.close();
    expect(count()).toBe(2);
  } finally {
    await close();
  }
});

it('a good host whose RSA key is recorded in plain is asked for it in the first place', async () => {
  const { lab, rsa, port, close, count } = await serverWithTwoKeys();
  try {
    const shell = await lab.transport(file(lab, `[127.0.0.1]:${port} ${rsa.publicText}\n`)).open(hostAt(port), 'true', never);
    expect(shell.hostKey).toBe(fingerprintOf(rsa.blob));
    await shell.close();
    expect(count()).toBe(1);
  } finally {
    await close();
  }
});

it.each(modes)('a host that no longer shows its recorded key type is refused as changed (%s)', async (hostKeys) => {
  const lab = await createLab();
  const failure = await failureIn(lab.transport({ hostKeys, ...file(lab, lab.knownLine(makeKey('rsa'))) }).open(lab.host, 'true', never));
  expect(failure).toMatchObject({ kind: 'hostKeyChanged', summary: expect.stringContaining('no longer shows its recorded host key ssh-rsa') as string });
});

it('a host with an alias is looked up and learned under it, whatever its port', async () => {
  const lab = await createLab();
  const own = lab.scratch.path('own');
  const host = { ...lab.host, ssh: { hostKeyAlias: 'Node-7' } };
  const first = await lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [own] }).open(host, 'true', never);
  await first.close();
  expect(readFileSync(own, 'utf8')).toBe(`node-7 ${lab.hostKey.publicText}\n`);
  const second = await lab.transport({ knownHostsFiles: [own] }).open(host, 'true', never);
  await second.close();
  expect(await failureIn(lab.transport().open(host, 'true', never))).toMatchObject({
    kind: 'hostKeyUnknown', next: expect.stringContaining('under the name Node-7') as string,
  });
});

it('a learned name is hashed where ssh_config wants that, and found again by ssh-keygen', async () => {
  const lab = await createLab();
  const own = lab.scratch.path('own');
  const hashing = (hostKeys: 'strict' | 'acceptNew') => {
    const options = { hostKeys, knownHostsFiles: [own], defaultIdentityFiles: [lab.scratch.path('id')], closeGraceMs: 100 };
    lab.scratch.write('id', lab.userKey.privateText);
    return createSshTransport({
      secrets: noSecrets,
      routeOf: (host) => {
        const route = plainRoute(host, options);
        return Promise.resolve({ ...route, target: { ...route.target, hostKeys: { ...route.target.hostKeys, hashNames: true } } });
      },
    });
  };
  for (const mode of ['acceptNew', 'strict'] as const) await (await hashing(mode).open(lab.host, 'true', never)).close();
  expect(readFileSync(own, 'utf8')).toMatch(/^\|1\|[A-Za-z0-9+/]{27}=\|[A-Za-z0-9+/]{27}= ssh-ed25519 \S+\n$/);
  expect(execFileSync('ssh-keygen', ['-F', `[127.0.0.1]:${lab.server.port}`, '-f', own], { encoding: 'utf8' })).toContain('found: line 1');
});

it('nothing is learned into /dev/null, and nothing is made beside it', async () => {
  const lab = await createLab();
  const transport = (known: string) => lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: ['/dev/null', lab.scratch.write('global', known)] });
  expect(await failureIn(transport('').open(lab.host, 'true', never))).toMatchObject({ kind: 'hostKeyUnknown', summary: expect.stringContaining('no regular file') as string });
  expect(existsSync('/dev/null.lock')).toBe(false);
  await (await transport(lab.knownLine()).open(lab.host, 'true', never)).close();
});

it('a key exchange with a certificate that the server cannot sign for is refused before any login', async () => {
  const logins = countLogins();
  const scratch = scratchForTest();
  const [victim, thief, authority] = [makeKey(), makeKey(), makeKey()];
  const stolen = createAuthority(scratch, 'ca', authority).sign(victim, { arguments: ['-h', '-n', '127.0.0.1'] });
  const known = scratch.write('known_hosts', `@cert-authority * ${authority.publicText}\n`);
  const connect = async (signer: TestKey) => {
    const server = await startCertifiedServer(stolen, signer, logins.options.onAuthentication);
    onTestFinished(() => server.close());
    return failureIn(transportToAnything({ knownHostsFiles: [known] }).open(hostAt(server.port), 'true', never));
  };
  expect((await connect(thief)).kind).toBe('protocol');
  expect(logins.count()).toBe(0);
  // The same server with the right key comes as far as the login.
  expect((await connect(victim)).kind).toBe('authentication');
  expect(logins.count()).toBeGreaterThan(0);
});
