/** Certificates as an operator makes them: with ssh-keygen, by authorities of our own. Never a key of the system. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import ssh2 from '../../src/ssh/ssh2.js';
import type { AuthContext } from '../../src/ssh/ssh2.js';
import type { Scratch, TestKey } from './scratch.js';
import { startTcpServer } from './test-server.js';
import type { TcpTestServer } from './test-server.js';

export interface SigningOrder {
  /** Arguments of `ssh-keygen -s`, apart from key, identity and file: `-h -n NAMES -V ... -O ... -t ...` */
  readonly arguments: readonly string[];
}

export interface TestAuthority {
  readonly key: TestKey;
  /** The text of a certificate for this public key: `TYPE BASE64 COMMENT`. */
  sign(subject: TestKey, order: SigningOrder): string;
}

export function createAuthority(scratch: Scratch, name: string, key: TestKey): TestAuthority {
  const file = scratch.write(`authority-${name}`, key.privateText);
  let count = 0;
  return {
    key,
    sign(subject, order) {
      count += 1;
      const stem = `${name}-${count}`;
      const publicFile = scratch.write(`${stem}.pub`, `${subject.publicText}\n`);
      execFileSync('ssh-keygen', ['-q', '-s', file, '-I', stem, ...order.arguments, publicFile], { stdio: 'pipe' });
      return readFileSync(scratch.path(`${stem}-cert.pub`), 'utf8');
    },
  };
}

interface ServerProtocol {
  _kex: { negotiated: { serverHostKey: string }; finish(...given: unknown[]): unknown } | undefined;
}

/** A server that shows this ed25519 certificate and signs with any key: ssh2's own, which knows no certificates, taught from outside. */
export function startCertifiedServer(certificate: string, signer: TestKey, onAuthentication: (context: AuthContext) => void): Promise<TcpTestServer> {
  const algorithm = 'ssh-ed25519-cert-v01@openssh.com';
  const key = ssh2.utils.parseKey(signer.privateText);
  if (key instanceof Error) throw key;
  const shown = Object.assign(Object.create(key) as typeof key, { type: algorithm, getPublicSSH: () => Buffer.from(certificate.split(' ')[1] ?? '', 'base64') });
  const server = new ssh2.Server({ hostKeys: [{ key: shown as unknown as string }], algorithms: { serverHostKey: [algorithm as 'ssh-ed25519'] } }, (client) => {
    client.on('error', () => undefined);
    client.on('authentication', onAuthentication);
    const protocol = (client as unknown as { _protocol: ServerProtocol })._protocol;
    let exchange: ServerProtocol['_kex'];
    Object.defineProperty(protocol, '_kex', {
      get: () => exchange,
      set(next: NonNullable<ServerProtocol['_kex']>) {
        exchange = next;
        const finish = next.finish.bind(next);
        next.finish = (...given) => {
          next.negotiated.serverHostKey = 'ssh-ed25519';
          next.finish = finish;
          return finish(...given);
        };
      },
    });
  });
  return startTcpServer((socket) => server.injectSocket(socket));
}
