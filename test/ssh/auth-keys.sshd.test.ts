/** Logins with keys against OpenSSH itself: certificates, FIDO keys, many keys and few tries. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { Transport } from '../../src/core/ports.js';
import { makeFidoKey, startAgent, startAgentDouble } from './agents.js';
import { createAuthority } from './host-authority.js';
import { createPlainTransport } from './plain-transport.js';
import type { PlainTransportOptions } from './plain-transport.js';
import { createScratch, failureIn, makeKey } from './scratch.js';
import type { KeyKind, Scratch, TestKey } from './scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from './sshd.js';
import type { Sshd } from './sshd.js';

const never = new AbortController().signal;

describe.skipIf(SKIP_WITHOUT_SSHD)(`OpenSSH (skipped when ${SSHD_SKIP_REASON})`, () => {
  let scratch: Scratch;
  const running: Sshd[] = [];
  beforeEach(() => {
    scratch = createScratch();
  });
  afterEach(async () => {
    for (const sshd of running.splice(0)) await sshd.close();
    scratch.remove();
  });

  async function start(settings: readonly string[], userKey: TestKey = makeKey()): Promise<Sshd> {
    const sshd = await startSshd(scratch, { settings, userKey });
    running.push(sshd);
    return sshd;
  }
  function transport(options: Partial<PlainTransportOptions> = {}): Transport {
    const known = running.map((sshd) => `[127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]?.publicText}\n`).join('');
    return createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [scratch.write('known', known)], defaultIdentityFiles: [], ...options });
  }
  async function logIn(over: Transport, host: Host): Promise<void> {
    await (await over.open(host, 'true', never)).close();
  }
  const countIn = (sshd: Sshd, text: string): number => sshd.log().split(text).length - 1;
  const connectionsTo = (sshd: Sshd): number => countIn(sshd, 'Connection from 127.0.0.1');

  describe('user certificates', () => {
    const user = process.env['USER'] ?? 'root';
    const place = (name: string, key: TestKey, certificate: string): { readonly key: string; readonly certificate: string } =>
      ({ key: scratch.write(name, key.privateText), certificate: scratch.write(`${name}-cert.pub`, certificate) });

    async function startWithAuthority(): Promise<{ readonly sshd: Sshd; readonly authority: ReturnType<typeof createAuthority> }> {
      const authority = createAuthority(scratch, 'users', makeKey());
      return { authority, sshd: await start([`TrustedUserCAKeys ${scratch.write('ca.pub', authority.key.publicText)}`]) };
    }
    const sign = (authority: ReturnType<typeof createAuthority>, key: TestKey, ...words: readonly string[]): string =>
      authority.sign(key, { arguments: words.length > 0 ? words : ['-n', `${user},root`] });

    it.each<KeyKind>(['ed25519', 'ecdsa', 'rsa'])('one beside a key (%s) lets us in where the key alone does not', async (kind) => {
      const { sshd, authority } = await startWithAuthority();
      const key = makeKey(kind);
      const alone = scratch.write('alone', key.privateText);
      expect((await failureIn(logIn(transport(), { ...sshd.host, identityFile: alone }))).kind).toBe('authentication');
      const files = place('id', key, sign(authority, key));
      await logIn(transport(), { ...sshd.host, identityFile: files.key });
      expect(sshd.log()).toMatch(/Accepted publickey for .*-CERT SHA256/);
    });

    it('a named one is used with the key of the agent, and one in the agent by itself', async () => {
      const { sshd, authority } = await startWithAuthority();
      const key = makeKey();
      const files = place('id', key, sign(authority, key));
      const agent = await startAgent(scratch, [scratch.write('loaded', key.privateText)]);
      await logIn(transport({ agentSocket: agent.socket }), { ...sshd.host, ssh: { certificateFile: files.certificate } });
      await agent.forget();
      await agent.add(files.key);
      await logIn(transport({ agentSocket: agent.socket }), sshd.host);
      expect(countIn(sshd, '-CERT SHA256:')).toBeGreaterThanOrEqual(2);
    });

    it.each([
      ['expired', ['-n', `${user},root`, '-V', '20200101:20200102'], /expired at 2020-01-0/],
      ['not yet valid', ['-n', `${user},root`, '-V', '20900101:20900102'], /is not valid before 20(89-12-31|90-01-01)/],
      ['one of a host', ['-h', '-n', 'node-1'], /is one of a host, not of a user/],
    ])('one that is %s is not offered, and the failure says why', async (_what, words, remark) => {
      const { sshd, authority } = await startWithAuthority();
      const key = makeKey();
      const files = place('id', key, sign(authority, key, ...words));
      const failure = await failureIn(logIn(transport(), { ...sshd.host, identityFile: files.key }));
      expect(failure.detail).toMatch(remark);
      expect(sshd.log()).not.toContain('cert-v01@openssh.com');
    });

    it('one whose authority the server has revoked is refused, and that is a failed login', async () => {
      const authority = createAuthority(scratch, 'users', makeKey());
      const key = makeKey();
      const ca = scratch.write('ca.pub', authority.key.publicText);
      const sshd = await start([`TrustedUserCAKeys ${ca}`, `RevokedKeys ${scratch.write('revoked', authority.key.publicText)}`]);
      const files = place('id', key, sign(authority, key));
      expect((await failureIn(logIn(transport(), { ...sshd.host, identityFile: files.key }))).kind).toBe('authentication');
      expect(sshd.log()).toMatch(/revoked/);
    });

    it('one for somebody else is offered and refused, and the key after it lets us in', async () => {
      const authority = createAuthority(scratch, 'users', makeKey());
      const key = makeKey();
      const sshd = await start([`TrustedUserCAKeys ${scratch.write('ca.pub', authority.key.publicText)}`], key);
      const files = place('id', key, sign(authority, key, '-n', 'somebody-else'));
      await logIn(transport(), { ...sshd.host, identityFile: files.key });
      expect(sshd.log()).toContain('Certificate invalid: name is not a listed principal');
    });
  });

  describe('FIDO keys', () => {
    it.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'] as const)('of type %s let us in through the agent', async (kind) => {
      const key = makeFidoKey(kind);
      const sshd = await start(['PubkeyAuthOptions none'], { privateText: '', publicText: key.publicText, blob: key.blob });
      const agent = await startAgentDouble(scratch, [key]);
      await logIn(transport({ agentSocket: agent.socket }), sshd.host);
      expect(agent.signed).toHaveLength(1);
    });

    it('are asked for a signature, that is for a touch, only where the server knows the key', async () => {
      const keys = [makeFidoKey('sk-ssh-ed25519@openssh.com'), makeFidoKey('sk-ssh-ed25519@openssh.com')] as const;
      const sshd = await start([], { privateText: '', publicText: keys[1].publicText, blob: keys[1].blob });
      const agent = await startAgentDouble(scratch, keys);
      const over = transport({ agentSocket: agent.socket });
      await logIn(over, sshd.host);
      await logIn(over, sshd.host);
      expect(agent.signed).toEqual([keys[1].blob, keys[1].blob]);
    });

    it('are not touched for a server that does not know them, also where there is only one', async () => {
      const key = makeFidoKey('sk-ssh-ed25519@openssh.com');
      const sshd = await start([]);
      const agent = await startAgentDouble(scratch, [key]);
      expect((await failureIn(logIn(transport({ agentSocket: agent.socket }), sshd.host))).kind).toBe('authentication');
      expect(agent.signed).toEqual([]);
    });

    it('with a certificate let us in by it', async () => {
      const authority = createAuthority(scratch, 'users', makeKey());
      const key = makeFidoKey('sk-ssh-ed25519@openssh.com');
      const sshd = await start([`TrustedUserCAKeys ${scratch.write('ca.pub', authority.key.publicText)}`]);
      const certificateFile = scratch.write('id-cert.pub', authority.sign({ privateText: '', publicText: key.publicText, blob: key.blob }, { arguments: ['-n', sshd.host.user ?? ''] }));
      const agent = await startAgentDouble(scratch, [key]);
      await logIn(transport({ agentSocket: agent.socket }), { ...sshd.host, ssh: { certificateFile } });
      expect(sshd.log()).toContain('sk-ssh-ed25519-cert-v01@openssh.com');
    });
  });

  describe('many keys', () => {
    async function agentWith(count: number): Promise<{ readonly keys: readonly TestKey[]; readonly socket: string }> {
      const keys = Array.from({ length: count }, () => makeKey());
      const { socket } = await startAgent(scratch, keys.map((key, index) => scratch.write(`key-${index}`, key.privateText)));
      return { keys, socket };
    }

    it('eight in the agent and MaxAuthTries 3: the last one lets us in, over three connections, and is the first one on the next host', async () => {
      const { keys, socket } = await agentWith(8);
      const [first, second] = [await start(['MaxAuthTries 3'], keys[7]), await start(['MaxAuthTries 3'], keys[7])];
      const over = transport({ agentSocket: socket });
      await logIn(over, first.host);
      expect(connectionsTo(first)).toBe(3);
      await logIn(over, second.host);
      expect([connectionsTo(second), countIn(second, 'Failed publickey')]).toEqual([1, 0]);
    });

    it.each([[3, true], [4, false]])('MaxAuthTries 1 and five keys: number %i lets us in: %s, for there are no more than four connections', async (index, isIn) => {
      const { keys, socket } = await agentWith(5);
      const sshd = await start(['MaxAuthTries 1'], keys[index]);
      const work = logIn(transport({ agentSocket: socket }), sshd.host);
      if (isIn) await work;
      else expect((await failureIn(work)).detail?.match(/^tried: /gm)).toHaveLength(4);
      expect(connectionsTo(sshd)).toBe(4);
    });

    it('one key alone is not asked about first: it is signed at once', async () => {
      const key = makeKey();
      const sshd = await start([], key);
      await logIn(transport(), { ...sshd.host, identityFile: scratch.write('id', key.privateText) });
      expect(countIn(sshd, 'service ssh-connection method publickey')).toBe(1);
    });

    it('two keys may both be wanted', async () => {
      const keys = [makeKey(), makeKey()] as const;
      const sshd = await start(['AuthenticationMethods publickey,publickey'], { ...keys[0], publicText: keys.map(({ publicText }) => publicText).join('\n') });
      await logIn(transport({ defaultIdentityFiles: keys.map((key, index) => scratch.write(`id-${index}`, key.privateText)) }), sshd.host);
      expect(countIn(sshd, 'Partial publickey')).toBe(1);
    });
  });

  it('an encrypted key lets us in once its passphrase is given, and is unlocked once for all hosts', async () => {
    const key = makeKey('ed25519', 'secret words');
    const sshd = await start([], { ...key, privateText: '' });
    const asked: string[] = [];
    const over = transport({ secrets: { read: ({ label }) => Promise.resolve(asked.push(label)).then(() => 'secret words') } });
    const host = { ...sshd.host, identityFile: scratch.write('id', key.privateText) };
    await Promise.all([logIn(over, host), logIn(over, host)]);
    expect(new Set(asked)).toEqual(new Set([`passphrase of ${host.identityFile}`]));
  });
});
