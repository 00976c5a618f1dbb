/** What agreement with ssh does not show: errors with places, remarks, what is never run, which files are read. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../src/core/failure.js';
import { loadConfigFiles } from '../../src/ssh/config-files.js';
import { applyAlgorithmList, includesOf, readConfigText, resolveConfig } from '../../src/ssh-config/index.js';
import type { AskedFor, ConfigScope, SshConfig } from '../../src/ssh-config/index.js';

const ASKED: AskedFor = { name: 'node-1', localUser: 'me', localHost: 'desk.example.org', home: '/home/me', uid: 1000, env: {} };

function resolveText(text: string, asked: Partial<AskedFor> = {}, scope: ConfigScope = 'user'): SshConfig {
  return resolveConfig([{ ...readConfigText('config', text, scope), included: new Map() }], { ...ASKED, ...asked });
}

function failureText(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    const failure = failureOf(error);
    expect(failure.kind).toBe('badInput');
    return failure.detail ?? failure.summary;
  }
  throw new Error('expected a failure');
}

describe('errors', () => {
  it('of one file are told all at once, each with line and column', () => {
    const text = failureText(() => readConfigText('my/config', 'Port 0\nHost a\n\tConnectTimeout  5x\n  User "one\nIdentitiesOnly yes no\nUser\n'));
    expect(text.split('\n')).toEqual([
      'my/config:1:6: expected a port from 1 to 65535, got "0"',
      'my/config:3:18: expected a time such as 30 or 1m30s, got "5x"',
      'my/config:4:8: expected a quote that is closed, got "\\"one"',
      'my/config:5:20: expected the end of the line, got "no"',
      'my/config:6:1: expected a value behind "user", got nothing',
    ]);
  });
  it('say what was probably meant', () => {
    expect(failureText(() => resolveText('Host a\n  IdentityFlie x\n'))).toBe('config:2:3: expected an option of ssh_config (did you mean "identityfile"?), got "identityflie"');
    expect(failureText(() => readConfigText('config', 'Ciphers aes128-gmc@openssh.com\n'))).toContain('did you mean "aes128-gcm@openssh.com"?');
    expect(failureText(() => readConfigText('config', 'Match hots x\n'))).toContain('did you mean "host"?');
  });
  it('show no control codes of a file', () => {
    expect(failureText(() => resolveText('Us\u001b[31mer x\n'))).not.toContain('\u001b');
  });
  it('of a system file: an Include of somebody\'s home', () => {
    expect(failureText(() => readConfigText('config', 'Include ~/x\n', 'system'))).toContain('config:1:9');
    expect(includesOf(readConfigText('config', 'Host a\nInclude ~/x "y z"\n'))).toEqual([{ place: { file: 'config', line: 2 }, patterns: ['~/x', 'y z'] }]);
  });
  it('a host for which RefuseConnection counts is refused with its words', () => {
    expect(failureText(() => resolveText('Host node-1\n  RefuseConnection "gone since May"\n'))).toBe('config:2: RefuseConnection: expected no connection to this host, got "gone since May"');
    expect(() => resolveText('Host b\n  RefuseConnection x\n')).not.toThrow();
  });
});

describe('Match exec', () => {
  it('never runs its command, whatever else applies, and says so once', () => {
    const mark = join(tmpdir(), `fleetmend-must-not-be-${process.pid}`);
    const config = resolveText(`Match host node-1 exec "touch ${mark}"\n  User ran\nMatch !exec "touch ${mark}"\n  User also\nMatch host b exec "touch ${mark}"\n  Port 5\nMatch final\n  Port 7\n`);
    expect(config.user).toBeUndefined();
    expect(config.port).toBe(7);
    expect(config.remarks.notRun).toEqual([{ file: 'config', line: 1 }, { file: 'config', line: 3 }]);
    expect(existsSync(mark)).toBe(false);
  });
});

describe('remarks', () => {
  it('name each option that would change the way and is not done, with its place, and not where it asks for nothing', () => {
    const { remarks } = resolveText([
      'Host node-*', '  GSSAPIAuthentication yes', '  KnownHostsCommand /bin/x %h', '  VerifyHostKeyDNS no', '  PKCS11Provider none', '  RemoteCommand none',
      '  CASignatureAlgorithms ssh-ed25519', '  ForwardAgent yes', 'Host other', '  HostbasedAuthentication yes', '',
    ].join('\n'));
    expect(remarks.unsupported.map(({ option, place }) => `${option} ${place.line}`)).toEqual(['GSSAPIAuthentication 2', 'KnownHostsCommand 3', 'CASignatureAlgorithms 7']);
    expect(remarks.meaningless.map(({ option, place }) => `${option} ${place.line}`)).toEqual(['ForwardAgent 8']);
  });
  it('do not blame a person for what a distribution switches on for everybody', () => {
    const { remarks } = resolveText('Host *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n    GSSAPIAuthentication yes\n', {}, 'system');
    expect(remarks.unsupported).toEqual([]);
    expect(remarks.meaningless.map(({ option }) => option)).toEqual(['SendEnv', 'GSSAPIAuthentication']);
  });
  it('name Match criteria that are not judged, and Includes with tokens', () => {
    const config = resolveText('Match host node-1 localnetwork 10.0.0.0/8\n  User x\nMatch host b localnetwork 10.0.0.0/8\n  User y\nMatch all\nInclude ${HOME}/x conf.d/%h\n');
    expect(config.user).toBeUndefined();
    expect(config.remarks.unsupported.map(({ option, place }) => `${option} ${place.line}`)).toEqual(['Match localnetwork 1', 'Include with ${NAME} or tokens 6']);
  });
  it('say once what stands in a file that is walked twice', () => {
    expect(resolveText('BindInterface eth0\nForwardX11 yes\nMatch final\n').remarks).toMatchObject({ unsupported: [{ option: 'BindInterface' }], meaningless: [{ option: 'ForwardX11' }] });
  });
});

describe('newer than the ssh of some machines', () => {
  it('Tag and Match tagged choose blocks', () => {
    expect(resolveText('Host node-*\n  Tag worker\nMatch tagged worker,other\n  User w\n').user).toBe('w');
    expect(resolveText('Match tagged worker\n  User w\n').user).toBeUndefined();
  });
  it('tokens in User are replaced; a user that was asked for is a name', () => {
    expect(resolveText('User %u-%n\n').user).toBe('me-node-1');
    expect(resolveText('', { user: 'a%u' }).user).toBe('a%u');
  });
  it('Match takes words in single quotes', () => {
    expect(resolveText("Match host='node-1' user 'me'\n  Port 9\n").port).toBe(9);
  });
  it('%j is the jump host nearest to the host', () => {
    expect(resolveText('ProxyJump one,ops@two:22\nIdentityFile /k/%j\n').identityFiles).toEqual(['/k/two']);
  });
});

describe('origins', () => {
  it('tell where each value stands; what was asked for has none', () => {
    const { origins } = resolveText('Host x\nHost *\n  Port 5\n  User a\n  IdentityFile /k/one\n  IdentityFile /k/two\n', { user: 'bob' });
    expect(origins).toEqual({ port: { file: 'config', line: 3 }, identityFiles: { file: 'config', line: 5 } });
  });
  it('an answer for a name of which nothing is said has nothing but the name', () => {
    expect(resolveConfig([], ASKED)).toEqual({ hostName: 'node-1', certificateFiles: [], origins: {}, remarks: { unsupported: [], meaningless: [], notRun: [] } });
  });
});

describe('lists of algorithms', () => {
  const ours = ['c', 'b'];
  const all = ['a1', 'a2', 'b', 'c'];
  it.each([
    [{ mode: 'set', patterns: ['b', 'zz', 'a*'] }, ['b', 'a1', 'a2']], [{ mode: 'append', patterns: ['a?', 'b'] }, ['c', 'b', 'a1', 'a2']],
    [{ mode: 'head', patterns: ['a2', 'b'] }, ['a2', 'b', 'c']], [{ mode: 'remove', patterns: ['*', '!b'] }, ['b']], [{ mode: 'set', patterns: ['zz'] }, []],
  ] as const)('%o', (list, expected) => {
    expect(applyAlgorithmList(list, ours, all)).toEqual(expected);
  });
  it('never name what cannot be done', () => {
    expect(applyAlgorithmList({ mode: 'append', patterns: ['a1'] }, ours)).toEqual(ours);
    expect(applyAlgorithmList(undefined, ours, all)).toEqual(ours);
  });
});

describe('files', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'fleetmend-ssh-config-'));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));
  const write = (name: string, text: string, mode = 0o600): string => {
    const file = join(home, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  const load = async (file?: string): Promise<string> => {
    const files = await loadConfigFiles({ home, systemFile: join(home, 'absent'), ...(file === undefined ? {} : { file }) });
    return resolveConfig(files, ASKED).user ?? '';
  };
  const refusal = async (file?: string): Promise<string> => load(file).then(() => 'accepted', (error: unknown) => failureOf(error).summary);

  it('that are not there are no error, but one that was named is', async () => {
    expect(await loadConfigFiles({ home, systemFile: join(home, 'absent') })).toEqual([]);
    expect(await refusal(join(home, 'absent'))).toBe(`${home}/absent: expected a file that exists`);
  });
  it('that others may write are refused, as ssh refuses them; not the file that was named', async () => {
    write('.ssh/config', 'User x\n', 0o602);
    expect(await refusal()).toContain('expected a file that nobody but its owner and root may write, got mode 602');
    expect(await load(join(home, '.ssh/config'))).toBe('x');
    const include = write('open.conf', 'User x\n', 0o646);
    expect(await refusal(write('named', `Include ${include}\n`))).toContain(`named:1: Include ${include}: expected a file that nobody but`);
  });
  it('may include one another 16 deep, and no deeper', async () => {
    for (let depth = 0; depth < 17; depth++) write(`d${depth}`, `Include ${home}/d${depth + 1}\n`);
    write('d17', 'User deep\n');
    expect(await load(join(home, 'd1'))).toBe('deep');
    expect(await refusal(join(home, 'd0'))).toContain('expected at most 16 files that include one another');
  });
  it('that include themselves twice a line end at once', async () => {
    const file = write('loop', `Include ${home}/loop ${home}/loop\nInclude ${home}/l*\n`);
    expect(await refusal(file)).toContain('expected at most 16 files');
  });
  it('are found by patterns in the order of their names, links too, hidden ones only by a dot', async () => {
    write('d/20.conf', 'User twenty\n');
    write('d/.1.conf', 'User hidden\n');
    symlinkSync(write('elsewhere', 'User ten\n'), join(home, 'd/10.conf'));
    symlinkSync(join(home, 'gone'), join(home, 'd/05.conf'));
    expect(await load(write('named', `Include ${home}/d/*.conf\n`))).toBe('ten');
    expect(await load(write('named', `Include ${home}/d/.*.conf\n`))).toBe('hidden');
    expect(await load(write('named', `Include ${home}/?/2[0-9].conf\n`))).toBe('twenty');
  });
  it('with errors are told with their own name and line', async () => {
    const bad = write('bad', 'User x\nPort none\n');
    expect(await refusal(write('named', `Host other\n  Include ${bad}\n`))).toBe(`${bad}:2:6: expected a port from 1 to 65535, got "none"`);
  });
});
