/** Whom we trust: negative cases first (ssh.md 2.6: a tool shipped "accept new" that checked nothing). */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createLab, never, scratchForTest } from './lab.js';
import type { Lab } from './lab.js';
import { failureIn, hostAt, makeKey } from './scratch.js';
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
  expect(failure.detail).toMatch(/own:2 trusts a certificate authority[^]*own:1 could not be read/);
});

it('a key is not recorded when the login fails', async () => {
  const lab = await createLab({ authorized: [] });
  const own = lab.scratch.path('none');
  expect((await failureIn(lab.transport({ hostKeys: 'acceptNew', knownHostsFiles: [own] }).open(lab.host, 'true', never))).kind).toBe('authentication');
  expect(existsSync(own)).toBe(false);
});

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
