/** Old servers: refused by default with the way out named, reached where a person asked for legacy algorithms. Real sshd with old settings. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import { LEGACY_OFFER, LEGACY_SIGNATURES, OFFER, SIGNATURES } from '../../src/ssh/algorithms.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createPlainTransport } from './plain-transport.js';
import { createScratch, failureIn, hostAt, makeKey } from './scratch.js';
import type { Scratch } from './scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from './sshd.js';
import type { Sshd, SshdOptions } from './sshd.js';
import { authorize, startSshServer } from './test-server.js';

const signal = new AbortController().signal;
const WEAK = /sha1(?!\d)|cbc|^ssh-rsa|ssh-rsa-cert/;
const NEVER = /group-exchange|group1-|3des|arcfour|blowfish|cast128|md5|ssh-dss|-96/;

it('the default offer has nothing weak, and legacy adds only what may be added, behind all that is safe', () => {
  const names = (offer: typeof OFFER): string[] => [...offer.kex, ...offer.hostKeys, ...offer.ciphers, ...offer.macs];
  // The name of an RSA certificate says nothing of its signature when it begins with rsa-sha2.
  expect([...names(OFFER), ...SIGNATURES].filter((name) => WEAK.test(name) || NEVER.test(name))).toEqual([]);
  expect([...names(LEGACY_OFFER), ...LEGACY_SIGNATURES].filter((name) => NEVER.test(name))).toEqual([]);
  for (const [safe, all] of [[OFFER.kex, LEGACY_OFFER.kex], [OFFER.hostKeys, LEGACY_OFFER.hostKeys], [OFFER.ciphers, LEGACY_OFFER.ciphers], [OFFER.macs, LEGACY_OFFER.macs], [SIGNATURES, LEGACY_SIGNATURES]] as const) {
    expect(all.slice(0, safe.length)).toEqual(safe);
    expect(all.slice(safe.length).every((name) => WEAK.test(name))).toBe(true);
  }
});

interface OldServer { readonly what: string; readonly word: string; readonly options: SshdOptions }

const SAFE_CIPHER_WITH_MAC = 'Ciphers aes128-ctr';
const OLD: readonly OldServer[] = [
  { what: 'a SHA-1 key exchange', word: 'key exchange', options: { settings: ['KexAlgorithms diffie-hellman-group14-sha1'] } },
  { what: 'an RSA host key that signs with SHA-1', word: 'host key type', options: { hostKeyKinds: ['rsa'], settings: ['HostKeyAlgorithms ssh-rsa'] } },
  { what: 'CBC only', word: 'cipher', options: { settings: ['Ciphers aes128-cbc,aes256-cbc'] } },
  { what: 'a SHA-1 integrity check', word: 'integrity check', options: { settings: [SAFE_CIPHER_WITH_MAC, 'MACs hmac-sha1'] } },
  {
    what: 'nothing but old algorithms', word: 'key exchange',
    options: {
      hostKeyKinds: ['rsa'],
      settings: ['KexAlgorithms diffie-hellman-group14-sha1', 'HostKeyAlgorithms ssh-rsa', 'Ciphers aes256-cbc', 'MACs hmac-sha1'],
    },
  },
];

describe.skipIf(SKIP_WITHOUT_SSHD)(`old servers (skipped when ${SSHD_SKIP_REASON})`, () => {
  let scratch: Scratch;
  let sshd: Sshd | undefined;
  beforeEach(() => { scratch = createScratch(); });
  afterEach(async () => {
    await sshd?.close();
    sshd = undefined;
    scratch.remove();
  });

  const openOn = async (server: Sshd, host: Host): Promise<{ readonly hostKey: string; readonly end: unknown }> => {
    const shell = await createPlainTransport({
      hostKeys: 'strict', knownHostsFiles: [scratch.write('known', `[127.0.0.1]:${server.port} ${server.hostKeys[0]?.publicText}\n`)],
      defaultIdentityFiles: [scratch.write('id', server.userKey.privateText)],
    }).open(host, 'exit 9', signal);
    shell.stdout.resume();
    shell.stderr.resume();
    return { hostKey: shell.hostKey, end: await shell.ended };
  };
  const legacy = (host: Host): Host => ({ ...host, ssh: { legacyAlgorithms: true } });

  it.each(OLD)('$what: the default refuses and names the option, the legacy offer gets in', async ({ word, options }) => {
    sshd = await startSshd(scratch, options);
    const failure = await failureIn(openOn(sshd, sshd.host));
    expect(failure).toMatchObject({ kind: 'noCommonAlgorithm', summary: `127.0.0.1:${sshd.port} and fleetmend have no ${word} in common` });
    expect(failure.next).toContain('--legacy-algorithms');
    expect(await openOn(sshd, legacy(sshd.host))).toEqual({ hostKey: fingerprintOf(sshd.hostKeys[0]?.blob ?? Buffer.alloc(0)), end: { how: 'exit', code: 9 } });
  });

  it('a modern server gets nothing weak from the legacy offer', async () => {
    sshd = await startSshd(scratch, { hostKeyKinds: ['rsa'], userKey: makeKey('rsa'), settings: ['KexAlgorithms +diffie-hellman-group14-sha1', 'HostKeyAlgorithms +ssh-rsa', 'Ciphers +aes128-cbc', 'PubkeyAcceptedAlgorithms +ssh-rsa'] });
    expect((await openOn(sshd, legacy(sshd.host))).end).toEqual({ how: 'exit', code: 9 });
    const log = sshd.log();
    expect(/kex: algorithm: (\S+)/.exec(log)?.[1]).toMatch(/^curve25519-sha256/);
    expect(/kex: host key algorithm: (\S+)/.exec(log)?.[1]).toBe('rsa-sha2-512');
    expect(/kex: client->server cipher: (\S+)/.exec(log)?.[1]).toBe('aes128-gcm@openssh.com');
    expect(log).not.toMatch(/Accepted publickey .*ssh-rsa\b|userauth_pubkey: .*pkalg ssh-rsa\b/);
  });

  it('a server with nothing but group exchange is refused in both, without that advice', async () => {
    sshd = await startSshd(scratch, { settings: ['KexAlgorithms diffie-hellman-group-exchange-sha256'] });
    for (const host of [sshd.host, legacy(sshd.host)]) {
      const failure = await failureIn(openOn(sshd, host));
      expect(failure.kind).toBe('noCommonAlgorithm');
      expect(failure.next).not.toContain('--legacy-algorithms');
    }
  });
});

/** A server from before RFC 8308 says nothing of signatures; ssh2's own does, unless it is kept from it. */
function sayNothingOfSignatures(connection: object): void {
  const protocol: unknown = Reflect.get(connection, '_protocol');
  if (typeof protocol !== 'object' || protocol === null) throw new Error('ssh2 moved');
  let kex: unknown;
  Object.defineProperty(protocol, '_kex', {
    get: () => kex,
    set: (value: unknown) => {
      kex = value;
      if (typeof value === 'object' && value !== null) Object.defineProperty(value, 'remoteExtInfoEnabled', { get: () => false, set: () => undefined });
    },
  });
}

it('an RSA user key signs with SHA-1 only under legacy, for a server that says nothing of signatures', async () => {
  const scratch = createScratch();
  const [hostKey, userKey] = [makeKey(), makeKey('rsa')];
  const hashes: (string | undefined)[] = [];
  const server = await startSshServer({
    hostKeys: [hostKey.privateText], onConnection: sayNothingOfSignatures,
    onAuthentication: (context) => {
      // ssh2 calls every RSA key ssh-rsa here; the hash tells the algorithms apart, and SHA-1 has none.
      if (context.method === 'publickey') hashes.push(context.hashAlgo);
      if (context.method === 'publickey' && context.hashAlgo === undefined) authorize([userKey.blob])(context);
      else context.reject(['publickey']);
    },
  });
  try {
    const transport = createPlainTransport({
      hostKeys: 'strict', knownHostsFiles: [scratch.write('known', `[127.0.0.1]:${server.port} ${hostKey.publicText}\n`)],
      defaultIdentityFiles: [scratch.write('id', userKey.privateText)],
    });
    const host = hostAt(server.port);
    expect((await failureIn(transport.open(host, 'exit 9', signal))).kind).toBe('authentication');
    expect([...new Set(hashes)]).toEqual(['sha512']);
    const shell = await transport.open({ ...host, ssh: { legacyAlgorithms: true } }, 'exit 9', signal);
    shell.stdout.resume();
    shell.stderr.resume();
    expect(await shell.ended).toEqual({ how: 'exit', code: 9 });
  } finally {
    await server.close();
    scratch.remove();
  }
});
