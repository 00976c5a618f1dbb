/** What makes one node differ from another: machine id, host key, who may log in. Written into the overlay before the first boot. */
import { createHash, randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NODE_USERS } from './base.js';
import { mustRunScript } from './command.js';

export interface NewNode {
  readonly name: string;
  /** The upper directory of its overlay, which is not mounted yet. */
  readonly upper: string;
}

export interface NodeIdentity {
  /** `ssh-ed25519 AAAA...` */
  readonly hostKeyLine: string;
  /** `SHA256:...` */
  readonly fingerprint: string;
}

const HOST_KEY = 'etc/ssh/ssh_host_ed25519_key';

/** Ed25519 key pairs without a passphrase; the public half beside each with `.pub`. */
export async function makeKeys(files: readonly string[], comment: string): Promise<void> {
  await mustRunScript(files.map((file) => ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]));
}

/** Answers in the order of the nodes. */
export async function giveIdentities(nodes: readonly NewNode[], publicKey: string): Promise<NodeIdentity[]> {
  for (const { upper, name } of nodes) {
    await mkdir(join(upper, 'etc/ssh'), { recursive: true });
    await writeFile(join(upper, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
    await writeFile(join(upper, 'etc/hostname'), `${name}\n`);
    // Without its own name here, sudo asks a name server that a node has not.
    await writeFile(join(upper, 'etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
    await authorize(upper, 'root', 0, publicKey, 0o700);
    for (const user of NODE_USERS) await authorize(upper, `home/${user.name}`, user.uid, publicKey, 0o755);
  }
  await makeKeys(nodes.map(({ upper }) => join(upper, HOST_KEY)), 'lab-node');
  return Promise.all(nodes.map(async ({ upper }) => readIdentity(join(upper, `${HOST_KEY}.pub`))));
}

async function readIdentity(publicFile: string): Promise<NodeIdentity> {
  const [type = '', blob = ''] = (await readFile(publicFile, 'utf8')).split(' ');
  const digest = createHash('sha256').update(Buffer.from(blob, 'base64')).digest('base64');
  return { hostKeyLine: `${type} ${blob}`, fingerprint: `SHA256:${digest.replace(/=+$/, '')}` };
}

async function authorize(upper: string, home: string, uid: number, publicKey: string, homeMode: number): Promise<void> {
  const dir = join(upper, home, '.ssh');
  const file = join(dir, 'authorized_keys');
  await mkdir(dir, { recursive: true });
  await writeFile(file, `${publicKey}\n`, { mode: 0o600 });
  await chmod(dir, 0o700);
  await chmod(join(upper, home), homeMode);
  for (const path of [join(upper, home), dir, file]) await chown(path, uid, uid);
}
