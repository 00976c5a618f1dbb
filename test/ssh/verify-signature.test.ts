/** Signatures of authorities and host keys, each against a key that did not make it. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/ssh/certificate.js';
import { faultOf } from '../../src/ssh/host-certificate.js';
import { isSignatureOf, signatureAlgorithmOf } from '../../src/ssh/verify-signature.js';
import { sshString, uint32 } from '../../src/ssh/wire.js';
import { createAuthority } from './host-authority.js';
import { scratchForTest } from './lab.js';
import { makeKey } from './scratch.js';

function certificateBy(kind: 'ed25519' | 'ecdsa' | 'rsa') {
  const text = createAuthority(scratchForTest(), 'ca', makeKey(kind)).sign(makeKey(), { arguments: ['-h', '-n', 'db'] });
  const certificate = parseCertificate(Buffer.from(text.split(' ')[1] ?? '', 'base64'));
  if (certificate === undefined) throw new Error('no certificate');
  return certificate;
}

it.each(['ed25519', 'ecdsa', 'rsa'] as const)('a signature by an %s key holds for its bytes and its key alone, in any damaged form for none', (kind) => {
  const { authority, signature, signed } = certificateBy(kind);
  expect(isSignatureOf(authority, signature, signed)).toBe(true);
  expect(isSignatureOf(certificateBy(kind).authority, signature, signed)).toBe(false);
  expect(isSignatureOf(certificateBy(kind === 'rsa' ? 'ecdsa' : 'rsa').authority, signature, signed)).toBe(false);
  expect(isSignatureOf(authority, signature, Buffer.concat([signed, Buffer.alloc(1)]))).toBe(false);
  fc.assert(fc.property(fc.nat(signature.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
    const damaged = Buffer.from(signature);
    damaged[at] = (damaged[at] ?? 0) ^ bits;
    expect(isSignatureOf(authority, damaged, signed)).toBe(false);
  }));
  fc.assert(fc.property(fc.nat(authority.length - 1), (length) => void expect(isSignatureOf(authority.subarray(0, length), signature, signed)).toBe(false)));
});

it('a certificate whose text was changed after it was signed does not hold', () => {
  const certificate = certificateBy('ed25519');
  expect(faultOf(certificate, 'db', Date.now())).toBeUndefined();
  expect(faultOf({ ...certificate, signed: Buffer.from(certificate.signed.toString('latin1').replace('db', 'ab'), 'latin1') }, 'db', Date.now())).toBe('has a false signature');
});

it('an authority on a FIDO device is understood (PROTOCOL.u2f)', () => {
  const data = Buffer.from('what is signed');
  const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  const tail = Buffer.concat([Buffer.from([1]), uint32(7)]);
  const message = Buffer.concat([sha256(Buffer.from('ssh:')), tail, sha256(data)]);

  const ed = generateKeyPairSync('ed25519');
  const edType = 'sk-ssh-ed25519@openssh.com';
  const edKey = Buffer.concat([edType, Buffer.from(ed.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'), 'ssh:'].map(sshString));
  const edSignature = Buffer.concat([sshString(edType), sshString(sign(null, message, ed.privateKey)), tail]);
  expect(isSignatureOf(edKey, edSignature, data)).toBe(true);
  expect(isSignatureOf(edKey, edSignature, Buffer.from('something else'))).toBe(false);

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { x = '', y = '' } = ec.publicKey.export({ format: 'jwk' });
  const ecType = 'sk-ecdsa-sha2-nistp256@openssh.com';
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
  const ecKey = Buffer.concat([ecType, 'nistp256', point, 'ssh:'].map(sshString));
  const pair = sign('sha256', message, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' });
  const numbers = Buffer.concat([pair.subarray(0, 32), pair.subarray(32)].map((number) => sshString(Buffer.concat([Buffer.alloc(1), number]))));
  const ecSignature = Buffer.concat([sshString(ecType), sshString(numbers), tail]);
  expect(isSignatureOf(ecKey, ecSignature, data)).toBe(true);
  expect(isSignatureOf(ecKey, Buffer.concat([ecSignature.subarray(0, -1), Buffer.from([8])]), data)).toBe(false);
});

it('bytes that are no key, no signature, no certificate are refused without an exception', () => {
  const { authority, signature } = certificateBy('ecdsa');
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    expect(isSignatureOf(bytes, signature, bytes)).toBe(false);
    expect(isSignatureOf(authority, bytes, bytes)).toBe(false);
    expect(typeof signatureAlgorithmOf(bytes)).toBe('string');
    expect(parseCertificate(Buffer.concat([sshString('ssh-ed25519-cert-v01@openssh.com'), bytes]))).toBeUndefined();
  }));
});
