/**
 * An SSH server in this process, made of ssh2's Server on sockets of our own, so that a test can cut them. By default it
 * runs commands with /bin/sh. Also plain TCP servers that misbehave.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import ssh2 from '../../src/ssh/ssh2.js';
import type { Algorithms, AuthContext, Connection, ServerChannel, Session } from '../../src/ssh/ssh2.js';

export interface TcpTestServer {
  readonly port: number;
  /** Connections so far. */
  readonly count: number;
  readonly sockets: ReadonlySet<Socket>;
  /** Settles when the next connection arrives. */
  nextConnection(): Promise<Socket>;
  close(): Promise<void>;
}

export async function startTcpServer(onConnection: (socket: Socket) => void, options: { allowHalfOpen?: boolean } = {}): Promise<TcpTestServer> {
  const sockets = new Set<Socket>();
  const waiting: ((socket: Socket) => void)[] = [];
  let count = 0;
  const server: TcpServer = createServer(options, (socket) => {
    count += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
    for (const tell of waiting.splice(0)) tell(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    get count() {
      return count;
    },
    sockets,
    nextConnection: () => new Promise((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export interface SshTestServerOptions {
  readonly hostKeys: readonly string[];
  /** Public key blobs that may log in. */
  readonly authorized?: readonly Buffer[];
  readonly algorithms?: Partial<Algorithms>;
  readonly onConnection?: (client: Connection) => void;
  readonly onAuthentication?: (context: AuthContext, client: Connection) => void;
  readonly onSession?: (accept: () => Session, reject: () => void, client: Connection) => void;
  readonly onExec?: (channel: ServerChannel, command: string, client: Connection) => void;
}

export async function startSshServer(options: SshTestServerOptions): Promise<TcpTestServer> {
  const ssh = new ssh2.Server({ hostKeys: [...options.hostKeys], ...(options.algorithms ? { algorithms: options.algorithms } : {}) }, (client) => {
    client.on('error', () => undefined);
    options.onConnection?.(client);
    client.on('authentication', (context) => (options.onAuthentication ?? authorize(options.authorized ?? []))(context, client));
    client.on('session', (accept, reject) => {
      if (options.onSession) return options.onSession(accept, reject, client);
      accept().on('exec', (acceptExec, _reject, info) => (options.onExec ?? runInShell)(acceptExec(), info.command, client));
    });
  });
  return startTcpServer((socket) => ssh.injectSocket(socket));
}

export function authorize(authorized: readonly Buffer[]): (context: AuthContext) => void {
  return (context) => {
    if (context.method !== 'publickey' || !authorized.some((blob) => blob.equals(context.key.data))) return context.reject(['publickey']);
    if (context.signature === undefined || context.blob === undefined) return context.accept();
    const key = ssh2.utils.parseKey(context.key.data);
    if (key instanceof Error || key.verify(context.blob, context.signature, context.hashAlgo) !== true) return context.reject(['publickey']);
    context.accept();
  };
}

/** As sshd does it: no shell of our own around the command's output; exit is sent at exit, close when the pipes are empty. */
function runInShell(channel: ServerChannel, command: string): void {
  const child = spawn('/bin/sh', ['-c', command], { stdio: 'pipe' });
  channel.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('exit', (code, signal) => (signal ? channel.exit(signal.replace('SIG', '')) : channel.exit(code ?? 0)));
  child.on('close', () => channel.stderr.end(() => channel.end()));
  channel.on('close', () => child.kill('SIGKILL'));
}
