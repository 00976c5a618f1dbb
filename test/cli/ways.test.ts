/** What the command line says of the way to hosts before the first one is reached: with `hosts`, with -v, and where something is not done as ssh_config says. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { run } from './run-command-line.js';

let home: string;
let config: string;
let inventory: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'fleetmend-ways-'));
  config = join(home, 'ssh_config');
  inventory = join(home, 'inventory.yaml');
  await mkdir(join(home, '.ssh'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('SSH_AUTH_SOCK', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true, force: true });
});

async function hosts(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, out, err } = await run('hosts', '-i', inventory, ...words);
  return { code, out: out.replaceAll(home, 'HOME'), err: err.replaceAll(home, 'HOME') };
}

const CONFIG = `Host node-*
  HostName %h.example.org
  User deploy
  Port 2201
  ForwardX11 yes
  UserKnownHostsFile ~/.ssh/fleet_hosts
  GlobalKnownHostsFile none
  ProxyJump jump@gate
Host gate
  HostName 192.0.2.1
  KnownHostsCommand /bin/x
  GlobalKnownHostsFile none
Match exec "touch HOME/ran"
  User root
`;
const INVENTORY = `groups:
  pool-a:
    become: { method: sudo, passwordEnv: SUDO }
    hosts: ['node-[1:3]']
  pool-b:
    hosts:
      - { name: other, user: ops, address: 10.0.0.9, ssh: { config: none, legacyAlgorithms: true } }
      - { name: kerberos, transport: openssh }
`;

async function arrange(): Promise<void> {
  await writeFile(join(home, '.ssh', 'config'), CONFIG.replace('HOME', home));
  await writeFile(inventory, INVENTORY);
}

describe('hosts', () => {
  it('shows the way to each as it is resolved', async () => {
    await arrange();
    const { code, out } = await hosts();
    expect(code).toBe(0);
    expect(out).toBe([
      ...[1, 2, 3].map((n) => `node-${n}  deploy@node-${n}.example.org:2201 (sudo)  through jump@192.0.2.1:22  group=pool-a\n`),
      'other  ops@10.0.0.9:22  group=pool-b\n',
      'kerberos  kerberos (openssh)  group=pool-b\n',
    ].join(''));
  });
  it('as JSON gives what the inventory says and where it leads', async () => {
    await arrange();
    const { out } = await hosts('-o', 'json', '--limit', 'node-1');
    expect(JSON.parse(out)).toEqual([{
      name: 'node-1', address: 'node-1', become: 'sudo', becoming: { passwordFrom: { from: 'env', name: 'SUDO' } }, labels: { group: 'pool-a' },
      route: { user: 'deploy', address: 'node-1.example.org', port: 2201, jumps: ['jump@192.0.2.1:22'] },
    }]);
  });
  it('names what is not done as ssh_config says, once for all hosts, and runs nothing', async () => {
    await arrange();
    const { err } = await hosts('--limit', 'node-*');
    expect(err).toContain('fleetmend: ssh_config: fleetmend cannot do KnownHostsCommand (HOME/.ssh/config:11); `transport: openssh` in the inventory leaves them to the ssh of this system\n');
    expect(err).toContain('fleetmend: ssh_config: Match exec is never run, and what stands below it does not count (HOME/.ssh/config:13)\n');
    expect(err.match(/KnownHostsCommand/g)).toHaveLength(1);
    expect(await readdir(home)).not.toContain('ran');
  });
  it('-v shows the whole way, once for hosts with the same answer', async () => {
    await arrange();
    const { err } = await hosts('-v', '--ssh-config', join(home, '.ssh', 'config'), '--limit', '!kerberos');
    expect(err.slice(err.indexOf('how hosts are reached'))).toBe(`how hosts are reached:
  3 hosts, node-[1-3]:
    ssh_config: HOME/.ssh/config
    way: through jump@192.0.2.1:22
    jump host gate, jump@192.0.2.1:22:
      login as jump, in this order:
        not tried: no ssh-agent is set
      host keys: only known ones; HOME/.ssh/known_hosts, HOME/.ssh/known_hosts2
    login as deploy, in this order:
      not tried: no ssh-agent is set
    host keys: only known ones; HOME/.ssh/fleet_hosts
    no meaning here: ForwardX11 (HOME/.ssh/config:5)
    root: sudo with the password in the environment variable SUDO
  1 host, other:
    ssh_config: HOME/.ssh/config
    way: straight
    login as ops, in this order:
      not tried: no ssh-agent is set
    host keys: only known ones; HOME/.ssh/known_hosts, HOME/.ssh/known_hosts2, /etc/ssh/ssh_known_hosts, /etc/ssh/ssh_known_hosts2
    algorithms: weak ones too (SHA-1, CBC)
    root: the user that logs in
`);
  });
  it('-v says of a host of the ssh program whose word counts for its jump hosts', async () => {
    await arrange();
    const { err } = await hosts('-v', '--ssh-config', join(home, '.ssh', 'config'), '--limit', 'kerberos');
    expect(err).toContain('jump hosts that only ssh_config names are trusted as ssh_config says');
  });
  it('the command line beats inventory and ssh_config', async () => {
    await arrange();
    await writeFile(config, 'User other\nPort 99\n');
    const { out } = await hosts('-F', config, '-J', 'a,ops@b:2222', '--limit', 'node-1', '--limit', 'other');
    expect(out).toBe([
      'node-1  other@node-1:99 (sudo)  through other@a:99, ops@b:2222  group=pool-a\n',
      'other  ops@10.0.0.9:99  through other@a:99, ops@b:2222  group=pool-b\n',
    ].join(''));
    expect((await hosts('-F', 'none', '-J', 'none', '--limit', 'node-1')).out).toMatch(/^node-1 {2}\S+@node-1:22 \(sudo\) {2}group=pool-a\n$/);
  });
});

describe('a command that would reach hosts ends before the first one', () => {
  const audit = (...words: string[]): Promise<{ code: number; out: string; err: string }> =>
    run('audit', new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname, '-i', inventory, ...words);

  it.each([
    ['an ssh_config with an error', 'Port abc\n', 'groups: { a: { hosts: [n1] } }', [], /ssh_config:1:6: expected a port/],
    ['an ssh_config that is not there', '', 'groups: { a: { hosts: [n1] } }', ['-F', '/nowhere/config'], /ssh-config: expected one value/],
    ['two names of one machine', 'HostName n1\n', 'groups: { a: { hosts: [n1, n2] } }', [], /one machine has several names: n1, n2 all lead to n1 port 22; no host was reached/],
    ['a jump host that is none', '', 'groups: { a: { hosts: [n1] } }', ['--proxy-jump=-oProxyCommand=x'], /--proxy-jump: expected none, a jump host/],
    ['a variable that is not set', '', 'groups: { a: { become: { method: sudo, passwordEnv: FLEETMEND_NOT_SET }, hosts: [n1] } }', [], /no sudo password.*: the variable FLEETMEND_NOT_SET is not set; no host was reached/],
    ['a password and nobody to type it', '', 'groups: { a: { become: sudo, hosts: [n1] } }', ['-K'], /the sudo password.* is needed, and there is no terminal to ask for it/],
    ['a login password and nobody to type it', '', 'groups: { a: { hosts: [n1] } }', ['--ask-password'], /the password of \S+ is needed, and there is no terminal/],
  ])('%s', async (_, text, yaml, words, told) => {
    await writeFile(config, text);
    await writeFile(inventory, yaml);
    const { code, err, out } = await audit('-F', config, ...words);
    expect(err).toMatch(told);
    expect(code).toBe(1);
    expect(out).toBe('');
  });

  it('a variable that holds a secret is taken out of the environment of all that is started', async () => {
    vi.stubEnv('FLEETMEND_SECRET_FOR_TEST', 'hunter2');
    await writeFile(inventory, 'groups: { a: { become: { method: sudo, passwordEnv: FLEETMEND_SECRET_FOR_TEST }, ssh: { password: prompt }, hosts: [n1] } }');
    const { err } = await audit('-F', 'none', '-v');
    expect(err).toContain('there is no terminal to ask for it');
    expect(err).not.toContain('hunter2');
    expect(process.env['FLEETMEND_SECRET_FOR_TEST']).toBeUndefined();
  });

  it('weak algorithms are told loudly, and only where they are allowed', async () => {
    await writeFile(inventory, 'groups: { a: { become: { method: sudo, passwordEnv: FLEETMEND_NOT_SET }, hosts: ["n[1:3]", { name: m, ssh: { legacyAlgorithms: true } }] } }');
    expect((await audit('-F', 'none')).err).toMatch(/^fleetmend: WARNING: weak algorithms \(SHA-1, CBC\) are allowed for 1 host: m; /);
    expect((await audit('-F', 'none', '--legacy-algorithms')).err).toMatch(/^fleetmend: WARNING: weak algorithms \(SHA-1, CBC\) are allowed for 4 hosts: /);
  });
});
