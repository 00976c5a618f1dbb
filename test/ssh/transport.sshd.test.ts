/** The transport against OpenSSH itself. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ssh2 from '../../src/ssh/ssh2.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../src/core/host.js';
import type { Transport } from '../../src/core/ports.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createPlainTransport } from './plain-transport.js';
import type { PlainTransportOptions } from './plain-transport.js';
import { transportContract } from '../contracts/transport.contract.js';
import { createScratch, failureIn, hostAt, makeKey, readAll } from './scratch.js';
import type { KeyKind, Scratch, TestKey } from './scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from './sshd.js';
import type { Sshd } from './sshd.js';
import { startTcpServer } from './test-server.js';

const signal = new AbortController().signal;

function known(sshd: Sshd, key: TestKey | undefined = sshd.hostKeys[0]): string {
  return `[127.0.0.1]:${sshd.port} ${key?.publicText}\n`;
}

function transportFor(sshd: Sshd, scratch: Scratch, overrides: Partial<PlainTransportOptions> = {}): Transport {
  return createPlainTransport({
    hostKeys: 'strict',
    knownHostsFiles: [scratch.write(`known-${sshd.port}`, known(sshd))],
    defaultIdentityFiles: [scratch.write(`id-${sshd.port}`, sshd.userKey.privateText)],
    exitGraceMs: 3_000,
    ...overrides,
  });
}

async function exitCodeOf(transport: Transport, host: Host): Promise<unknown> {
  const shell = await transport.open(host, 'exit 9', signal);
  shell.stderr.resume();
  await readAll(shell.stdout);
  return shell.ended;
}

describe.skipIf(SKIP_WITHOUT_SSHD)(`OpenSSH (skipped when ${SSHD_SKIP_REASON})`, () => {
  transportContract('ssh2 against OpenSSH', async () => {
    const scratch = createScratch();
    const sshd = await startSshd(scratch);
    const absent = await startTcpServer(() => undefined);
    await absent.close();
    return {
      transport: transportFor(sshd, scratch), host: sshd.host, absentHost: hostAt(absent.port),
      fingerprint: fingerprintOf(sshd.hostKeys[0]?.blob ?? Buffer.alloc(0)),
      async close() {
        await sshd.close();
        scratch.remove();
      },
    };
  });

  describe('one server', () => {
    let scratch: Scratch;
    let sshd: Sshd;
    beforeAll(async () => {
      scratch = createScratch();
      sshd = await startSshd(scratch, { first: ['LogLevel DEBUG3'], hostKeyKinds: ['rsa', 'ecdsa', 'ed25519'], settings: ['RekeyLimit 64K'] });
    });
    afterAll(async () => {
      await sshd.close();
      scratch.remove();
    });

    it.each<[number, KeyKind]>([[0, 'rsa'], [1, 'ecdsa'], [2, 'ed25519']])(
      'a server of which only key %i (%s) is recorded is asked for that key at once',
      async (index) => {
        const transport = transportFor(sshd, scratch, { knownHostsFiles: [scratch.write(`only-${index}`, known(sshd, sshd.hostKeys[index]))] });
        const shell = await transport.open(sshd.host, 'true', signal);
        expect(shell.hostKey).toBe(fingerprintOf(sshd.hostKeys[index]?.blob ?? Buffer.alloc(0)));
        await shell.close();
      },
    );

    it('host keys are not proved again at login, though the server announces them', async () => {
      const prove = 'hostkeys-prove-00@openssh.com';
      const knownHosts = scratch.write('all', sshd.hostKeys.map((key) => known(sshd, key)).join(''));
      const transport = transportFor(sshd, scratch, { knownHostsFiles: [knownHosts] });
      expect(await exitCodeOf(transport, sshd.host)).toEqual({ how: 'exit', code: 9 });
      expect(sshd.log().includes('notify_hostkeys: sent 3 hostkeys')).toBe(true);
      expect(sshd.log().includes(prove)).toBe(false);
      // The same login by ssh2 alone does ask, so the silence above is ours.
      const client = new ssh2.Client();
      client.on('error', () => undefined);
      client.connect({ host: '127.0.0.1', port: sshd.port, username: sshd.host.user ?? '', privateKey: sshd.userKey.privateText, hostVerifier: () => true });
      await sshd.logged(prove);
      client.end();
    });

    it('a connection goes on through many rekeys', async () => {
      const shell = await transportFor(sshd, scratch, { knownHostsFiles: [scratch.write('rekey', known(sshd, sshd.hostKeys[2]))] }).open(sshd.host, 'cat', signal);
      shell.stderr.resume();
      shell.stdin.end(Buffer.alloc(2 * 1024 * 1024, 0x62));
      expect((await readAll(shell.stdout)).length).toBe(2 * 1024 * 1024);
      expect(await shell.ended).toEqual({ how: 'exit', code: 0 });
      expect(sshd.log().split('SSH2_MSG_NEWKEYS received').length).toBeGreaterThan(5);
    });

    it('an unknown key is refused with its fingerprint, recorded on request, and then known', async () => {
      const file = scratch.path('learnt/known_hosts');
      const strict = transportFor(sshd, scratch, { knownHostsFiles: [file] });
      const failure = await failureIn(strict.open(sshd.host, 'true', signal));
      expect(failure.kind).toBe('hostKeyUnknown');
      expect(failure.summary).toContain(fingerprintOf(sshd.hostKeys[2]?.blob ?? Buffer.alloc(0)));
      expect(await exitCodeOf(transportFor(sshd, scratch, { knownHostsFiles: [file], hostKeys: 'acceptNew' }), sshd.host)).toEqual({ how: 'exit', code: 9 });
      expect(readFileSync(file, 'utf8')).toBe(known(sshd, sshd.hostKeys[2]));
      expect(await exitCodeOf(strict, sshd.host)).toEqual({ how: 'exit', code: 9 });
    });

    it('a rejected key is named by fingerprint and offered once', async () => {
      const stranger = makeKey();
      const transport = transportFor(sshd, scratch, {
        knownHostsFiles: [scratch.write('all2', known(sshd, sshd.hostKeys[2]))], defaultIdentityFiles: [scratch.write('stranger', stranger.privateText)],
      });
      const failure = await failureIn(transport.open(sshd.host, 'true', signal));
      expect(failure.kind).toBe('authentication');
      expect(failure.detail).toContain(`tried: ssh-ed25519 ${fingerprintOf(stranger.blob)}`);
      await sshd.logged('Connection closed by authenticating user');
      expect(sshd.log().split(`Failed publickey for ${sshd.host.user}`).length).toBe(2);
    });
  });

  it.each<KeyKind>(['ed25519', 'ecdsa', 'rsa'])('a user key of type %s lets us in', async (kind) => {
    const scratch = createScratch();
    const sshd = await startSshd(scratch, { userKey: makeKey(kind) });
    try {
      expect(await exitCodeOf(transportFor(sshd, scratch), sshd.host)).toEqual({ how: 'exit', code: 9 });
    } finally {
      await sshd.close();
      scratch.remove();
    }
  });

  it('a server whose process dies in the middle of a command is lost', async () => {
    const scratch = createScratch();
    const sshd = await startSshd(scratch);
    try {
      const shell = await transportFor(sshd, scratch).open(sshd.host, 'echo $PPID; cat', signal);
      shell.stderr.resume();
      const pid = await new Promise<Buffer>((resolve) => shell.stdout.once('data', resolve));
      process.kill(Number(pid.toString()), 'SIGKILL');
      expect(await shell.ended).toEqual({ how: 'lost' });
    } finally {
      await sshd.close();
      scratch.remove();
    }
  });

  it('a host that freezes is noticed by keepalives', async () => {
    const scratch = createScratch();
    const sshd = await startSshd(scratch);
    const frozen: number[] = [];
    try {
      const shell = await transportFor(sshd, scratch, { keepAlive: { intervalMs: 500, countMax: 3 } }).open(sshd.host, 'echo $PPID; cat', signal);
      shell.stderr.resume();
      const pid = Number((await new Promise<Buffer>((resolve) => shell.stdout.once('data', resolve))).toString());
      frozen.push(pid);
      process.kill(pid, 'SIGSTOP');
      expect(await shell.ended).toEqual({ how: 'lost' });
    } finally {
      for (const pid of frozen) process.kill(pid, 'SIGKILL');
      await sshd.close();
      scratch.remove();
    }
  });

  it('MaxStartups is named as the likely cause when the server drops us', async () => {
    const scratch = createScratch();
    const sshd = await startSshd(scratch, { settings: ['MaxStartups 1:100:1'] });
    const { connect } = await import('node:net');
    const occupant = connect(sshd.port, '127.0.0.1');
    try {
      await new Promise((resolve) => occupant.once('data', resolve));
      const failure = await failureIn(transportFor(sshd, scratch).open(sshd.host, 'true', signal));
      expect(failure.kind).toBe('lostBeforeHandshake');
      expect(failure.next).toContain('MaxStartups');
    } finally {
      occupant.destroy();
      await sshd.close();
      scratch.remove();
    }
  });

  it('an agent holds the key of an encrypted file, and offers its keys where no file is named', async () => {
    const scratch = createScratch();
    const plain = makeKey();
    const sshd = await startSshd(scratch, { userKey: plain });
    const socket = scratch.path('agent.sock');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await new Promise((resolve) => agent.stdout.once('data', resolve));
      await runToEnd('ssh-add', ['-q', scratch.write('to-add', plain.privateText)], { SSH_AUTH_SOCK: socket });
      const encrypted = scratch.write('encrypted', plain.privateText);
      await runToEnd('ssh-keygen', ['-p', '-q', '-N', 'a passphrase', '-f', encrypted]);
      const withAgent = transportFor(sshd, scratch, { agentSocket: socket, defaultIdentityFiles: [] });
      expect(await exitCodeOf(withAgent, sshd.host)).toEqual({ how: 'exit', code: 9 });
      expect(await exitCodeOf(withAgent, { ...sshd.host, identityFile: encrypted })).toEqual({ how: 'exit', code: 9 });
      const without = await failureIn(transportFor(sshd, scratch).open({ ...sshd.host, identityFile: encrypted }, 'true', signal));
      expect(without).toMatchObject({ kind: 'authentication', next: `load it into the agent: ssh-add ${encrypted}` });
    } finally {
      agent.kill('SIGTERM');
      await sshd.close();
      scratch.remove();
    }
  });
});

async function runToEnd(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, ...env } });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  expect(code, command).toBe(0);
}
