/**
 * The whole command line, in a process of its own, against the real programs: a login password that is typed and given to sshd with PAM,
 * a sudo password that is typed and given to sudo, and the system's ssh as the transport. What is typed shows up nowhere.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RootNode } from '../host/root-node.js';
import { DEPLOY_PASSWORD, ROOT_PASSWORD, SKIP_WITHOUT_ROOT_NODE, startRootNode } from '../host/root-node.js';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createScratch } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';
import { startSshd, SKIP_WITHOUT_SSHD } from '../ssh/sshd.js';
import type { Pty } from './pty.js';
import { openPty } from './pty.js';
import { run } from './run-command-line.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const FLEETMEND = `${process.execPath} --import ${ROOT}node_modules/tsx/dist/esm/index.mjs ${ROOT}src/main.ts`;
const PLAYBOOK = `${ROOT}playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml`;

interface Looked { readonly host: string; readonly hostKey?: string; readonly failure?: { readonly kind: string; readonly summary: string } }

let scratch: Scratch;
beforeEach(() => { scratch = createScratch(); });
afterEach(() => {
  vi.unstubAllEnvs();
  scratch.remove();
});

const audit = (...words: string[]): string[] => ['audit', PLAYBOOK, '-i', scratch.path('inventory.yaml'), '-F', 'none', '-o', 'json', ...words];

describe.skipIf(SKIP_WITHOUT_ROOT_NODE)('a password that is typed once', () => {
  let node: RootNode;
  let pty: Pty | undefined;
  afterEach(async () => {
    pty?.kill();
    await pty?.ended;
    await node.close();
  });

  /** Types `secret` at the first question; null: none is expected. */
  async function auditOnTerminal(question: string, secret: string, ...words: string[]): Promise<{ readonly looked: readonly Looked[]; readonly shown: string }> {
    const { address, port, user } = node.host('none');
    const hosts = ['node-1', 'node-2'].map((name, index) => `{ name: ${name}, address: ${index === 0 ? address : 'localhost'}, port: ${port} }`);
    scratch.write('inventory.yaml', `groups: { a: { user: ${user ?? ''}, become: ${words.includes('-K') ? 'sudo' : 'none'}, hosts: [${hosts.join(', ')}] } }`);
    const key = readFileSync(join(node.directory, 'known'), 'utf8').split(' ').slice(1).join(' ');
    scratch.write('known', `[127.0.0.1]:${port} ${key}[localhost]:${port} ${key}`);
    const line = [FLEETMEND, ...audit('--known-hosts', scratch.path('known'), ...words)].join(' ');
    pty = openPty(`${line} > ${scratch.path('out')}; echo "CODE $?"; echo OVER`, { HOME: scratch.directory, XDG_STATE_HOME: scratch.path('state'), SSH_AUTH_SOCK: '' });
    await pty.until(question);
    pty.press(`${secret}\r`);
    await pty.until('OVER');
    const shown = pty.shown();
    expect(shown.split(question)).toHaveLength(2);
    expect(shown).not.toContain(secret);
    for (const file of readdirSync(scratch.directory, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name), 'latin1'), file.name).not.toContain(secret);
    }
    return { looked: (JSON.parse(readFileSync(scratch.path('out'), 'utf8')) as { hosts: Looked[] }).hosts, shown };
  }

  it('--ask-password lets us in to all hosts, and a wrong one to none', async () => {
    node = await startRootNode(['UsePAM yes', 'PasswordAuthentication yes']);
    node.allow({});
    const { looked } = await auditOnTerminal('password of deploy', DEPLOY_PASSWORD, '--ask-password');
    expect(looked.map(({ host, hostKey }) => [host, hostKey !== undefined])).toEqual([['node-1', true], ['node-2', true]]);
    const wrong = await auditOnTerminal('password of deploy', ROOT_PASSWORD, '--ask-password');
    expect(wrong.looked.map(({ hostKey, failure }) => [hostKey, failure?.kind])).toEqual([[undefined, 'authentication'], [undefined, 'authentication']]);
  }, 60_000);

  it('-K makes root of us on all hosts, and a wrong one on none', async () => {
    node = await startRootNode();
    node.allow({ sudoers: 'deploy ALL=(root) PASSWD: ALL' });
    const key = ['--identity-file', join(node.directory, 'id')];
    const { looked } = await auditOnTerminal('sudo password', DEPLOY_PASSWORD, '-K', ...key);
    expect(looked.map(({ host, hostKey }) => [host, hostKey !== undefined])).toEqual([['node-1', true], ['node-2', true]]);
    const wrong = await auditOnTerminal('sudo password', ROOT_PASSWORD, '-K', ...key);
    expect(wrong.looked.map(({ failure }) => failure?.kind)).toEqual(['rootRefused', 'rootRefused']);
  }, 60_000);
});

describe.skipIf(SKIP_WITHOUT_SSHD)('transport: openssh', () => {
  it("reaches a host by the system's ssh and by its configuration, and refuses one with another key", async () => {
    const sshd = await startSshd(scratch);
    try {
      vi.stubEnv('HOME', scratch.directory);
      vi.stubEnv('SSH_AUTH_SOCK', '');
      const known = (key: string): string => scratch.write('known', `the-node ${key}\n`);
      known(sshd.hostKeys[0]?.publicText ?? '');
      const config = scratch.write('config', `Host the-node
  HostName 127.0.0.1
  Port ${sshd.port}
  User ${sshd.host.user ?? ''}
  IdentityFile ${scratch.write('id', sshd.userKey.privateText)}
  UserKnownHostsFile ${scratch.path('known')}
  HostKeyAlias the-node
`);
      scratch.write('inventory.yaml', `groups: { a: { transport: openssh, ssh: { config: ${config} }, hosts: [the-node] } }`);
      const look = async (): Promise<Looked | undefined> => (JSON.parse((await run('audit', PLAYBOOK, '-i', scratch.path('inventory.yaml'), '-o', 'json')).out) as { hosts: Looked[] }).hosts[0];
      expect((await look())?.hostKey).toBe(fingerprintOf(sshd.hostKeys[0]?.blob ?? Buffer.alloc(0)));
      known(sshd.userKey.publicText);
      expect((await look())?.failure?.kind).toBe('hostKeyChanged');
    } finally {
      await sshd.close();
    }
  });
});
