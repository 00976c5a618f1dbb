/**
 * A fleet in this process: fake nodes, each behind its own SSH server (ssh2) on loopback, with its own host
 * key, and the files an operator would have: key, known_hosts, inventory. Real SSH, real time. Never listens
 * on anything but 127.0.0.1 and writes only into the folder it is given.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import ssh2 from '../../src/ssh/ssh2.js';
import type { AuthContext, Connection, ParsedKey } from '../../src/ssh/ssh2.js';
import { createFakeNode, type FakeNode, type NodeClock } from '../fake/fake-node.js';
import { serveFakeNode } from '../fake/fake-protocol.js';
import type { NodeSpec } from '../fake/layouts.js';

export interface FleetMember {
  readonly name: string;
  readonly spec: NodeSpec;
  /** The group of the inventory. */
  readonly pool: string;
}

export interface FleetHost {
  readonly member: FleetMember;
  readonly node: FakeNode;
  readonly port: number;
}

export interface EmbeddedFleet {
  readonly hosts: readonly FleetHost[];
  readonly inventoryPath: string;
  readonly knownHostsPath: string;
  readonly identityFile: string;
  /** Ends every connection and server; settles when all ports are free. Safe to call twice. */
  stop(): Promise<void>;
}

const REAL_CLOCK: NodeClock = { now: () => new Date(), monotonicMs: () => performance.now() };

/**
 * What stands before all servers: looks at every connection, and turns it away by giving nothing. What it gives is called when
 * somebody logged in over it, or when it is gone.
 */
export type Door = () => (() => void) | undefined;

const OPEN_DOOR: Door = () => () => undefined;

/** `directory` must exist and is the caller's to remove. */
export async function startEmbeddedFleet(directory: string, members: readonly FleetMember[], door = OPEN_DOOR): Promise<EmbeddedFleet> {
  const client = newKey('fleetmend embedded fleet');
  const allowed = parseKey(client.public);
  const servers: RunningServer[] = [];
  const hosts: FleetHost[] = [];
  const knownHosts: string[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  try {
    for (const member of members) {
      const key = newKey(member.name);
      const node = createFakeNode({ name: member.name, clock: REAL_CLOCK, spec: member.spec });
      const server = await startServer(node, key.private, allowed, door);
      servers.push(server);
      hosts.push({ member, node, port: server.port });
      knownHosts.push(`[127.0.0.1]:${server.port} ${key.public.split(' ').slice(0, 2).join(' ')}`);
    }
    const sshDirectory = join(directory, 'ssh');
    await mkdir(sshDirectory, { recursive: true, mode: 0o700 });
    const identityFile = join(sshDirectory, 'id_ed25519');
    const knownHostsPath = join(sshDirectory, 'known_hosts');
    const inventoryPath = join(directory, 'inventory.yaml');
    await writeFile(identityFile, client.private, { mode: 0o600 });
    await writeFile(knownHostsPath, `${knownHosts.join('\n')}\n`, { mode: 0o600 });
    await writeFile(inventoryPath, inventoryText(hosts, identityFile));
    return { hosts, inventoryPath, knownHostsPath, identityFile, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** One ed25519 pair in 256 of the library's generator begins with a zero byte and comes out too short to be read. */
export function newKey(comment: string): { readonly private: string; readonly public: string } {
  const pair = ssh2.utils.generateKeyPairSync('ed25519', { comment });
  return ssh2.utils.parseKey(pair.private) instanceof Error ? newKey(comment) : pair;
}

interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

async function startServer(node: FakeNode, hostKey: string, allowed: ParsedKey, door: Door): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  /** By the port of the client: what to call when it is logged in or gone. */
  const atDoor = new Map<number, () => void>();
  const letIn = (port: number): void => {
    atDoor.get(port)?.();
    atDoor.delete(port);
  };
  const ssh = new ssh2.Server({ hostKeys: [hostKey] }, (connection, { port }) => {
    connection.once('ready', () => letIn(port));
    serveConnection(connection, node, allowed);
  });
  // The sockets are ours, so that a stop never waits for a client that does not go away.
  const server = createServer((socket) => {
    const passed = door();
    if (passed === undefined) {
      socket.destroy();
      return;
    }
    const { remotePort = 0 } = socket;
    atDoor.set(remotePort, passed);
    socket.once('close', () => letIn(remotePort));
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    ssh.injectSocket(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function serveConnection(connection: Connection, node: FakeNode, allowed: ParsedKey): void {
  // A client that goes away without a word is normal here.
  connection.on('error', () => undefined);
  connection.on('authentication', (context) => authenticate(context, allowed));
  connection.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, info) => {
      const channel = acceptExec();
      channel.on('error', () => undefined);
      void serveFakeNode(node, channel, info.command).then((code) => {
        if (!channel.writable) return;
        channel.exit(code);
        channel.end();
      });
    });
  });
}

function authenticate(context: AuthContext, allowed: ParsedKey): void {
  if (context.method !== 'publickey') {
    context.reject(['publickey']);
    return;
  }
  const isKnown = context.username === 'root' && context.key.algo === allowed.type && context.key.data.equals(allowed.getPublicSSH());
  const isSigned = context.signature === undefined || (context.blob !== undefined && allowed.verify(context.blob, context.signature) === true);
  if (isKnown && isSigned) context.accept();
  else context.reject(['publickey']);
}

function parseKey(text: string): ParsedKey {
  const key = ssh2.utils.parseKey(text);
  if (key instanceof Error) throw key;
  return Array.isArray(key) ? (key[0] as ParsedKey) : key;
}

function inventoryText(hosts: readonly FleetHost[], identityFile: string): string {
  const pools = [...new Set(hosts.map(({ member }) => member.pool))];
  const groups = pools.flatMap((pool) => [
    `  ${pool}:`,
    '    hosts:',
    ...hosts.filter(({ member }) => member.pool === pool).map(({ member, port }) => `      - { name: ${member.name}, address: 127.0.0.1, port: ${port} }`),
  ]);
  const head = ['# The embedded fleet: nodes in the memory of one process, behind real SSH on loopback.', 'defaults:', '  user: root', `  identityFile: ${identityFile}`];
  return [...head, '', 'groups:', ...groups, ''].join('\n');
}
