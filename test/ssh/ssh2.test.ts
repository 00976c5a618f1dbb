/** The contract with the parts of ssh2 that are changed for host certificates. A failure here means: read src/ssh/ssh2.ts again before you change the version. */
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it, vi } from 'vitest';
import { HOST_CERTIFICATE_ALGORITHMS } from '../../src/ssh/host-certificate-algorithms.js';
import ssh2 from '../../src/ssh/ssh2.js';
import { createAuthority } from './host-authority.js';
import { scratchForTest } from './lab.js';
import { makeKey } from './scratch.js';
import type { KeyKind } from './scratch.js';

const load = createRequire(import.meta.url);
const constants = load('ssh2/lib/protocol/constants.js') as { SUPPORTED_SERVER_HOST_KEY: string[]; DEFAULT_SERVER_HOST_KEY: string[] };
const keyParser = load('ssh2/lib/protocol/keyParser.js') as { parseDERKey(data: Buffer, type: string): { type: string; getPublicSSH(): Buffer } | Error };
const textOf = (part: string): string => readFileSync(load.resolve(`ssh2/lib/protocol/${part}.js`), 'utf8');

/** The rest of a blob behind its type name, as ssh2 hands it over. */
function behindType(blob: Buffer): { type: string; data: Buffer } {
  const end = 4 + blob.readUInt32BE(0);
  return { type: blob.toString('latin1', 4, end), data: blob.subarray(end) };
}

it('ssh2 is imported in one file', () => {
  const directory = new URL('../../src/ssh/', import.meta.url);
  const importing = readdirSync(directory).filter((file) => / from 'ssh2'|\('ssh2/.test(readFileSync(new URL(file, directory), 'utf8')));
  expect(importing).toEqual(['ssh2.ts']);
});

it('certificates can be asked for, and are not asked for by default', () => {
  const { SUPPORTED_SERVER_HOST_KEY: supported, DEFAULT_SERVER_HOST_KEY: byDefault } = constants;
  for (const algorithm of HOST_CERTIFICATE_ALGORITHMS) {
    expect(supported.filter((name) => name === algorithm)).toHaveLength(1);
    expect(byDefault).not.toContain(algorithm);
  }
});

it.each<KeyKind>(['ed25519', 'ecdsa', 'rsa'])('of an %s certificate ssh2 gets the key that must have signed; a plain key is read as before', (kind) => {
  const key = makeKey(kind);
  const certificate = createAuthority(scratchForTest(), 'ca', makeKey()).sign(key, { arguments: ['-h', '-n', 'db'] });
  for (const blob of [key.blob, Buffer.from(certificate.split(' ')[1] ?? '', 'base64')]) {
    const { type, data } = behindType(blob);
    const parsed = keyParser.parseDERKey(data, type);
    if (parsed instanceof Error) throw parsed;
    expect(parsed.getPublicSSH()).toEqual(key.blob);
    expect(keyParser.parseDERKey(data.subarray(0, 30), type)).toBeInstanceOf(Error);
  }
});

it('the key parser is taken from where it was changed, and every key exchange goes through the field that is watched', () => {
  expect(textOf('kex')).toContain("const { parseDERKey } = require('./keyParser.js')");
  expect(textOf('kex').match(/self\._kex = /g)).toHaveLength(1);
  expect(textOf('kex')).toContain('return this._kex.parse(payload)');
  const protocol = (load('ssh2/lib/protocol/Protocol.js') as { prototype: object }).prototype;
  expect(typeof Object.getOwnPropertyDescriptor(protocol, '_kex')?.set).toBe('function');
});

it('loaded again it changes nothing twice; loaded after somebody else it says so', async () => {
  const parse = keyParser.parseDERKey;
  vi.resetModules();
  expect((await import('../../src/ssh/ssh2.js')).default).toBe(ssh2);
  expect(keyParser.parseDERKey).toBe(parse);
  const done = Symbol.for('fleetmend.ssh2.hostCertificates');
  Reflect.deleteProperty(keyParser, done);
  try {
    vi.resetModules();
    await expect(import('../../src/ssh/ssh2.js')).rejects.toThrow('ssh2 was loaded by another file');
  } finally {
    Object.assign(keyParser, { [done]: true });
  }
});
