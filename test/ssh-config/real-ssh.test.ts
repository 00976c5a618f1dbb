/** What `ssh -G` does not show, taken from ssh at work: names of keys, commands of proxies, and the two default files. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askedFor, parseQuestion, readAnswer, resolveOurs, run } from './ssh-oracle.js';
import type { Question } from './ssh-oracle.js';
import { loadConfigFiles } from '../../src/ssh/config-files.js';
import { resolveConfig } from '../../src/ssh-config/index.js';

let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fleetmend-ssh-config-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(directory, name);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, text.replaceAll('@DIR@', directory), { mode: 0o600 });
  return file;
}

function sshArgs({ name, user, port }: Question): string[] {
  return [...(user === undefined ? [] : ['-l', user]), ...(port === undefined ? [] : ['-p', String(port)]), '--', name];
}

const TOKENS = '%%/%h/%n/%p/%r/%u/%l/%L/%d/%i/%k/%C';
const QUESTIONS = ['a', 'bob@a:2222', 'B', '10.0.0.1'].map(parseQuestion);

describe('names of keys and certificates', () => {
  it.each(QUESTIONS)('have their tokens, ~ and variables replaced as ssh does it: %o', async (question) => {
    const file = write('config', [
      'HostName %h.Example.org', 'HostKeyAlias The.Alias', `IdentityFile /k/${TOKENS}`, 'IdentityFile ~/k-%h', 'IdentityFile "/k/a b-${FM_NAME}"',
      'IdentityFile ~root/k', 'IdentityFile none', `CertificateFile /c/${TOKENS}`, 'CertificateFile ~/c-${FM_EMPTY}%r', '',
    ].join('\n'));
    const { err } = await run('ssh', ['-v', '-F', file, '-o', 'ProxyCommand=/bin/false', '-o', 'BatchMode=yes', ...sshArgs(question)]);
    const named = (kind: string): string[] => [...err.matchAll(new RegExp(`^debug1: ${kind} file (.*) type -?\\d+\\r?$`, 'gm'))].map(([, name = '']) => name);
    const ours = await resolveOurs({ ...question, files: { home: userInfo().homedir, file } });
    expect(ours.identityFiles?.length).toBe(4);
    // ssh looks for a certificate beside every key; that is not a key of its own.
    expect(ours.identityFiles).toEqual(named('identity').filter((name) => !name.endsWith('-cert')));
    expect(ours.certificateFiles).toEqual(named('certificate'));
  });
  it('are refused with their line where ssh would stop', async () => {
    const file = write('config', 'Host a\nIdentityFile /k/%z\nCertificateFile ${FM_NOT_SET}\nIdentityFile ~nobodyatall/k\n');
    const { code, err } = await run('ssh', ['-v', '-F', file, '-o', 'ProxyCommand=/bin/false', 'a']);
    expect(code).not.toBe(0);
    expect(err).toMatch(/unknown key %z/);
    const ours = resolveOurs({ name: 'a', files: { home: '/root', file } });
    await expect(ours).rejects.toMatchObject({ failure: { kind: 'badInput', detail: expect.stringMatching(/config:2: identityFiles: .*%z[\s\S]*config:3: certificateFiles: .*FM_NOT_SET[\s\S]*config:4: .*nobodyatall/) as string } });
  });
});

describe('a ProxyCommand', () => {
  it.each(QUESTIONS)('reaches the shell with the words that ssh puts in: %o', async (question) => {
    const heard = join(directory, 'heard');
    // The shell waits for the pipe, and ssh for the shell: else ssh could end the command before it wrote.
    const file = write('config', `Host a\n  HostKeyAlias The.Alias\nHost *\n  HostName %h.Example.org\n  ProxyCommand printf '%%s\\n' "%h" "%n" %p %r %k 'a  b' "#c" | cat > ${heard}\n`);
    await run('ssh', ['-F', file, '-o', 'BatchMode=yes', ...sshArgs(question)]);
    const ours = await resolveOurs({ ...question, files: { home: userInfo().homedir, file } });
    const theirs = readFileSync(heard, 'utf8');
    rmSync(heard);
    await run('/bin/sh', ['-c', `exec ${ours.proxyCommand ?? ''}`]);
    expect(readFileSync(heard, 'utf8')).toBe(theirs);
  });
  it('with a token that it has not is refused, as by ssh', async () => {
    const file = write('config', 'ProxyCommand nc %l %h\n');
    expect((await run('ssh', ['-F', file, 'a'])).err).toMatch(/unknown key %l/);
    await expect(resolveOurs({ name: 'a', files: { home: '/root', file } })).rejects.toMatchObject({ failure: { kind: 'badInput' } });
  });
});

describe('the files that are read when none is named', () => {
  it('are the one of the user and then that of the system, each with its own place for relative includes', async () => {
    const home = join(directory, 'home');
    const etc = join(directory, 'etc');
    write('home/.ssh/config', 'Host a\n  User from-home\n  Include more/*.conf ~/.ssh/tilde.conf\nIdentityFile /k/home\n');
    write('home/.ssh/more/one.conf', 'Port 2201\n');
    write('home/.ssh/more/two.conf', 'Port 2202\nHostName two.example\n');
    write('home/.ssh/tilde.conf', 'HostKeyAlias tilde\n');
    write('etc/ssh_config', 'Include ssh_config.d/*.conf\nHost *\n  User from-system\n  IdentityFile /k/system\n');
    write('etc/ssh_config.d/10.conf', 'BindAddress 10.0.0.10\n');
    write('etc/ssh_config.d/20.conf', 'BindAddress 10.0.0.20\nConnectTimeout 20\n');
    // In a mount namespace of its own: ssh knows no other home than that of the user data base.
    const script = `mount --bind '${home}' '${userInfo().homedir}' && mount --bind '${etc}' /etc/ssh && exec ssh -G -- "$1"`;
    for (const name of ['a', 'b']) {
      const { code, out, err } = await run('unshare', ['--mount', '/bin/sh', '-c', script, 'sh', name]);
      expect(code, err).toBe(0);
      const theirs = readAnswer(out);
      const ours = resolveConfig(await loadConfigFiles({ home, systemFile: join(etc, 'ssh_config') }), askedFor({ name }, home));
      expect(theirs).toMatchObject({
        user: ours.user, hostname: ours.hostName, port: String(ours.port ?? 22), bindaddress: ours.bindAddress,
        connecttimeout: String((ours.connectTimeoutMs ?? 0) / 1000), identityfile: ours.identityFiles?.join(' '),
      });
      expect(theirs['hostkeyalias']).toBe(ours.hostKeyAlias);
      expect(ours.user).toBe(name === 'a' ? 'from-home' : 'from-system');
    }
  });
});
