/** Host certificates of real authorities on a real sshd, with the real ssh as the judge of each case. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { failureOf } from '../../src/core/failure.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createAuthority } from './host-authority.js';
import type { TestAuthority } from './host-authority.js';
import { never } from './lab.js';
import { createPlainTransport } from './plain-transport.js';
import { createScratch, makeKey, readAll } from './scratch.js';
import type { KeyKind } from './scratch.js';
import { SKIP_WITHOUT_SSHD, startSshd } from './sshd.js';
import type { Sshd } from './sshd.js';

interface Case {
  readonly name: string;
  readonly host?: KeyKind;
  readonly authority?: KeyKind | 'other';
  readonly alias?: string;
  readonly mode?: 'strict' | 'acceptNew';
  readonly sign: string;
  readonly known: string;
  readonly expect: string;
  readonly ssh?: string;
}

const { cases } = parse(readFileSync(new URL('host-certificates.cases.yaml', import.meta.url), 'utf8')) as { cases: Case[] };
const KINDS = ['ed25519', 'ecdsa', 'rsa'] as const;
const ALGORITHMS: Record<KeyKind, string> = {
  ed25519: 'ssh-ed25519-cert-v01@openssh.com,ssh-ed25519', ecdsa: 'ecdsa-sha2-nistp256-cert-v01@openssh.com,ecdsa-sha2-nistp256',
  rsa: 'rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-512',
};

describe.skipIf(SKIP_WITHOUT_SSHD)('against a real sshd', () => {
  const scratch = createScratch();
  const authorities = new Map<string, TestAuthority>();
  const certificateFile = (kind: KeyKind): string => scratch.path(`host-${kind}-cert.pub`);
  let sshd: Sshd;

  beforeAll(async () => {
    for (const kind of KINDS) authorities.set(kind, createAuthority(scratch, kind, makeKey(kind)));
    authorities.set('other', createAuthority(scratch, 'other', makeKey()));
    // Read again for every connection; one that is missing is passed over.
    sshd = await startSshd(scratch, { hostKeyKinds: KINDS, settings: [...KINDS.map((kind) => `HostCertificate ${certificateFile(kind)}`), 'RekeyLimit 1M 0'] });
    scratch.write('id', sshd.userKey.privateText);
  });
  afterAll(async () => {
    await sshd.close();
    scratch.remove();
  });

  const hostKey = (kind: KeyKind) => sshd.hostKeys[KINDS.indexOf(kind)] ?? makeKey();
  const authority = (name: string): TestAuthority => authorities.get(name) ?? createAuthority(scratch, name, makeKey());

  /** The host has this certificate and no other. */
  const certify = (kind: KeyKind, by: string, signing: string): void => {
    for (const each of KINDS) rmSync(certificateFile(each), { force: true });
    writeFileSync(certificateFile(kind), authority(by).sign(hostKey(kind), { arguments: signing.split(' ') }));
  };
  const knownHosts = (text: string, kind: KeyKind): string => {
    const words: Record<string, string> = { at: `[127.0.0.1]:${sshd.port}`, host: hostKey(kind).publicText, stranger: makeKey(kind).publicText };
    return scratch.write('known_hosts', text.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? authority(word).key.publicText));
  };
  const transport = (mode: 'strict' | 'acceptNew') =>
    createPlainTransport({ hostKeys: mode, knownHostsFiles: [scratch.path('known_hosts')], defaultIdentityFiles: [scratch.path('id')], closeGraceMs: 100 });

  async function connect({ mode, alias }: Case): Promise<string> {
    try {
      const host = { ...sshd.host, ...(alias === undefined ? {} : { ssh: { hostKeyAlias: alias } }) };
      const shell = await transport(mode ?? 'strict').open(host, 'true', never);
      await shell.close();
      return 'ok';
    } catch (error) {
      const failure = failureOf(error);
      return [failure.kind, failure.summary, failure.detail].join(' ');
    }
  }

  /** Not a blocking call: the log of sshd comes through this process, and sshd waits when nobody takes it. */
  async function sshAccepts({ mode, alias, host = 'ed25519' }: Case): Promise<boolean> {
    const options = [
      'BatchMode=yes', `StrictHostKeyChecking=${mode === 'acceptNew' ? 'accept-new' : 'yes'}`, `UserKnownHostsFile=${scratch.path('known_hosts_of_ssh')}`,
      'GlobalKnownHostsFile=none', 'IdentitiesOnly=yes', 'UpdateHostKeys=no', `HostKeyAlgorithms=${ALGORITHMS[host]}`, ...(alias === undefined ? [] : [`HostKeyAlias=${alias}`]),
    ];
    const ssh = spawn('ssh', ['-F', 'none', '-i', scratch.path('id'), '-p', String(sshd.port), ...options.flatMap((option) => ['-o', option]), '127.0.0.1', 'true'], { stdio: 'ignore' });
    const [status] = (await once(ssh, 'exit')) as [number | null];
    return status === 0;
  }

  it.each(cases)('$name', async (given) => {
    const kind = given.host ?? 'ed25519';
    certify(kind, given.authority ?? 'ed25519', given.sign);
    knownHosts(given.known, kind);
    const before = readFileSync(scratch.path('known_hosts'), 'utf8');
    // A copy: either of them may learn.
    scratch.write('known_hosts_of_ssh', before);
    const [outcome, accepted] = await Promise.all([connect(given), sshAccepts(given)]);
    const [expected = '', ...text] = given.expect.split(' ');
    expect(outcome.split(' ')[0]).toBe(expected);
    expect(outcome).toContain(text.join(' '));
    if (expected !== 'ok') expect(readFileSync(scratch.path('known_hosts'), 'utf8')).toBe(before);
    expect(accepted).toBe(given.ssh?.startsWith('accepts') ?? expected === 'ok');
  });

  it('whatever the lines say, a host is accepted only where ssh accepts it, and refused more often only as changed or revoked', async () => {
    certify('ed25519', 'ed25519', '-h -n 127.0.0.1');
    const good = readFileSync(certificateFile('ed25519'), 'utf8');
    certify('ed25519', 'ed25519', '-h -n 127.0.0.1 -V 20200101:20210101');
    const expired = readFileSync(certificateFile('ed25519'), 'utf8');
    const field = fc.array(fc.constantFrom('*', '{at}', '127.0.0.1', '127.*', '!{at}', '!127.0.0.1', 'db'), { minLength: 1, maxLength: 2 }).map((names) => names.join(','));
    const line = fc.tuple(fc.constantFrom('', '', '@cert-authority ', '@cert-authority ', '@revoked '), field, fc.constantFrom('host', 'stranger', 'ed25519', 'other'));
    const text = fc.array(line, { maxLength: 4 }).map((lines) => lines.map(([marker, hosts, key]) => `${marker}${hosts} {${key}}`).join('\n'));
    await fc.assert(fc.asyncProperty(text, fc.boolean(), fc.constantFrom(undefined, 'db', '127.0.0.1'), async (known, isGood, alias) => {
      writeFileSync(certificateFile('ed25519'), isGood ? good : expired);
      scratch.write('known_hosts_of_ssh', readFileSync(knownHosts(known, 'ed25519'), 'utf8'));
      const given: Case = { name: '', sign: '', known, expect: '', ...(alias === undefined ? {} : { alias }) };
      const [outcome, accepted] = await Promise.all([connect(given), sshAccepts(given)]);
      if (outcome === 'ok') expect(accepted).toBe(true);
      // ssh hears a line without a port although one with the port says otherwise; and it does not hear a revocation without a port.
      else if (accepted) expect(outcome).toMatch(/^hostKey(?:Revoked|Changed) /);
    }), { numRuns: Number(process.env['RUNS'] ?? 10) });
  });

  it('what is reported and learned is the plain key, so that a renewed certificate is no new host', async () => {
    certify('ed25519', 'ed25519', '-h -n 127.0.0.1');
    knownHosts('@cert-authority * {ed25519}', 'ed25519');
    const shell = await transport('strict').open(sshd.host, 'true', never);
    expect(shell.hostKey).toBe(fingerprintOf(hostKey('ed25519').blob));
    await shell.close();
  });

  it.each(KINDS)('a connection with an %s certificate lives through new key exchanges', async (kind) => {
    certify(kind, 'ed25519', '-h -n 127.0.0.1');
    knownHosts('@cert-authority * {ed25519}', kind);
    const exchanges = (): number => sshd.log().split('SSH2_MSG_NEWKEYS received').length;
    const before = exchanges();
    const shell = await transport('strict').open(sshd.host, 'head -c 4000000 /dev/zero', never);
    expect((await readAll(shell.stdout)).length).toBe(4_000_000);
    await shell.close();
    expect(exchanges() - before).toBeGreaterThan(2);
  });

  it('a host with a recorded rsa key and a certificate of a stranger is asked for its rsa key', async () => {
    certify('ed25519', 'ed25519', '-h -n 127.0.0.1');
    knownHosts(`@cert-authority * {other}\n{at} ${hostKey('rsa').publicText}`, 'ed25519');
    const shell = await transport('strict').open(sshd.host, 'true', never);
    expect(shell.hostKey).toBe(fingerprintOf(hostKey('rsa').blob));
    await shell.close();
  });

  it('where no authority is trusted, no certificate is asked for', async () => {
    certify('ed25519', 'ed25519', '-h -n 127.0.0.1');
    knownHosts('{at} {host}', 'ed25519');
    const shell = await transport('strict').open(sshd.host, 'true', never);
    await shell.close();
    const negotiated = [...sshd.log().matchAll(/kex: host key algorithm: (\S+)/g)].map((match) => match[1]);
    expect(negotiated.at(-1)).toBe('ssh-ed25519');
    expect(negotiated).toContain('rsa-sha2-512-cert-v01@openssh.com');
  });
});
