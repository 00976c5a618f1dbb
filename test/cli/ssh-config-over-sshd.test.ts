/** The whole command line over a real sshd: ssh_config alone is enough to reach a host, the inventory beats it, and `config: none` turns it off. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fingerprintOf } from '../../src/ssh/fingerprint.js';
import { createScratch } from '../ssh/scratch.js';
import type { Scratch } from '../ssh/scratch.js';
import type { Sshd } from '../ssh/sshd.js';
import { SKIP_WITHOUT_SSHD, startSshd } from '../ssh/sshd.js';
import { run } from './run-command-line.js';

const PLAYBOOK = new URL('../../playbooks/cis-3.2.5-streaming-connection-idle-timeout.yaml', import.meta.url).pathname;

interface Looked { readonly host: string; readonly hostKey?: string; readonly failure?: { readonly kind: string; readonly summary: string } }

describe.skipIf(SKIP_WITHOUT_SSHD)('an inventory that names nothing but the host', () => {
  let scratch: Scratch;
  let sshd: Sshd;
  beforeEach(async () => {
    scratch = createScratch();
    sshd = await startSshd(scratch);
    mkdirSync(scratch.path('.ssh'));
    vi.stubEnv('HOME', scratch.directory);
    vi.stubEnv('SSH_AUTH_SOCK', '');
    scratch.write('.ssh/fleet-key', sshd.userKey.privateText);
    scratch.write('.ssh/fleet-hosts', `the-node ${sshd.hostKeys[0]?.publicText ?? ''}\n`);
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await sshd.close();
    scratch.remove();
  });

  const config = (more = ''): void => {
    writeFileSync(scratch.path('.ssh/config'), `${more}Include fleet.d/*.conf\n`, { mode: 0o600 });
    mkdirSync(scratch.path('.ssh/fleet.d'), { recursive: true });
    writeFileSync(scratch.path('.ssh/fleet.d/a.conf'), `Host the-node
  HostName 127.0.0.1
  Port ${sshd.port}
  User ${sshd.host.user ?? ''}
  IdentityFile ~/.ssh/fleet-key
  IdentitiesOnly yes
  UserKnownHostsFile ~/.ssh/fleet-hosts
  HostKeyAlias the-node
`);
  };
  const audit = async (inventory: string, ...words: string[]): Promise<{ readonly looked: Looked; readonly err: string }> => {
    const { out, err } = await run('audit', PLAYBOOK, '-i', scratch.write('inventory.yaml', inventory), '-o', 'json', ...words);
    const looked = (JSON.parse(out === '' ? '{"hosts":[]}' : out) as { hosts: Looked[] }).hosts[0];
    if (looked === undefined) throw new Error(err);
    return { looked, err };
  };
  const own = (): string => fingerprintOf(sshd.hostKeys[0]?.blob ?? Buffer.alloc(0));

  it('is reached by what ssh_config says', async () => {
    config();
    const { looked, err } = await audit('groups: { a: { hosts: [the-node] } }', '-v');
    expect(looked.hostKey).toBe(own());
    expect(err).toContain(join(scratch.directory, '.ssh/fleet.d/a.conf'));
    expect(err).toContain('; under the name the-node');
  });
  it('is not reached where ssh_config is turned off, on either place', async () => {
    config();
    for (const [inventory, ...words] of [['groups: { a: { ssh: { config: none }, hosts: [the-node] } }'], ['groups: { a: { hosts: [the-node] } }', '--ssh-config', 'none']] as const) {
      const { looked } = await audit(inventory, ...words);
      expect(looked.hostKey).toBeUndefined();
      expect(looked.failure?.kind).toMatch(/^(dns|authentication)$/);
    }
  });
  it('and more is reached by what it says, whatever ssh_config says', async () => {
    config(`Host the-node\n  Port 1\n  User nobody-at-all\n  IdentityFile /nowhere\n  HostKeyAlias other\n  ProxyJump nowhere.invalid\n`);
    const said = `{ name: the-node, port: ${sshd.port}, user: ${sshd.host.user ?? ''}, identityFile: .ssh/fleet-key, ssh: { hostKeyAlias: the-node, proxyJump: none } }`;
    expect((await audit(`groups: { a: { hosts: [${said}] } }`)).looked.hostKey).toBe(own());
  });
  it('is refused when its key is not the one that ssh_config names a file for', async () => {
    config();
    scratch.write('.ssh/fleet-hosts', '');
    expect((await audit('groups: { a: { hosts: [the-node] } }')).looked.failure?.kind).toBe('hostKeyUnknown');
    expect((await audit('groups: { a: { hosts: [the-node] } }', '--host-keys', 'accept-new')).looked.hostKey).toBe(own());
  });
});
