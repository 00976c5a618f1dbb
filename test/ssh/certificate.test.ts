/** Certificates that ssh-keygen made, read as ssh-keygen reads them; and everything else, which is none. */
import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { certifiedName, parseCertificate, plainName } from '../../src/ssh/certificate.js';
import { parseCertificateFile, refusalOfCertificate } from '../../src/ssh/user-certificate.js';
import { isSignatureOf } from '../../src/ssh/verify-signature.js';
import { makeFidoKey } from './agents.js';
import { createAuthority } from './host-authority.js';
import { scratchForTest } from './lab.js';
import { makeKey } from './scratch.js';
import type { TestKey } from './scratch.js';

function makeOne(subject: Pick<TestKey, 'publicText' | 'blob'>, ...words: readonly string[]): { readonly blob: Buffer; readonly shown: string } {
  const scratch = scratchForTest();
  const text = createAuthority(scratch, 'ca', makeKey()).sign({ ...subject, privateText: '' }, { arguments: words });
  return { blob: Buffer.from(text.split(' ')[1] ?? '', 'base64'), shown: execFileSync('ssh-keygen', ['-L', '-f', scratch.write('shown-cert.pub', text)], { env: { ...process.env, TZ: 'UTC' } }).toString() };
}

it.each([
  ['ed25519', () => makeKey()], ['ecdsa', () => makeKey('ecdsa')], ['rsa', () => makeKey('rsa')],
  ['sk-ed25519', () => makeFidoKey('sk-ssh-ed25519@openssh.com')], ['sk-ecdsa', () => makeFidoKey('sk-ecdsa-sha2-nistp256@openssh.com')],
] as const)('one of a %s key says what ssh-keygen -L says, and its authority signed it', (_kind, make) => {
  const key = make();
  const { blob, shown } = makeOne(key, '-n', 'alice,bob', '-z', '4711', '-V', '20250102030405Z:20350102030405Z', '-O', 'source-address=10.0.0.0/8', '-O', 'force-command=true');
  const certificate = parseCertificate(blob);
  if (certificate === undefined) throw new Error('not read');
  expect(certificate).toMatchObject({ publicBlob: key.blob, role: 'user', keyId: 'ca-1', serial: 4711n, principals: ['alice', 'bob'], criticalOptions: ['force-command', 'source-address'] });
  for (const text of ['Type: ' + certificate.type, 'Key ID: "ca-1"', 'Serial: 4711', 'alice', 'bob', 'force-command', 'source-address']) expect(shown).toContain(text);
  const timeOf = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  expect(shown).toContain(`Valid: from ${timeOf(certificate.validAfter)} to ${timeOf(certificate.validBefore)}`);
  expect(isSignatureOf(certificate.authority, certificate.signature, certificate.signed)).toBe(true);
});

it('one without limits is valid at every time, one with limits between them', () => {
  const forever = parseCertificate(makeOne(makeKey(), '-n', 'a').blob);
  const limited = parseCertificate(makeOne(makeKey(), '-n', 'a', '-V', '20250101000000Z:20260101000000Z').blob);
  if (!forever || !limited) throw new Error('not read');
  const at = (text: string): Date => new Date(text);
  expect(refusalOfCertificate(forever, at('2999-01-01'))).toBeUndefined();
  expect(['2024-12-31T23:59:59Z', '2025-01-01T00:00:00Z', '2025-12-31T23:59:59Z', '2026-01-01T00:00:00Z'].map((time) => refusalOfCertificate(limited, at(time))))
    .toEqual(['is not valid before 2025-01-01T00:00:00Z', undefined, undefined, 'expired at 2026-01-01T00:00:00Z']);
});

it('names of certificates and of keys belong together', () => {
  for (const plain of ['ssh-ed25519', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com']) expect(plainName(certifiedName(plain))).toBe(plain);
  expect(plainName('ssh-ed25519')).toBeUndefined();
});

it('bytes that are no certificate are none, and a changed byte is never a crash', () => {
  const { blob } = makeOne(makeKey('rsa'), '-n', 'alice');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => parseCertificate(bytes) === undefined), { numRuns: 100 });
  fc.assert(fc.property(fc.nat(blob.length - 1), fc.nat(255), (at, value) => {
    const changed = Buffer.from(blob);
    changed[at] = value;
    const read = parseCertificate(changed);
    return read === undefined || changed.equals(blob) || !isSignatureOf(read.authority, read.signature, read.signed);
  }), { numRuns: 150 });
  fc.assert(fc.property(fc.nat(blob.length - 1), (length) => parseCertificate(blob.subarray(0, length)) === undefined), { numRuns: 100 });
});

it.each(['', 'hello', 'ssh-ed25519 AAAA', 'ssh-ed25519-cert-v01@openssh.com AAAA', 'ssh-ed25519-cert-v01@openssh.com'])('a file with %j holds no certificate', (text) => {
  expect(parseCertificateFile(text)).toMatchObject({ state: 'unusable' });
});
