/** A jump host in this process, made of ssh2's Server on a port that stays the same when it comes back, and routes through it. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import type { Host } from '../../src/core/host.js';
import type { Transport } from '../../src/core/ports.js';
import { plainRoute } from './plain-route.js';
import type { Hop, Route } from '../../src/ssh/route.js';
import type { JumpTimes } from '../../src/ssh/shared-jump-host.js';
import ssh2 from '../../src/ssh/ssh2.js';
import type { AuthContext, Connection } from '../../src/ssh/ssh2.js';
import { createSshTransport } from '../../src/ssh/transport.js';
import type { SshOptions } from '../../src/ssh/transport.js';
import { noSecrets } from './plain-transport.js';
import { hostAt, makeKey } from './scratch.js';
import type { Scratch, TestKey } from './scratch.js';
import { authorize } from './test-server.js';

export interface BastionOptions {
  readonly authorized: readonly TestKey[];
  readonly onAuthentication?: (context: AuthContext) => void;
  /** Channels on one connection; more are a shortage. */
  readonly mostChannels?: number;
  /** One more was asked for. */
  readonly onShortage?: () => void;
  /** Connections that get as far as a login. */
  readonly mostConnections?: number;
  /** Its side of a connection stays open when the other one ends. */
  readonly halfOpen?: boolean;
  /** `forbidden`, `refused`: every channel. `silent`: no channel is answered. */
  readonly forwards?: 'forbidden' | 'refused' | 'silent';
}

export interface Bastion {
  readonly port: number;
  readonly hostKey: TestKey;
  /** TCP connections so far. */
  readonly connections: number;
  /** Of those, how many got in. */
  readonly logins: number;
  /** Open now. */
  readonly sockets: ReadonlySet<Socket>;
  /** The most channels that one connection had at a time. */
  readonly mostSeen: number;
  /** Sessions asked for: a jump host needs none. */
  readonly sessions: number;
  /** From here on, on one connection. */
  allowChannels(most: number): void;
  /** Takes connections and ends them at once, until `start`. */
  stop(): void;
  start(): void;
  /** DISCONNECT_BY_APPLICATION to everybody, and nothing else. */
  sayGoodbye(): void;
  /** Goes on taking bytes of nobody. */
  freeze(): void;
  whenStopped(connections: number): Promise<void>;
  close(): Promise<void>;
}

const CODES = { forbidden: 1, refused: 2, shortage: 4 } as const;

export async function startBastion(options: BastionOptions): Promise<Bastion> {
  const hostKey = makeKey();
  const sockets = new Set<Socket>();
  const seen = { connections: 0, logins: 0, most: 0, sessions: 0 };
  let isUp = true;
  let look: () => void = () => undefined;
  let mostChannels = options.mostChannels ?? Number.POSITIVE_INFINITY;
  const clients = new Set<Connection>();
  const ssh = new ssh2.Server({ hostKeys: [hostKey.privateText] }, (client) => {
    let channels = 0;
    const refuse = (reject: () => void, code: number): void => {
      refuseWith(client, code);
      reject();
    };
    clients.add(client);
    client.on('error', () => undefined);
    client.on('authentication', options.onAuthentication ?? authorize(options.authorized.map(({ blob }) => blob)));
    client.on('ready', () => { seen.logins += 1; });
    client.on('session', (_accept, reject) => {
      seen.sessions += 1;
      reject();
    });
    client.on('tcpip', (accept, reject, info) => {
      if (options.forwards === 'silent') return;
      if (options.forwards !== undefined) return refuse(reject, CODES[options.forwards]);
      if (channels >= mostChannels) {
        options.onShortage?.();
        return refuse(reject, CODES.shortage);
      }
      channels += 1;
      const onward = connect(info.destPort, info.destIP);
      const failed = (): void => {
        channels -= 1;
        refuse(reject, CODES.refused);
      };
      onward.once('error', failed);
      onward.once('connect', () => {
        onward.off('error', failed).on('error', () => undefined);
        seen.most = Math.max(seen.most, channels);
        const channel = accept();
        channel.on('error', () => undefined);
        channel.pipe(onward).pipe(channel);
        onward.on('close', () => channel.close());
        channel.on('close', () => {
          channels -= 1;
          onward.destroy();
        });
      });
    });
  });
  const server: TcpServer = createServer({ allowHalfOpen: options.halfOpen === true }, (socket) => {
    seen.connections += 1;
    look();
    socket.on('error', () => undefined);
    if (!isUp || seen.connections > (options.mostConnections ?? Number.POSITIVE_INFINITY)) return void socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, () => resolve()));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port, hostKey, sockets,
    get connections() { return seen.connections; },
    get logins() { return seen.logins; },
    get mostSeen() { return seen.most; },
    get sessions() { return seen.sessions; },
    allowChannels(most) { mostChannels = most; },
    stop() {
      isUp = false;
      cut();
    },
    start() { isUp = true; },
    sayGoodbye() {
      for (const client of clients) disconnect(client);
    },
    freeze() {
      for (const socket of sockets) socket.removeAllListeners('data').resume();
    },
    whenStopped: (connections) => new Promise((resolve) => {
      look = () => { if (seen.connections >= connections) resolve(); };
      look();
    }),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      cut();
    }),
  };
}

/** As `end` of ssh2, but for the socket. */
export function disconnect(client: Connection | AuthContext): void {
  (client as unknown as { _protocol: { disconnect(reason: number): void } })._protocol.disconnect(11);
}

/** ssh2's server lets nobody choose the reason. */
function refuseWith(client: Connection, code: number): void {
  const protocol = (client as unknown as { _protocol: { channelOpenFail(sender: number, reason: number, text: string): void } })._protocol;
  const original = Object.getPrototypeOf(protocol) as typeof protocol;
  protocol.channelOpenFail = (sender, _reason, text) => original.channelOpenFail.call(protocol, sender, code, text);
}

export interface JumpTransportOptions extends Partial<Omit<SshOptions, 'routeOf' | 'jumpHosts'>> {
  readonly scratch: Scratch;
  readonly userKey: TestKey;
  /** `[127.0.0.1]:PORT KEY` of every server. */
  readonly known: string;
  /** Of a host, the nearest first. */
  readonly jumps?: (host: Host) => readonly JumpSpec[];
  readonly proxyCommand?: (host: Host) => string;
  readonly times?: Partial<JumpTimes>;
  readonly keepAlive?: { readonly intervalMs: number; readonly countMax: number };
}

export interface JumpSpec {
  readonly name: string;
  readonly port: number;
  readonly address?: string;
  readonly user?: string;
}

/** Waits a thousandth as long between its tries as it would for people. */
export const FAST: Partial<JumpTimes> = { pace: 0.001 };

export function createJumpTransport(options: JumpTransportOptions): Transport {
  const { scratch, userKey, keepAlive } = options;
  const rules = {
    hostKeys: 'strict', knownHostsFiles: [scratch.write('known_hosts', options.known)],
    defaultIdentityFiles: [scratch.write('id', userKey.privateText)], ...(keepAlive ? { keepAlive } : {}),
  } as const;
  const hopOf = (host: Host): Hop => plainRoute(host, rules).target;
  const routeOf = (host: Host): Route => ({
    jumps: (options.jumps?.(host) ?? []).map(({ port, ...rest }) => hopOf(hostAt(port, rest))),
    target: hopOf(host),
    ...(options.proxyCommand ? { proxyCommand: options.proxyCommand(host) } : {}),
  });
  return createSshTransport({
    secrets: noSecrets, exitGraceMs: 1_000, closeGraceMs: 100, ...options,
    routeOf: (host) => Promise.resolve(routeOf(host)), jumpHosts: { ...FAST, ...options.times },
  });
}

export function knownLine(port: number, key: TestKey, address = '127.0.0.1'): string {
  return `[${address}]:${port} ${key.publicText}\n`;
}
