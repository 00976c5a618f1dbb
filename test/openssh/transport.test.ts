/** The transport over the real `ssh` program: what it says of hosts that do not let us in, and how it ends. */
import { spawn, execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failure } from '../../src/core/failure.js';
import type { Host } from '../../src/core/host.js';
import type { ShellStream } from '../../src/core/ports.js';
import type { OpenSshOptions } from '../../src/openssh/options.js';
import { findNewerOptions } from '../../src/openssh/newer-options.js';
import { requireSsh } from '../../src/openssh/require-ssh.js';
import { NEWER_OPTIONS } from '../../src/openssh/server-options.js';
import { createOpenSshTransport } from '../../src/openssh/transport.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createScratch, failureIn, hostAt, makeKey, readAll } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD, SSHD_SKIP_REASON } from '../ssh/sshd.js';
import type { Sshd } from '../ssh/sshd.js';
import { startTcpServer } from '../ssh/test-server.js';

const signal = new AbortController().signal;

describe.skipIf(SKIP_WITHOUT_SSHD)(`the ssh program (skipped when ${SSHD_SKIP_REASON})`, () => {
  let scratch: Scratch;
  let sshd: Sshd;
  let host: Host;
  let known: string;
  let tmpBefore: string | undefined;
  beforeAll(async () => {
    scratch = createScratch();
    tmpBefore = process.env['TMPDIR'];
    process.env['TMPDIR'] = scratch.directory;
    sshd = await startSshd(scratch, { settings: ['KexAlgorithms curve25519-sha256'] });
    host = { ...sshd.host, identityFile: scratch.write('id', sshd.userKey.privateText) };
    known = scratch.write('known', `[127.0.0.1]:${sshd.port} ${sshd.hostKeys[0]?.publicText}\n`);
  });
  afterAll(async () => {
    if (tmpBefore === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = tmpBefore;
    await sshd.close();
    scratch.remove();
  });

  type Choices = Partial<OpenSshOptions> & { readonly config?: { readonly file: string } };
  const open = (to: Host, { config, ...options }: Choices = {}, command = 'exit 9'): Promise<ShellStream> =>
    createOpenSshTransport({ environment: process.env, knownHostsFiles: [known], closeGraceMs: 500, ...options }).open({ ...to, ssh: { ...to.ssh, config: config ?? 'none' } }, command, signal);
  const failureFor = (to: Host, options: Choices = {}): Promise<Failure> => failureIn(open(to, options));
  const endOf = async (shell: ShellStream): Promise<unknown> => {
    shell.stderr.resume();
    await readAll(shell.stdout);
    return shell.ended;
  };

  it('nothing is left behind: no process, no directory of pipes', async () => {
    expect(await endOf(await open(host))).toEqual({ how: 'exit', code: 9 });
    await failureFor(hostAt(1));
    expect(readdirSync(scratch.directory).filter((name) => name.startsWith('fleetmend-ssh-log'))).toEqual([]);
  });

  it('a host whose key is unknown is refused with its fingerprint, recorded on request, and then known', async () => {
    const file = scratch.path('learnt');
    const failure = await failureFor(host, { knownHostsFiles: [file] });
    expect(failure.kind).toBe('hostKeyUnknown');
    expect(failure.summary).toContain(fingerprintOf(sshd.hostKeys[0]?.blob ?? Buffer.alloc(0)));
    expect(await endOf(await open(host, { knownHostsFiles: [file], hostKeys: 'acceptNew' }))).toEqual({ how: 'exit', code: 9 });
    expect(readFileSync(file, 'utf8').trim()).toBe(readFileSync(known, 'utf8').trim());
    expect(await endOf(await open(host, { knownHostsFiles: [file] }))).toEqual({ how: 'exit', code: 9 });
  });

  it('StrictHostKeyChecking no in ssh_config is never obeyed', async () => {
    const config = scratch.write('careless', 'Host *\n  StrictHostKeyChecking no\n');
    expect((await failureFor(host, { config: { file: config }, knownHostsFiles: [scratch.path('none')] })).kind).toBe('hostKeyUnknown');
  });

  it('NoHostAuthenticationForLocalhost in ssh_config is never obeyed', async () => {
    const config = { file: scratch.write('local', 'Host *\n  NoHostAuthenticationForLocalhost yes\n') };
    expect((await failureFor(host, { config, knownHostsFiles: [scratch.path('none')] })).kind).toBe('hostKeyUnknown');
  });

  it.each(['SessionType none', 'StdinNull yes', 'ForkAfterAuthentication yes', 'LogVerbose *', 'LogLevel QUIET', 'RequestTTY force', 'RemoteCommand true', 'IgnoreUnknown Nonsense; Nonsense yes'])('%s in ssh_config does not come between us and the command', async (line) => {
    const config = { file: scratch.write('odd', `Host *\n  ${line.replaceAll('; ', '\n  ')}\n`) };
    const shell = await open(host, { config, openTimeoutMs: 4_000 }, 'cat; exit 9');
    shell.stdin.end('said');
    shell.stderr.resume();
    expect([(await readAll(shell.stdout)).toString(), await shell.ended]).toEqual(['said', { how: 'exit', code: 9 }]);
  });

  it('only options that this ssh knows are given to it', async () => {
    const known = (await findNewerOptions('ssh', process.env)).join(' ');
    expect(known).toMatch(/SessionType=default/);
    const older = scratch.write('older-ssh', '#!/bin/sh\ncase "$*" in *" GSSAPI"*) exit 255; esac\n', 0o700);
    expect(await findNewerOptions(older, process.env)).toEqual(NEWER_OPTIONS.filter((option) => !option.startsWith('GSSAPI')));
  });

  it.each<OpenSshOptions['hostKeys']>(['strict', 'acceptNew'])('a changed key is refused with the shown fingerprint and the line to look at (%s)', async (hostKeys) => {
    const file = scratch.write('changed', `[127.0.0.1]:${sshd.port} ${makeKey().publicText}\n`);
    const failure = await failureFor(host, { knownHostsFiles: [file], ...(hostKeys ? { hostKeys } : {}) });
    expect(failure.kind).toBe('hostKeyChanged');
    expect(failure.summary).toContain(fingerprintOf(sshd.hostKeys[0]?.blob ?? Buffer.alloc(0)));
    expect(failure.detail).toContain(`${file}:1`);
  });

  it('a revoked key is refused', async () => {
    const file = scratch.write('revoked', `@revoked * ${sshd.hostKeys[0]?.publicText}\n${readFileSync(known, 'utf8')}`);
    expect((await failureFor(host, { knownHostsFiles: [file] })).kind).toBe('hostKeyRevoked');
  });

  it('a key that the host does not know is named', async () => {
    const stranger = makeKey();
    const failure = await failureFor({ ...host, identityFile: scratch.write('stranger', stranger.privateText) });
    expect(failure.kind).toBe('authentication');
    expect(failure.detail).toContain(`${fingerprintOf(stranger.blob)} explicit`);
  });

  it('an encrypted key asks nobody', async () => {
    expect((await failureFor({ ...host, identityFile: scratch.write('locked', makeKey('ed25519', 'a passphrase').privateText) })).kind).toBe('authentication');
  });

  it('the ways of a host that is no SSH server are told apart', async () => {
    const silent = await startTcpServer(() => undefined);
    const closing = await startTcpServer((socket) => socket.destroy());
    const chatty = await startTcpServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    try {
      const kinds = await Promise.all([silent, closing, chatty].map(async ({ port }) => (await failureFor(hostAt(port), { openTimeoutMs: 1_000 })).kind));
      expect(kinds).toEqual(['handshakeTimeout', 'lostBeforeHandshake', 'handshakeTimeout']);
    } finally {
      await Promise.all([silent, closing, chatty].map((server) => server.close()));
    }
  });

  it('a name that nobody knows, and one that ssh must not see', async () => {
    expect((await failureFor({ ...host, address: 'no-such-name.invalid' })).kind).toBe('dns');
    expect((await failureFor({ ...host, address: '-oProxyCommand=touch x' })).kind).toBe('badInput');
  });

  it('an option that ssh does not know is shown as ssh says it', async () => {
    const failure = await failureFor(host, { config: { file: scratch.write('wrong', 'Host *\n  Nonsense yes\n') } });
    expect(failure.kind).toBe('badInput');
    expect(failure.detail).toContain('line 2: Bad configuration option: nonsense');
  });

  it('a missing program is said before anything is tried', async () => {
    expect(await failureIn(requireSsh(process.env, scratch.path('no-ssh')))).toMatchObject({ kind: 'badInput' });
    expect(await failureFor(host, { program: scratch.path('no-ssh') })).toMatchObject({ kind: 'badInput' });
    await requireSsh(process.env);
  });

  it('ssh_config reaches a host of which the inventory has only a name, and the inventory beats it', async () => {
    const config = scratch.write('config', [
      'Host web-1', '  HostName 127.0.0.1', `  Port ${sshd.port}`, `  User ${sshd.host.user}`, `  IdentityFile ${host.identityFile}`, `  UserKnownHostsFile ${known}`, '',
    ].join('\n'));
    const named: Host = { name: 'web-1', address: 'web-1', become: 'none', labels: {}, ssh: { config: { file: config } } };
    const transport = createOpenSshTransport({ environment: process.env });
    expect(await endOf(await transport.open(named, 'exit 9', signal))).toEqual({ how: 'exit', code: 9 });
    expect(await failureIn(transport.open({ ...named, port: 1 }, 'exit 9', signal))).toMatchObject({ kind: 'refusedConnection', target: `${named.address}:1` });
    expect((await failureIn(transport.open({ ...named, ssh: { config: 'none' } }, 'exit 9', signal))).kind).toBe('dns');
  });

  it('a jump host of ssh carries the connection, and one that is down is named as the way', async () => {
    const bastion = await startSshd(scratch, { userKey: sshd.userKey, settings: ['KexAlgorithms curve25519-sha256'] });
    const both = scratch.write('both', `${readFileSync(known, 'utf8')}[127.0.0.1]:${bastion.port} ${bastion.hostKeys[0]?.publicText}\n`);
    const config = { file: scratch.write('jump', `Host *\n  IdentityFile ${host.identityFile}\n  UserKnownHostsFile ${both}\n`) };
    const behind: Host = { ...host, ssh: { config, proxyJump: [`${sshd.host.user}@127.0.0.1:${bastion.port}`] } };
    const transport = createOpenSshTransport({ environment: process.env });
    try {
      const shell = await transport.open(behind, 'exit 9', signal);
      const said = readAll(shell.stderr);
      expect(await endOf(shell)).toEqual({ how: 'exit', code: 9 });
      // Details of the jump host's ssh would mix with what the command says.
      expect((await said).toString()).not.toMatch(/debug1: (?:Connecting|Authenticat|SSH2_MSG)/);
      await bastion.logged('direct-tcpip');
    } finally {
      await bastion.close();
    }
    expect((await failureIn(transport.open(behind, 'exit 9', signal))).kind).toBe('jumpHost');
  });

  it('a ProxyCommand that gives no answer ends with its ssh', async () => {
    const pidFile = scratch.path('proxy.pid');
    const config = { file: scratch.write('proxy', `Host *\n  ProxyCommand sh -c 'echo $$ > ${pidFile}; exec sleep 600'\n`) };
    expect((await failureFor(host, { config, openTimeoutMs: 1_000 })).kind).toBe('jumpHost');
    const pid = Number(readFileSync(pidFile, 'utf8'));
    // The signal was sent; how soon it is obeyed is the machine's affair.
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 10));
  });

  it('a server whose process dies in the middle of a command is lost', async () => {
    const shell = await open(host, {}, 'echo $PPID; cat');
    const pid = await new Promise<Buffer>((resolve) => shell.stdout.once('data', resolve));
    process.kill(Number(pid.toString()), 'SIGKILL');
    expect(await endOf(shell)).toEqual({ how: 'lost' });
  });

  it('a child of the command that keeps the output is not waited for; then no exit code is known', async () => {
    const shell = await open(host, { exitGraceMs: 300, closeGraceMs: 300 }, 'sleep 600 & echo $!; exit 4');
    const pid = new Promise<Buffer>((resolve) => shell.stdout.once('data', resolve));
    shell.stderr.resume();
    expect(await shell.ended).toEqual({ how: 'lost' });
    process.kill(Number((await pid).toString()), 'SIGKILL');
  });

  it('silence has a limit', async () => {
    const shell = await open(host, { idleTimeoutMs: 500 }, 'cat');
    expect(await endOf(shell)).toMatchObject({ how: 'lost', why: { kind: 'connectionLost' } });
  });

  it('an old server is reached with legacy algorithms only', async () => {
    const old = await startSshd(scratch, { hostKeyKinds: ['rsa'], settings: ['KexAlgorithms diffie-hellman-group14-sha1', 'HostKeyAlgorithms ssh-rsa', 'Ciphers aes128-cbc', 'MACs hmac-sha1'] });
    try {
      const file = scratch.write('old', `[127.0.0.1]:${old.port} ${old.hostKeys[0]?.publicText}\n`);
      const oldHost: Host = { ...old.host, identityFile: scratch.write('old-id', old.userKey.privateText) };
      const failure = await failureFor(oldHost, { knownHostsFiles: [file] });
      expect(failure.kind).toBe('noCommonAlgorithm');
      expect(failure.next).toContain('--legacy-algorithms');
      expect(await endOf(await open({ ...oldHost, ssh: { legacyAlgorithms: true } }, { knownHostsFiles: [file] }))).toEqual({ how: 'exit', code: 9 });
    } finally {
      await old.close();
    }
  });

  it('host and user certificates of ssh work', async () => {
    const authority = scratch.path('ca');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', authority]);
    const certificate = (key: string, ...words: string[]): string => {
      const file = scratch.path(`${key}.pub`);
      execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'an id', ...words, file]);
      return scratch.path(`${key}-cert.pub`);
    };
    const hostKey = makeKey();
    const userKey = makeKey();
    scratch.write('certified-host', hostKey.privateText);
    scratch.write('certified-host.pub', `${hostKey.publicText}\n`);
    scratch.write('certified-user.pub', `${userKey.publicText}\n`);
    const certified = await startSshd(scratch, {
      settings: [
        'KexAlgorithms curve25519-sha256', `HostKey ${scratch.path('certified-host')}`, `HostCertificate ${certificate('certified-host', '-h', '-n', '127.0.0.1')}`,
        `TrustedUserCAKeys ${authority}.pub`,
      ],
    });
    try {
      const file = scratch.write('authority', `@cert-authority * ${readFileSync(`${authority}.pub`, 'utf8')}`);
      const to: Host = { ...certified.host, identityFile: scratch.write('certified-user', userKey.privateText), ssh: { certificateFile: certificate('certified-user', '-n', certified.host.user ?? '') } };
      const shell = await open(to, { knownHostsFiles: [file] });
      expect(shell.hostKey).toBe(fingerprintOf(hostKey.blob));
      expect(await endOf(shell)).toEqual({ how: 'exit', code: 9 });
    } finally {
      await certified.close();
    }
  });

  it('keys of the agent named by the environment let us in', async () => {
    const socket = scratch.path('agent.sock');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await new Promise((resolve) => agent.stdout.once('data', resolve));
      execFileSync('ssh-add', ['-q', scratch.path('id')], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
      const unnamed: Host = { ...sshd.host };
      expect(await endOf(await open(unnamed, { environment: { ...process.env, SSH_AUTH_SOCK: socket, HOME: scratch.directory } }))).toEqual({ how: 'exit', code: 9 });
    } finally {
      agent.kill('SIGTERM');
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    // What nobody has reaped yet is gone all the same.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
