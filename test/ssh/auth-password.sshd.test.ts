/**
 * Logins with a password against OpenSSH itself. The account is real for that sshd alone: it runs in a mount namespace in which
 * /etc/passwd, /etc/shadow and the PAM service are files of the test.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { Secrets, Transport } from '../../src/core/ports.js';
import { createPlainTransport } from './plain-transport.js';
import { createScratch, failureIn, makeKey } from './scratch.js';
import type { Scratch } from './scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from './sshd.js';
import type { Sshd } from './sshd.js';

const never = new AbortController().signal;
const mayMount = spawnSync('unshare', ['-m', 'true'], { stdio: 'ignore' }).status === 0;
const USER = 'fleetmend-test';
const PASSWORD = 'correct horse';

describe.skipIf(SKIP_WITHOUT_SSHD || !mayMount)(`OpenSSH (skipped when ${SSHD_SKIP_REASON}, or mounts are not allowed)`, () => {
  let scratch: Scratch;
  let sshd: Sshd;
  beforeEach(() => {
    scratch = createScratch();
  });
  afterEach(async () => {
    await sshd.close();
    scratch.remove();
  });

  const VIA_PASSWORD = ['PasswordAuthentication yes', 'KbdInteractiveAuthentication no'];
  const VIA_PROMPT = ['PasswordAuthentication no', 'KbdInteractiveAuthentication yes'];
  const KEY = makeKey();

  async function start(settings: readonly string[], account = ''): Promise<Sshd> {
    const hash = execFileSync('openssl', ['passwd', '-6', '-stdin'], { input: PASSWORD }).toString().trim();
    const files = [
      [scratch.write('passwd', `${readFileSync('/etc/passwd', 'utf8')}${USER}:x:61999:65534::/:/bin/sh\n`, 0o644), '/etc/passwd'],
      [scratch.write('shadow', `${readFileSync('/etc/shadow', 'utf8')}${USER}:${hash}:${account || '19000:0:99999:7:::'}\n`), '/etc/shadow'],
      [scratch.write('pam', ['auth required pam_unix.so nodelay', 'account required pam_unix.so', 'session required pam_permit.so', 'password required pam_unix.so', ''].join('\n'), 0o644), '/etc/pam.d/sshd'],
    ] as const;
    // sshd reads this one as the account, which may not look into the scratch directory.
    const readable = `mount -t tmpfs -o mode=755 tmpfs /mnt && cp ${scratch.write('authorized', `${KEY.publicText}\n`, 0o644)} /mnt/authorized`;
    const enter = `${[...files.map(([from, to]) => `mount --bind ${from} ${to}`), readable].join(' && ')} && exec "$@"`;
    sshd = await startSshd(scratch, { userKey: KEY, first: ['UsePAM yes', 'AuthorizedKeysFile /mnt/authorized', ...settings], within: ['unshare', '-m', 'sh', '-c', enter, 'sh'] });
    return sshd;
  }
  const secret = (word: string): Secrets => ({ read: () => Promise.resolve(word) });
  function transport(word: string, identityFiles: readonly string[] = []): Transport {
    const known = scratch.write('known', `[127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]?.publicText}\n`);
    return createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [known], defaultIdentityFiles: identityFiles, secrets: secret(word) });
  }
  const account = (): Host => ({ ...sshd.host, user: USER, ssh: { password: { from: 'prompt' } } });
  async function logIn(over: Transport): Promise<void> {
    await (await over.open(account(), 'true', never)).close();
  }
  const countIn = (text: string): number => sshd.log().split(text).length - 1;

  it.each([['password', VIA_PASSWORD], ['keyboard-interactive/pam', VIA_PROMPT]])('the right one lets us in by %s', async (method, settings) => {
    await start(settings);
    await logIn(transport(PASSWORD));
    expect(sshd.log()).toContain(`Accepted ${method} for ${USER}`);
  });

  it.each([['password', VIA_PASSWORD], ['keyboard-interactive', VIA_PROMPT], ['both', ['PasswordAuthentication yes', 'KbdInteractiveAuthentication yes']]])(
    'a wrong one is sent once by %s, never again to this host, and shown nowhere', async (_method, settings) => {
      await start(settings);
      const over = transport('wrong-word');
      const first = await failureIn(logIn(over));
      expect(first).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('the password was refused') as string });
      const second = await failureIn(logIn(over));
      expect(second.summary).toContain('refused the password of fleetmend-test before, so it was not sent again');
      expect(countIn('Connection from 127.0.0.1')).toBe(1);
      expect(countIn('authentication failure')).toBeLessThanOrEqual(1);
      expect(JSON.stringify([first, second])).not.toContain('wrong-word');
    },
  );

  it('keys go first, and what is left of the tries is enough for it', async () => {
    await start([...VIA_PASSWORD, 'MaxAuthTries 2']);
    const strangers = [0, 1, 2].map((index) => scratch.write(`stranger-${index}`, makeKey().privateText));
    const over = transport(PASSWORD, strangers);
    await logIn(over);
    expect([countIn('Failed publickey'), countIn('Accepted password')]).toEqual([3, 1]);
    await logIn(over);
    expect([countIn('Failed publickey'), countIn('Accepted password')]).toEqual([3, 2]);
  });

  it.each([
    ['publickey,password', VIA_PASSWORD], ['publickey,keyboard-interactive', VIA_PROMPT], ['password,publickey', VIA_PASSWORD],
  ])('a server that wants %s gets both', async (methods, settings) => {
    await start([...settings, `AuthenticationMethods ${methods}`]);
    await logIn(transport(PASSWORD, [scratch.write('id', KEY.privateText)]));
    expect(sshd.log()).toContain('Partial ');
  });

  it('a second factor that is missing is named, and what would help', async () => {
    await start([...VIA_PASSWORD, 'AuthenticationMethods publickey,password']);
    const known = scratch.write('known', `[127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]?.publicText}\n`);
    const over = createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [known], defaultIdentityFiles: [scratch.write('id', KEY.privateText)] });
    const failure = await failureIn(over.open({ ...sshd.host, user: USER }, 'true', never));
    expect(failure).toMatchObject({ kind: 'authentication', summary: expect.stringContaining('also wants: password') as string, next: expect.stringContaining('--ask-password') as string });
  });

  it('an expired password is a clear error', async () => {
    await start(VIA_PROMPT, '0:0:99999:7:::');
    const failure = await failureIn(logIn(transport(PASSWORD)));
    expect(failure.kind).toBe('authentication');
  });
});
