/**
 * A real sshd whose logins find other users and other rules than this machine's: passwd, shadow, sudoers, doas.conf and PAM are
 * its own, in a mount namespace. sudo, doas and su are the real ones. Needs root; changes nothing outside.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BecomeMethod, Becoming, Host } from '../../src/core/host.js';
import type { Transport } from '../../src/core/ports.js';
import { createPlainTransport } from '../ssh/plain-transport.js';
import { createScratch } from '../ssh/scratch.js';
import { startSshd } from '../ssh/sshd.js';

export const DEPLOY_PASSWORD = 'half a key';
export const ROOT_PASSWORD = 'root of all';
const UID = 2811;
const DEPLOY_SHADOW = '$6$fmfmfmfm$XaIrhDItmxewESp6Fc4SxETbsAvRhnAQRIsp5wF4/tGBRqinpjL/D3yz9cbmYMQRS9uSbs0YcV7djx8mI5Hpr1';
const ROOT_SHADOW = '$6$fmfmfmfm$mC7prdxl8Moj9Slf0TLZQbb9AkEXsLQZSbO950qLJYWud60zX9QjYKkLbpriUkw/V73waC6.dEIzz1RlAHXI60';
const PROGRAMS = ['unshare', 'sudo', 'doas', 'su', 'visudo'];

export const SKIP_WITHOUT_ROOT_NODE = process.env['CI'] !== 'true'
  && (process.getuid?.() !== 0 || PROGRAMS.some((program) => spawnSync('which', [program]).status !== 0) || spawnSync('unshare', ['--mount', 'true']).status !== 0);

export interface Rules {
  /** After `Defaults` that every node has. */
  readonly sudoers?: string;
  readonly doas?: string;
  /** Lines of PAM's auth stack, of sudo, doas and su. */
  readonly auth?: string;
}

export interface RootNode {
  /** A place for files. */
  readonly directory: string;
  readonly transport: Transport;
  /** As `deploy`. */
  host(become: BecomeMethod, becoming?: Becoming, name?: string): Host;
  /** For every login from now on. Refused by visudo: throws. */
  allow(rules: Rules): void;
  close(): Promise<void>;
}

/** `settings`: lines of sshd_config that come first. */
export async function startRootNode(settings: readonly string[] = []): Promise<RootNode> {
  const scratch = createScratch();
  chmodSync(scratch.directory, 0o755);
  const home = scratch.path('home');
  mkdirSync(home);
  chownSync(home, UID, UID);
  const etc = scratch.path('etc');
  cpSync('/etc', etc, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  const put = (name: string, text: string, mode = 0o644): void => {
    rmSync(join(etc, name), { force: true });
    writeFileSync(join(etc, name), text, { mode });
  };
  const system = readFileSync('/etc/passwd', 'utf8').split('\n').filter((line) => /^(root|sshd|nobody|daemon):/.test(line));
  put('passwd', `${system.join('\n')}\ndeploy:x:${UID}:${UID}::${home}:/bin/bash\n`);
  put('group', `root:x:0:\nshadow:x:42:\ntty:x:5:\nnogroup:x:65534:\ndeploy:x:${UID}:\n`);
  put('shadow', `root:${ROOT_SHADOW}:19000:0:99999:7:::\ndeploy:${DEPLOY_SHADOW}:19000:0:99999:7:::\nsshd:*:19000::::::\n`, 0o600);
  const script = [
    'set -e', `mount --bind ${etc} /etc`,
    'for fm_dir in /run/sudo /var/lib/sudo; do if [ -d "$fm_dir" ]; then mount -t tmpfs tmpfs "$fm_dir"; fi; done', 'exec "$@"',
  ].join('\n');
  const sshd = await startSshd(scratch, { first: settings, within: ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'] });
  chmodSync(scratch.path(`sshd-${sshd.port}.authorized`), 0o644);
  const known = scratch.write('known', sshd.hostKeys.map((key) => `[127.0.0.1]:${sshd.port} ${key.publicText}\n`).join(''));
  const transport = createPlainTransport({ hostKeys: 'strict', knownHostsFiles: [known], defaultIdentityFiles: [scratch.write('id', sshd.userKey.privateText)] });
  return {
    directory: scratch.directory,
    transport,
    host: (become, becoming, name = 'node-1') => ({ ...sshd.host, name, user: 'deploy', become, ...(becoming ? { becoming } : {}) }),
    allow({ sudoers = '', doas = '', auth = 'auth required pam_unix.so nodelay' }) {
      put('sudoers', `Defaults !syslog, !mail_no_user, lecture=always, passwd_tries=3\nroot ALL=(ALL:ALL) ALL\n${sudoers}\n`, 0o440);
      const checked = spawnSync('visudo', ['-c', '-f', join(etc, 'sudoers')], { encoding: 'utf8' });
      if (checked.status !== 0) throw new Error(`visudo: ${checked.stdout}${checked.stderr}`);
      put('doas.conf', `${doas}\n`, 0o400);
      for (const name of ['sudo', 'su', 'doas', 'other']) put(`pam.d/${name}`, `${auth}\naccount required pam_permit.so\nsession required pam_permit.so\n`);
    },
    async close() {
      await sshd.close();
      scratch.remove();
    },
  };
}
